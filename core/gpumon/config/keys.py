"""Every key that the configuration knows, as a table: what it is called, how it is read, which setting it fills."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import msgspec

from gpumon.config.secrets import SecretPlace, header_value, secret_place
from gpumon.config.values import (
    Here,
    Reader,
    Wrong,
    as_table,
    choice,
    kind,
    number,
    or_word,
    path,
    seconds,
    text,
    told,
    url,
    yes_or_no,
)
from gpumon.settings import THEMES
from gpumon.text import shown

_DAY = 86_400.0
_HEADER = frozenset("-_0123456789abcdefghijklmnopqrstuvwxyz")


class Key(msgspec.Struct, frozen=True):
    """One key."""

    name: str
    read: Reader
    """Raises Wrong."""
    field: str
    """Of the settings' class that belongs to the section."""
    may_be_secret: bool = False
    """True when not even a wrong value may be shown."""


def _headers(value: object, here: Here) -> tuple[tuple[str, SecretPlace], ...]:
    expected = 'a table of headers, like { X-Scope-OrgID = "lab" }'
    table = as_table(value)
    if table is None:
        raise Wrong(kind(value), expected)
    if len({name.lower() for name in table}) < len(table):
        raise Wrong("one header twice", "each header once, upper and lower case are the same")
    found: list[tuple[str, SecretPlace]] = []
    for name, content in table.items():
        if not name or not set(name.lower()) <= _HEADER:
            raise Wrong(f'a header called "{shown(name, 80)}"', "a header's name of letters, digits and -")
        try:
            found.append((name, header_value(content, here)))
        except Wrong as wrong:
            raise Wrong(f"{name} with {wrong.found}", wrong.expected) from None
    return tuple(found)


def _own_keys(value: object, _: Here) -> tuple[tuple[str, str], ...]:
    """Keys by name; a name without quotes reads as tables inside each other, and means the same."""
    expected = 'a table of keys by name, like { "app.quit" = "f10" }'
    table = as_table(value)
    if table is None:
        raise Wrong(kind(value), expected)
    return tuple(_flattened(table, "", expected))


def _flattened(table: Mapping[str, object], at: str, expected: str) -> Iterator[tuple[str, str]]:
    for name, content in table.items():
        inside = as_table(content)
        if inside is not None:
            yield from _flattened(inside, f"{at}{name}.", expected)
        elif isinstance(content, str) and content.strip():
            yield f"{at}{name}", content
        else:
            raise Wrong(f"{told(content)} as {shown(at + name, 80)}", expected)


def _columns(value: object, _: Here) -> tuple[tuple[str, tuple[str, ...]], ...]:
    expected = 'a table of columns by table, like { gpus = ["node", "gpu", "util"] }'
    table = as_table(value)
    if table is None:
        raise Wrong(kind(value), expected)
    found: list[tuple[str, tuple[str, ...]]] = []
    for name, content in table.items():
        found_here = told(content)
        words = cast("list[object]", content) if isinstance(content, list) else []
        keys = tuple(word for word in words if isinstance(word, str))
        if not keys or len(keys) != len(words) or len(set(keys)) < len(keys):
            raise Wrong(f"{found_here} as {shown(name, 80)}", f"{expected}, each column once")
        found.append((name, keys))
    return tuple(found)


_INTERVAL = Key("interval", or_word("auto", None, seconds(1, _DAY, "15")), "interval_seconds")
_SHARE = "a share (5 % is 0.05)"

TOP: tuple[Key, ...] = (
    _INTERVAL,
    Key("theme", choice(*THEMES), "theme"),
    Key("default_cluster", text("the name of one of the clusters"), "default_cluster"),
)
"""Outside of every section."""
PROFILE: tuple[Key, ...] = (_INTERVAL,)
"""In [clusters.NAME], beside its own sections."""
PROMETHEUS: tuple[Key, ...] = (
    Key("url", url, "url"),
    Key("timeout", seconds(0.1, 3600, "10"), "timeout_seconds"),
    Key("headers", _headers, "headers", may_be_secret=True),
    Key("username", text("a name without a colon", forbidden=":"), "username"),
    Key("password", secret_place, "password", may_be_secret=True),
    Key("bearer_token", secret_place, "bearer_token", may_be_secret=True),
    Key("ca_file", path, "ca_file"),
    Key("client_cert_file", path, "client_cert_file"),
    Key("client_key_file", path, "client_key_file"),
)
UNITS: tuple[Key, ...] = (
    Key("temperature", choice("celsius", "fahrenheit"), "temperature"),
    Key("bytes", choice("binary", "decimal"), "bytes"),
)
THRESHOLDS: tuple[Key, ...] = (
    Key("temperature_celsius", number(0, 150, "degrees Celsius"), "temperature_celsius"),
    Key("temperature_critical_celsius", number(0, 150, "degrees Celsius"), "temperature_critical_celsius"),
    Key("idle_share", number(0, 1, _SHARE), "idle_share"),
    Key("idle_minutes", number(0, 1440, "minutes"), "idle_minutes"),
    Key("memory_share", number(0, 1, _SHARE), "memory_share"),
    Key("disk_share", number(0, 1, _SHARE), "disk_share"),
    Key("stale_scrapes", number(1, 1000, "a number of scrape intervals"), "stale_scrapes"),
    Key("clock_skew_seconds", number(0, 3600, "seconds"), "clock_skew_seconds"),
)
TUI: tuple[Key, ...] = (
    Key("remember", yes_or_no, "remember"),
    Key("keys", _own_keys, "keys"),
    Key("columns", _columns, "columns"),
)

SECTIONS: Mapping[str, tuple[Key, ...]] = {
    "prometheus": PROMETHEUS,
    "units": UNITS,
    "thresholds": THRESHOLDS,
    "tui": TUI,
}
"""The sections at the top."""
PROFILE_SECTIONS: Mapping[str, tuple[Key, ...]] = {"prometheus": PROMETHEUS, "thresholds": THRESHOLDS}
"""The sections of a cluster's profile."""

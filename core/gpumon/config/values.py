"""What one value of the configuration may be: each reader takes what TOML gave and returns what the settings hold."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias, cast
from urllib.parse import urlsplit

import msgspec

from gpumon.text import shown

_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|)\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0, "h": 3600.0}
_KINDS: Mapping[type, str] = {
    bool: "true or false",
    str: "a text",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


class Wrong(ValueError):
    """A value that cannot be used."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"found {found}; expected {expected}")
        self.found = found
        """In words fit for a screen; never a secret."""
        self.expected = expected


class Here(msgspec.Struct, frozen=True):
    """Where a value stands, which decides what a relative path and "~" mean."""

    directory: Path
    environ: Mapping[str, str]

    def path(self, text: str) -> Path:
        """`text` as an absolute path."""
        home = self.environ.get("HOME")
        if home and (text == "~" or text.startswith("~/")):
            text = home + text[1:]
        return self.directory / os.path.expanduser(text)  # noqa: PTH111  # Path's own fails for an unknown ~user


Reader: TypeAlias = Callable[[object, Here], object]
"""Raises Wrong."""


def told(value: object) -> str:
    """A value in a message, shortened."""
    if isinstance(value, str):
        return f'"{shown(value, 80)}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        try:
            return shown(str(value), 40)
        except ValueError:  # more digits than Python is willing to write
            return "a huge number"
    return kind(value)


def kind(value: object) -> str:
    """What sort of thing TOML gave, without its content."""
    return _KINDS.get(type(value), "a date or time")


def as_table(value: object) -> Mapping[str, object] | None:
    """`value` when it is a table of TOML, whose keys are always texts."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else None


def number(least: float, most: float, meaning: str) -> Reader:
    """A number within bounds; neither NaN nor infinite."""
    expected = f"{meaning} from {least:g} to {most:g}"

    def read(value: object, _: Here) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Wrong(told(value), expected)
        return _within(value, least, most, told(value), expected)

    return read


def seconds(least: float, most: float, example: str) -> Reader:
    """A length of time: a number of seconds, or a text such as "500ms", "10s", "2m", "1h"."""
    expected = f'seconds from {least:g} to {most:g}, like {example} or "{example}s"'

    def read(value: object, _: Here) -> float:
        amount: object = value
        if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
            amount = float(match[1]) * _SECONDS[match[2]]
        if isinstance(amount, bool) or not isinstance(amount, (int, float)):
            raise Wrong(told(value), expected)
        return _within(amount, least, most, told(value), expected)

    return read


def or_word(word: str, meaning: object, otherwise: Reader) -> Reader:
    """One special word, or what another reader accepts."""

    def read(value: object, here: Here) -> object:
        if value == word:
            return meaning
        try:
            return otherwise(value, here)
        except Wrong as wrong:
            raise Wrong(wrong.found, f'{wrong.expected}, or "{word}"') from None

    return read


def choice(*words: str) -> Reader:
    """One of a few words."""
    expected = " or ".join(f'"{word}"' for word in words)

    def read(value: object, _: Here) -> str:
        if not isinstance(value, str) or value not in words:
            raise Wrong(told(value), expected)
        return value

    return read


def yes_or_no(value: object, _: Here) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Wrong(told(value), "true or false")
    return value


def text(expected: str, forbidden: str = "") -> Reader:
    """A text that is not empty, on one line."""

    def read(value: object, _: Here) -> str:
        if not isinstance(value, str) or not value.strip() or has_controls(value) or set(value) & set(forbidden):
            raise Wrong(told(value), expected)
        return value

    return read


def path(value: object, here: Here) -> Path:
    """The path of a file, relative to the configuration's directory."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise Wrong(told(value), "the path of a file")
    return here.path(value)


def url(value: object, _: Here) -> str:
    """The address of a Prometheus: http or https, a host, perhaps a port and a path prefix; no secrets."""
    expected = "an address such as http://head:9090"
    if not isinstance(value, str):
        raise Wrong(told(value), expected)
    address = value.strip()
    found = f'"{shown(_without_secrets(address), 200)}"'
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise Wrong(found, expected) from None
    if "@" in parts.netloc:
        raise Wrong(found, f"{expected} without a user in it; username and password are keys of their own")
    if has_controls(address) or any(character.isspace() for character in address) or "\\" in address:
        raise Wrong(found, f"{expected}, without blanks")
    if not is_usable:
        raise Wrong(found, expected)
    if parts.query or parts.fragment:
        raise Wrong(found, f'{expected}, without "?" and "#"; secrets belong into headers')
    if parts.path.rstrip("/").endswith("/api/v1"):
        raise Wrong(found, f"{expected}, without /api/v1 at its end")
    return address


def has_controls(value: str) -> bool:
    """True when it holds a control character, a line break for instance, or what no encoding can write."""
    return any(ord(character) < 32 or 127 <= ord(character) < 160 or 0xD800 <= ord(character) < 0xE000
               for character in value)  # fmt: skip


def _within(value: float, least: float, most: float, found: str, expected: str) -> float:
    try:
        amount = float(value)
    except OverflowError:
        raise Wrong(found, expected) from None
    if not math.isfinite(amount) or not least <= amount <= most:
        raise Wrong(found, expected)
    return amount


def _without_secrets(address: str) -> str:
    """`address` without what may be a password or a token, even when it is no address."""
    start, separator, rest = address.partition("://")
    if not separator:
        start, rest = "", address
    rest = f"***@{rest.rpartition('@')[2]}" if "@" in rest else rest
    marks = [rest.index(mark) for mark in "?#" if mark in rest]
    return start + separator + (f"{rest[: min(marks) + 1]}***" if marks else rest)

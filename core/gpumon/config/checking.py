"""A parsed file against the table of keys: what it sets, and everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from gpumon.config.keys import PROFILE, PROFILE_SECTIONS, SECTIONS, TOP, Key
from gpumon.config.values import Here, Wrong, as_table, kind
from gpumon.settings import Thresholds
from gpumon.text import shown

SETUP = "setup"
"""A section that `gpumon setup` reads and checks itself."""

Fields = dict[str, Any]
"""Values by the name of the field that they fill; typed by the table of keys."""


class Profile(msgspec.Struct, frozen=True):
    """What a file says about one cluster, or outside of all clusters."""

    at: str
    """Its dotted place with a dot behind it: "clusters.west."; "" for the top."""
    own: Fields
    """Its keys outside of sections."""
    sections: Mapping[str, Fields]
    """Only those that the file has."""


class Checked(msgspec.Struct, frozen=True):
    """A whole file."""

    top: Profile
    clusters: Mapping[str, Profile]


class Mistakes(msgspec.Struct):
    """Everything that is wrong, in the order in which it was found."""

    file: str
    lines: list[str] = msgspec.field(default_factory=list[str])

    def add(self, place: str, text: str) -> None:
        """One more: what is wrong with the key at the dotted `place`."""
        line = f"{self.file}: {place}: {text}" if place else f"{self.file}: {text}"
        line = line if line.endswith("?") else f"{line}."
        if line not in self.lines:
            self.lines.append(line)

    def wrong(self, place: str, wrong: Wrong) -> None:
        """One more: a value that cannot be used."""
        self.add(place, str(wrong))


def check(document: Mapping[str, object], here: Here, mistakes: Mistakes) -> Checked:
    """Everything a file says, all of its profiles alike."""
    top = _profile(document, "", TOP, SECTIONS, here, mistakes, beside=("clusters", SETUP))
    read_table(document, SETUP, "", mistakes)
    clusters: dict[str, Profile] = {}
    for name, table in read_table(document, "clusters", "", mistakes).items():
        at = f"clusters.{_part(name)}"
        content = as_table(table)
        if content is None:
            mistakes.add(at, f"found {kind(table)}; expected a section [{at}.prometheus]")
            continue
        clusters[name] = _profile(content, f"{at}.", PROFILE, PROFILE_SECTIONS, here, mistakes)
        if "url" not in (as_table(content.get("prometheus")) or {}):
            mistakes.add(f"{at}.prometheus.url", "found nothing; expected the address of this cluster's Prometheus")
    default = top.own.get("default_cluster")
    if default is not None and default not in clusters:
        mistakes.add("default_cluster", unknown_cluster(default, clusters))
    for profile in clusters.values():
        _temperatures(top, profile, mistakes)
    _temperatures(top, top, mistakes)
    return Checked(top, clusters)


def unknown_cluster(name: str, known: Iterable[str]) -> str:
    """What is said when there is no such cluster."""
    names = list(known)
    if not names:
        return f'there is no cluster called "{shown(name, 80)}"; the file has no [clusters.NAME.prometheus] at all'
    near = get_close_matches(name, names, 1)
    meant = f'did you mean "{shown(near[0], 80)}"? ' if near else ""
    return f'there is no cluster called "{shown(name, 80)}"; {meant}known are {shown(", ".join(names), 300)}'


def _profile(
    table: Mapping[str, object],
    at: str,
    keys: tuple[Key, ...],
    sections: Mapping[str, tuple[Key, ...]],
    here: Here,
    mistakes: Mistakes,
    beside: tuple[str, ...] = (),
) -> Profile:
    own = {name: value for name, value in table.items() if name not in sections and name not in beside}
    found = read_fields(own, at, keys, here, mistakes, {**sections, **dict.fromkeys(beside, ())})
    inside = {
        name: read_fields(read_table(table, name, at, mistakes), f"{at}{name}.", known, here, mistakes)
        for name, known in sections.items()
        if name in table
    }
    if "prometheus" in inside:
        _login(inside["prometheus"], f"{at}prometheus.", mistakes)
    return Profile(at, found, inside)


def read_table(table: Mapping[str, object], name: str, at: str, mistakes: Mistakes) -> Mapping[str, object]:
    """The section `name` of a table that stands at the dotted place `at`, which ends with a dot; empty for none."""
    found = as_table(table.get(name, {}))
    if found is None:
        place = f"{at}{_part(name)}"
        mistakes.add(place, f"found {kind(table[name])}; expected a section [{place}]")
    return found or {}


def read_fields(
    table: Mapping[str, object],
    at: str,
    keys: tuple[Key, ...],
    here: Here,
    mistakes: Mistakes,
    sections: Mapping[str, tuple[Key, ...]] | None = None,
) -> Fields:
    """What a table sets, by the fields of its `keys`; `sections` beside them help to guess what was meant."""
    by_name = {key.name: key for key in keys}
    found: Fields = {}
    for name, value in table.items():
        key = by_name.get(name)
        if key is None:
            mistakes.add(f"{at}{_part(name)}", f"unknown key{_suggestion(name, at, by_name, sections or {})}")
            continue
        try:
            found[key.field] = key.read(value, here)
        except Wrong as wrong:
            mistakes.wrong(f"{at}{name}", wrong)
    return found


def _suggestion(name: str, at: str, keys: Iterable[str], sections: Mapping[str, tuple[Key, ...]]) -> str:
    """The nearest key here, else the key of that name in a section, else all that could stand here."""
    here = [*keys, *sections]
    if not here:
        return "; nothing is known here"
    if near := get_close_matches(name.lower(), here, 1):
        return f"; did you mean {at}{near[0]}?"
    for section, inside in sections.items():
        if any(key.name == name for key in inside):
            return f"; did you mean {at}{section}.{name}?"
    return f"; known here are {', '.join(here)}"


def _login(fields: Fields, at: str, mistakes: Mistakes) -> None:
    """Keys that need, or exclude, each other."""
    if "bearer_token" in fields and ("username" in fields or "password" in fields):
        mistakes.add(f"{at}bearer_token", "found beside username or password; expected one or the other")
    if "password" in fields and "username" not in fields:
        mistakes.add(f"{at}password", "found without a username; expected both")
    if "client_key_file" in fields and "client_cert_file" not in fields:
        mistakes.add(f"{at}client_key_file", "found without client_cert_file; expected both")
    if any(name.lower() == "authorization" for name, _ in fields.get("headers", ())) and (
        "bearer_token" in fields or "username" in fields
    ):
        mistakes.add(f"{at}headers", "found Authorization beside bearer_token or username; expected one or the other")


def _temperatures(top: Profile, profile: Profile, mistakes: Mistakes) -> None:
    default, at = Thresholds(), f"{profile.at}thresholds.temperature_critical_celsius"
    set_here: Fields = {**top.sections.get("thresholds", {}), **profile.sections.get("thresholds", {})}
    hot = set_here.get("temperature_celsius", default.temperature_celsius)
    critical = set_here.get("temperature_critical_celsius", default.temperature_critical_celsius)
    if critical < hot and "thresholds" in profile.sections:
        mistakes.add(at, f"found {critical:g}; expected at least temperature_celsius, which is {hot:g}")


def _part(name: str) -> str:
    """One part of a dotted key, quoted where TOML wants it so."""
    is_bare = bool(name) and name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if is_bare and len(name) <= 80 else f'"{shown(name, 80)}"'

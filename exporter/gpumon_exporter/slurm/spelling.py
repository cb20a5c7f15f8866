"""How Slurm spells numbers, times and lists, in texts and in JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

_NOTHING = ("", "(null)", "N/A", "n/a")
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGTP]?)")
_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_DURATION = re.compile(r"(?:([0-9]+)-)?(?:([0-9]+):)?([0-9]+):([0-9]+)")


def word(text: str) -> str:
    """A word; empty when there is none."""
    return "" if text in _NOTHING else text


def num(value: object) -> float | None:
    """A number of Slurm's JSON: null, plain, or {set, infinite, number} since 23.02; None when unset or infinite."""
    if isinstance(value, dict):
        found = cast("dict[str, object]", value)
        return num(found.get("number")) if found.get("set") and not found.get("infinite") else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def count(text: str) -> float | None:
    """A number as texts have it, "2K" being 2048 and "1-4" at least 1; None when there is none."""
    found = _NUMBER.match(text)
    return None if found is None else float(found[1]) * 1024.0 ** _UNITS[found[2]]


def size(text: str) -> float | None:
    """Bytes of memory, in MiB when no unit stands behind it."""
    found = _NUMBER.fullmatch(text)
    return None if found is None else float(found[1]) * 1024.0 ** _UNITS[found[2] or "M"]


def when(text: str) -> float | None:
    """Seconds since 1970, from a text with SLURM_TIME_FORMAT=%s; None for N/A, Unknown, None and the like."""
    return float(text) if text.isascii() and text.isdigit() and text != "0" else None


def duration(text: str) -> float | None:
    """Seconds of "1-12:00:00", "45:00" and the like; None for UNLIMITED, NOT_SET, NONE and the like."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


@lru_cache(maxsize=1024)
def pairs(text: str) -> Mapping[str, str]:
    """`key=value` with commas between them, as TRES are; thousands of jobs ask for the same."""
    return {key: value for key, sign, value in (part.partition("=") for part in text.split(",")) if sign}


def record(line: str) -> dict[str, str]:
    """`Key=value` with blanks between them, as scontrol prints on one line; what comes first counts."""
    found: dict[str, str] = {}
    for part in line.split():
        key, sign, value = part.partition("=")
        if sign:
            found.setdefault(key, word(value))
    return found

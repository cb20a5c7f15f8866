"""Slurm's hostlists, "gpu[01-03,07],login1", as names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

MOST = 65_536
"""Names that one hostlist may stand for: more nodes than any cluster has, and a bound to what a forged one costs."""

_ENTRY = re.compile(r"(?:[^\[\],]|\[[^\]]*\])+")
_PART = re.compile(r"\[([^\]]*)\]|([^\[\]]+)")
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})")


def hosts(text: str) -> tuple[str, ...]:
    """The names in their order, at most `MOST`; what is no hostlist stands for itself."""
    found: list[str] = []
    for entry in _ENTRY.findall(text):
        parts = [tuple(_numbers(inside)) if inside or not plain else (plain,) for inside, plain in _PART.findall(entry)]
        for name in product(*parts):
            if len(found) == MOST:
                return tuple(found)
            found.append("".join(name))
    return tuple(found)


def _numbers(inside: str) -> Iterator[str]:
    """What stands between brackets: "01-03,07" -> 01, 02, 03, 07."""
    for part in inside.split(","):
        ends = _RANGE.fullmatch(part)
        if ends is None:
            yield part
            continue
        first, last, width = int(ends[1]), int(ends[2]), len(ends[1])
        for number in range(first, min(last, first + MOST - 1) + 1):
            yield f"{number:0{width}d}"

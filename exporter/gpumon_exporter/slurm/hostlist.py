"""Slurm's short form of many host names: gpu[01-03,07],cpu1,rack[1-2]node[1-4]."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

MOST_NAMES = 100_000
"""More is a mistake, not a cluster."""

_NAME = re.compile(r"(?:[^\[\],]|\[[^\[\]]*\])+")
_PART = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_RANGE = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")


def expand(hostlist: str) -> tuple[str, ...]:
    """All names, in Slurm's order; none for an empty list.

    Raises:
        ValueError: it is no hostlist, or one of too many names.
    """
    names: list[str] = []
    position = 0
    while position < len(hostlist):
        found = _NAME.match(hostlist, position)
        if found is None:
            raise ValueError(f"{hostlist!r} is no hostlist")
        names.extend(_names(found[0]))
        if len(names) > MOST_NAMES:
            raise ValueError(f"{hostlist[:80]!r} has more than {MOST_NAMES} names")
        position = found.end()
        if position < len(hostlist) and hostlist[position] == ",":
            position += 1
    return tuple(names)


def _names(name: str) -> Iterator[str]:
    """The names that one name with brackets stands for."""
    choices = [[text] if text else _numbers(ranges) for ranges, text in _PART.findall(name)]
    total = 1
    for choice in choices:
        total *= len(choice)
    if total > MOST_NAMES:
        raise ValueError(f"{name[:80]!r} has more than {MOST_NAMES} names")
    return ("".join(parts) for parts in product(*choices))


def _numbers(ranges: str) -> list[str]:
    """The numbers of "01-03,7", as wide as the first one of each range is written."""
    numbers: list[str] = []
    for text in ranges.split(","):
        found = _RANGE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no range of numbers")
        first, last = int(found[1]), int(found[2] or found[1])
        if not 0 <= last - first < MOST_NAMES:
            raise ValueError(f"{text!r} is no range of numbers")
        width = len(found[1])
        numbers.extend(str(number).zfill(width) for number in range(first, last + 1))
    return numbers

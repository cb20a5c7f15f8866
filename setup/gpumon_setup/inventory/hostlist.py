"""Slurm's hostlists, "gpu[01-04,7],head", as the names they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_NAMES = 20_000
"""More machines than any cluster has; a list that means more is a slip."""
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


class NoHostlist(ValueError):
    """A text that is no hostlist; says why."""


def expanded(text: str) -> tuple[str, ...]:
    """The names that a hostlist means, in its order, each once.

    Raises:
        NoHostlist: it is none.
    """
    names: list[str] = []
    for part in _parts(text):
        for name in _names(part):
            if not _NAME.fullmatch(name):
                raise NoHostlist(f'"{name}" is not the name of a machine')
            names.append(name)
            if len(names) > MOST_NAMES:
                raise NoHostlist(f"it means more than {MOST_NAMES:,} machines")
    return tuple(dict.fromkeys(names))


def _parts(text: str) -> Iterator[str]:
    """What commas part, those inside of brackets apart."""
    depth, begin = 0, 0
    for position, sign in enumerate(text):
        depth += (sign == "[") - (sign == "]")
        if depth not in (0, 1):
            raise NoHostlist("its brackets do not fit")
        if sign == "," and not depth:
            yield text[begin:position].strip()
            begin = position + 1
    if depth:
        raise NoHostlist("its brackets do not fit")
    yield text[begin:].strip()


def _names(part: str) -> Iterator[str]:
    """The names of one part: each of its brackets multiplies."""
    head, bracket, rest = part.partition("[")
    if not bracket:
        yield part
        return
    inside, _, tail = rest.partition("]")
    tails = list(_names(tail)) if tail else [""]
    for numbers in inside.split(","):
        match = _RANGE.fullmatch(numbers.strip())
        if match is None:
            raise NoHostlist(f'"{numbers}" is neither a number nor a range')
        first, last = match[1], match[2] or match[1]
        if int(last) < int(first) or int(last) - int(first) > MOST_NAMES:
            raise NoHostlist(f'"{numbers}" is not a range that goes up')
        for number in range(int(first), int(last) + 1):
            yield from (f"{head}{number:0{len(first)}}{end}" for end in tails)

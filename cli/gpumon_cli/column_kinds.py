"""Columns of the command's own small tables, by what they hold: a text, a count, a share, a length of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gpumon import units
from gpumon.columns import Column
from gpumon.text import shown

Row = TypeVar("Row")
_NUMBER_WIDTH = 8
_TEXT_WIDTH = 24


def text(key: str, title: str, value: Callable[[Row], str | None]) -> Column[Row]:
    """A text: a dash where it is not known (None), a blank where there is none ("")."""

    def as_text(row: Row, *_: object) -> str:
        known = value(row)
        return units.MISSING if known is None else shown(known)

    return Column(key, title, _TEXT_WIDTH, lambda row, _: value(row), as_text)


def count(key: str, title: str, value: Callable[[Row], float | None]) -> Column[Row]:
    """How many."""
    return _number(key, title, value, units.count)


def share(key: str, title: str, value: Callable[[Row], float | None]) -> Column[Row]:
    """A share, shown in percent."""
    return _number(key, title, value, units.share, 100)


def size(key: str, title: str, value: Callable[[Row], float | None]) -> Column[Row]:
    """Bytes."""
    return Column(
        key, title, _NUMBER_WIDTH, lambda row, _: value(row), lambda row, _, unit: unit.size(value(row)), True, 2**-30
    )


def minutes(key: str, title: str, value: Callable[[Row], float | None]) -> Column[Row]:
    """Seconds, compared in minutes."""
    return _number(key, title, value, units.duration, 1 / 60)


def hours(key: str, title: str, value: Callable[[Row], float | None]) -> Column[Row]:
    """Hours of GPUs."""
    return _number(key, title, value, lambda known: units.MISSING if known is None else f"{units.number(known)}h")


def _number(
    key: str,
    title: str,
    value: Callable[[Row], float | None],
    words: Callable[[float | None], str],
    scale: float = 1.0,
) -> Column[Row]:
    return Column(
        key, title, _NUMBER_WIDTH, lambda row, _: value(row), lambda row, _s, _u: words(value(row)), True, scale
    )

"""Columns made narrow, for tables that stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec import structs

from gpumon.columns import Column

Row = TypeVar("Row")

_SHORT = {"RUNNING": "RUN", "PENDING": "WAIT"}
_FIRST = ("running", "pending", "gpus", "gpualloc")


def compact(columns: tuple[Column[Row], ...]) -> tuple[Column[Row], ...]:
    """The name, then what is asked for most, each as narrow as its title and five digits allow."""
    name, *others = columns
    others.sort(key=lambda column: _FIRST.index(column.key) if column.key in _FIRST else len(_FIRST))
    narrow = list[Column[Row]]()
    for column in others:
        title = _SHORT.get(column.title, column.title)
        narrow.append(structs.replace(column, title=title, width=max(5, len(title))))
    return (structs.replace(name, width=10), *narrow)


def arranged(columns: tuple[Column[Row], ...], widths: Mapping[str, int]) -> tuple[Column[Row], ...]:
    """The columns that are named, as `narrowed`, and then all others as they are."""
    known = {column.key: column for column in columns}
    return (*narrowed(columns, widths), *(column for key, column in known.items() if key not in widths))


def narrowed(columns: tuple[Column[Row], ...], widths: Mapping[str, int]) -> tuple[Column[Row], ...]:
    """Only the columns that are named, in that order, each at least so wide; where there is room they grow again."""
    known = {column.key: column for column in columns}
    return tuple(structs.replace(known[key], width=width) for key, width in widths.items())

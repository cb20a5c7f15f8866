"""Rows as CSV for programs: one record a line, numbers in base units, unknown as an empty field.

Texts are what their authors wrote, quoted where CSV demands it. They are not defused for spreadsheets: a job named
`=1+1` stays `=1+1`, since a program that reads the file must get the true name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeVar

from gpumon.columns import Column, Value
from gpumon.model import ClusterSnapshot
from gpumon.text import shown

Row = TypeVar("Row")

_NEEDS_QUOTES = re.compile(r'[",\r\n\v\f\x1c-\x1e\x85\u2028\u2029]|^\s|\s$')
"""More than the csv module quotes: whatever some reader takes for the end of a line."""

_EXACT = 2.0**53
"""From here on floats have no fractions worth printing."""


def csv_lines(
    rows: Sequence[Row],
    columns: Sequence[Column[Row]],
    snapshot: ClusterSnapshot,
    *,
    has_header: bool,
    to_terminal: bool,
) -> Iterator[str]:
    """Records without their line ends; on a terminal control characters are shown, not sent."""
    if has_header:
        yield ",".join(column.key for column in columns)
    for row in rows:
        yield ",".join(_field(column.value(row, snapshot), to_terminal=to_terminal) for column in columns)


def _field(value: Value, *, to_terminal: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = shown(value) if to_terminal else value
        return f'"{text.replace(chr(34), chr(34) * 2)}"' if _NEEDS_QUOTES.search(text) else text
    return str(int(value)) if value == int(value) and abs(value) < _EXACT else repr(float(value))

"""Rows as a table for people: as wide as its content, and as the terminal allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import msgspec

from gpumon.columns import Column
from gpumon.model import ClusterSnapshot
from gpumon.units import Units
from gpumon_cli.cells import cut, pad, width
from gpumon_cli.terminal import Terminal

Row = TypeVar("Row")

_GAP = "  "
_NARROWEST = 8
"""No text column is cut below this many cells."""


class Table(msgspec.Struct, Generic[Row], frozen=True):
    """What is to be shown, before anybody knows how wide the terminal is."""

    columns: Sequence[Column[Row]]
    rows: Sequence[Row]
    snapshot: ClusterSnapshot
    units: Units
    has_header: bool = True
    spare: Sequence[str] = ()
    """Keys of columns that a narrow terminal does without, the first one first."""
    style: Callable[[Row], str] = lambda _: ""
    """How a row looks in colour: "dim" for a stale one."""


def blocks(table: Table[Row], screen: Terminal) -> Iterator[str]:
    """A table among others as lines, a blank one before it; nothing for one without rows."""
    if table.rows:
        yield ""
        yield from draw(table, screen).lines


class Drawn(msgspec.Struct, frozen=True):
    """A table as lines of text."""

    lines: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Titles of the columns for which the terminal had no room, though something stands in them."""


def draw(table: Table[Row], terminal: Terminal) -> Drawn:
    """The table as lines that fit the terminal; whole where there is none."""
    texts = [[column.text(row, table.snapshot, table.units) for row in table.rows] for column in table.columns]
    natural = [
        max([width(column.title) if table.has_header else 0, *map(width, cells)])
        for column, cells in zip(table.columns, texts, strict=True)
    ]
    told = [place for place, cells in enumerate(texts) if any(cells) or not table.rows]
    places = _with_room(table, natural, told, terminal.columns)
    widths = _fitted(table.columns, natural, places, terminal.columns)
    left_out = tuple(table.columns[place].title for place in told if place not in widths)
    return Drawn(tuple(_lines(table, texts, widths, terminal)), left_out)


def _lines(table: Table[Row], texts: list[list[str]], widths: dict[int, int], terminal: Terminal) -> Iterator[str]:
    def line(cells: Sequence[str]) -> str:
        return _GAP.join(
            pad(cut(text, cells_wide), cells_wide, right=table.columns[place].is_number)
            for text, (place, cells_wide) in zip(cells, widths.items(), strict=True)
        ).rstrip()

    if table.has_header:
        yield terminal.styled(line([table.columns[place].title for place in widths]), "bold")
    shown = [texts[place] for place in widths]
    for row, cells in zip(table.rows, zip(*shown, strict=True), strict=True):
        yield terminal.styled(line(cells), table.style(row))


def _with_room(table: Table[Row], natural: Sequence[int], told: Sequence[int], room: int | None) -> list[int]:
    """Places of the columns that stay when those in which nothing stands make room, and then the spare ones."""
    places = list(range(len(natural)))
    if room is None:
        return places
    keys = [column.key for column in table.columns]
    wanted = [_comfortable(column, wide) for column, wide in zip(table.columns, natural, strict=True)]
    if table.spare and _total(wanted) > room:
        places = list(told)
    for spare in table.spare:
        if _total([wanted[place] for place in places]) <= room:
            break
        if spare in keys and keys.index(spare) in places:
            places.remove(keys.index(spare))
    return places


def _fitted(
    columns: Sequence[Column[Row]], natural: Sequence[int], places: list[int], room: int | None
) -> dict[int, int]:
    """Place -> width; the widest text columns give way until the line fits."""
    widths = {place: natural[place] for place in places}
    if room is None:
        return widths
    while (over := _total(list(widths.values())) - room) > 0:
        giving = [place for place in places if widths[place] > _least(columns[place], natural[place])]
        if not giving:
            break
        widest = max(giving, key=lambda place: widths[place])
        runner_up = max((widths[place] for place in giving if place != widest), default=0)
        least = max(_least(columns[widest], natural[widest]), runner_up - 1)
        widths[widest] -= min(over, max(1, widths[widest] - least))
    return widths


def _comfortable(column: Column[Row], natural: int) -> int:
    """What a column should have while spare ones can make room: a few letters and an ellipsis say nothing."""
    return natural if column.is_number else min(natural, max(column.width, width(column.title)))


def _least(column: Column[Row], natural: int) -> int:
    return natural if column.is_number else min(natural, max(_NARROWEST, width(column.title)))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * max(0, len(widths) - 1)

"""Rows of the cluster as a table, CSV or JSON: what every listing does with what was typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

import msgspec

from gpumon.columns import Column, by_key
from gpumon.errors import NoData, UsageError
from gpumon.filters import Filter, parse_filter, sort_rows
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.source import Parts
from gpumon.text import shown
from gpumon_cli.answers import Answer
from gpumon_cli.arguments import Options
from gpumon_cli.csv_text import csv_lines
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.json_text import json_bytes
from gpumon_cli.nearest import meant
from gpumon_cli.remarks import demo_line, ended, remarks_on
from gpumon_cli.tables import Table, draw
from gpumon_cli.terminal import Terminal

Row = TypeVar("Row")


class Listing(msgspec.Struct, Generic[Row], frozen=True):
    """One kind of rows: where they come from and what is known about them."""

    name: str
    columns: tuple[Column[Row], ...]
    rows: Callable[[ClusterSnapshot], Sequence[Row] | None]
    """None when nothing tells."""
    parts: Parts
    concerns: tuple[str, ...]
    """Parts whose problems are worth a remark here."""
    spare: tuple[str, ...]
    """Columns that a narrow terminal does without, the first one first."""
    answer: Callable[[Sequence[Row], ClusterSnapshot], msgspec.Struct]
    """The shape of its JSON."""
    table: tuple[Column[Row], ...] = ()
    """Columns of the table for people; () for all of them."""
    belongs: Callable[[Row], str] | None = None
    """The node by which positional names choose; None where they name something else."""
    style: Callable[[Row], str] = lambda _: ""
    """How a row looks in colour."""
    narrowed: Callable[[Sequence[Row], ClusterSnapshot], Sequence[Row]] = lambda rows, _: rows
    """What the listing's own flags leave, in its own order."""
    together: Callable[[Sequence[Row]], Sequence[Row]] = lambda rows: rows
    """Rows as a table for people has them: several as one."""
    below: Callable[[Sequence[Row]], Iterable[str]] = lambda _: ()
    """Lines under the table."""
    nothing: Callable[[ClusterSnapshot], str] | None = None
    """What is said when no row is left; None for the plain words."""
    doubts: Callable[[ClusterSnapshot], Iterable[str]] = lambda _: ()
    """Remarks of its own: what is not known about such rows."""
    code: Callable[[Sequence[Row]], ExitCode] = lambda _: ExitCode.OK
    """How the command ends with these rows."""
    otherwise: Callable[[ClusterSnapshot], Answer | None] = lambda _: None
    """What is answered when nothing tells of such rows; None when that is a failure."""


class _Wish(msgspec.Struct, Generic[Row], frozen=True):
    """What was asked of a listing, understood before anything is read."""

    columns: tuple[Column[Row], ...]
    chosen: Filter[Row] | None
    order: tuple[tuple[Column[Row], bool], ...]
    """Columns to sort by and whether the largest comes first, the most important one first."""


def put_rows(
    listing: Listing[Row], options: Options, settings: Settings, screen: Terminal
) -> Callable[[ClusterSnapshot], Answer]:
    """How a snapshot becomes this listing's answer.

    Raises:
        UsageError: a column, filter or sort key is not one, before anything is read.
    """
    wish = _understood(listing, options, settings)

    def put(snapshot: ClusterSnapshot) -> Answer:
        known = listing.rows(snapshot)
        if known is None:
            return _otherwise(listing, snapshot)
        every = _chosen(listing, known, wish, options, snapshot)
        rows, code = every[: options.limit], listing.code(every)
        if options.json:
            return Answer(json_bytes(listing.answer(rows, snapshot), to_terminal=screen.is_tty), code=code)
        said = tuple(listing.doubts(snapshot)) + (() if rows else (_none(listing, snapshot, is_empty=not known),))
        if options.csv:
            lines = csv_lines(rows, wish.columns, snapshot, has_header=options.header, to_terminal=screen.is_tty)
            remarks = remarks_on(snapshot, listing.concerns, rows, wish.columns)
            return Answer(_text(lines), (*demo_line(snapshot), *remarks, *said), code)
        spare = () if options.columns else listing.spare
        drawn = draw(Table(wish.columns, rows, snapshot, settings.units, options.header, spare, listing.style), screen)
        shown_columns = [column for column in wish.columns if column.title not in drawn.left_out]
        remarks = (*remarks_on(snapshot, listing.concerns, rows, shown_columns), *said)
        if drawn.left_out and rows:
            remarks = (*remarks, f"No room for {', '.join(drawn.left_out)} (--columns chooses; a pipe gets all).")
        below = listing.below(every) if rows and options.header else ()
        return Answer(_text([*demo_line(snapshot), *drawn.lines, *below]), remarks, code)

    return put


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _none(listing: Listing[Row], snapshot: ClusterSnapshot, *, is_empty: bool) -> str:
    if listing.nothing is not None:
        return listing.nothing(snapshot)
    return f"No {listing.name} {'at all' if is_empty else 'match'}."


def _otherwise(listing: Listing[Row], snapshot: ClusterSnapshot) -> Answer:
    answer = listing.otherwise(snapshot)
    if answer is None:
        raise NoData(_why_nothing(listing, snapshot), advice="`gpumon doctor` says what to do.")
    return answer


def _why_nothing(listing: Listing[Row], snapshot: ClusterSnapshot) -> str:
    where = f"{snapshot.source} knows no {listing.name}"
    parts = ("jobs", "slurm") if listing.name == "jobs" else (listing.name,)
    for part in parts:
        for problem in snapshot.problems:
            if problem.part == part:
                return f"{where}: {ended(problem.text)}"
    if listing.name == "alerts":
        return f"{where}: it does not answer /api/v1/alerts."
    return f"{where}: {ended(snapshot.why_missing(parts[-1], ''))}"


def _understood(listing: Listing[Row], options: Options, settings: Settings) -> _Wish[Row]:
    known = by_key(listing.columns)
    if options.json and options.columns:
        raise UsageError("--columns chooses columns of a table or of CSV; --json always holds every field.")
    columns = listing.columns if options.csv else listing.table or listing.columns
    if options.columns:
        columns = tuple(_column(key, known) for key in options.columns.split(","))
    if options.columns is not None and not options.columns.strip(","):
        raise UsageError(f"--columns wants at least one of {', '.join(known)}.")
    order: list[tuple[Column[Row], bool]] = []
    for key in (options.sort or "").split(",") if options.sort is not None else ():
        descending = key.startswith("-") != options.reverse
        order.append((_column(key.removeprefix("-"), known), descending))
    chosen = parse_filter(options.filter, listing.columns, settings.units) if options.filter else None
    return _Wish(columns, chosen, tuple(order))


def _column(key: str, columns: Mapping[str, Column[Row]]) -> Column[Row]:
    wanted = key.strip().lower()
    if wanted in columns:
        return columns[wanted]
    known = meant(wanted, columns, f"; known are {', '.join(columns)}.")
    raise UsageError(f"there is no column {shown(key.strip(), 80)!r}{known}")


def _chosen(
    listing: Listing[Row],
    rows: Sequence[Row],
    wish: _Wish[Row],
    options: Options,
    snapshot: ClusterSnapshot,
) -> Sequence[Row]:
    """The rows that were asked for, in the order that was asked for."""
    rows = listing.narrowed(rows, snapshot)
    if options.names and listing.belongs is not None:
        names = _nodes(set(map(listing.belongs, rows)), options.names)
        rows = [row for row in rows if listing.belongs(row) in names]
    if wish.chosen is not None:
        rows = [row for row in rows if wish.chosen.matches(row, snapshot)]
    if not (options.json or options.csv):
        rows = listing.together(rows)
    for column, descending in reversed(wish.order):
        rows = sort_rows(rows, column, snapshot, descending=descending)
    if not wish.order and options.reverse:
        rows = rows[::-1]
    return rows


def _nodes(known: set[str], typed: Sequence[str]) -> set[str]:
    """The nodes that are meant; a full host name means its node."""
    found: set[str] = set()
    for name in typed:
        node = next((each for each in (name, name.split(".")[0].split(":")[0]) if each in known), None)
        if node is None:
            raise UsageError(f"there is no node called {shown(name, 80)!r}{meant(name, known)}")
        found.add(node)
    return found

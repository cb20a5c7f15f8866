"""`gpumon gpus | nodes | jobs | alerts`: rows of the cluster as a table, CSV or JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Generic, TypeVar

import msgspec

from gpumon.columns import ALERT_COLUMNS, GPU_COLUMNS, JOB_COLUMNS, NODE_COLUMNS, Column, by_key
from gpumon.errors import NoData, UsageError
from gpumon.filters import Filter, parse_filter, sort_rows
from gpumon.model import Alert, ClusterSnapshot, Gpu, Job, Node
from gpumon.settings import Settings
from gpumon.source import Parts
from gpumon.text import shown
from gpumon_cli import shapes
from gpumon_cli.answers import Answer
from gpumon_cli.arguments import Options
from gpumon_cli.csv_text import csv_lines
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.json_text import json_bytes
from gpumon_cli.queue_text import queue_lines, why_no_jobs
from gpumon_cli.remarks import demo_line, remarks_on
from gpumon_cli.tables import Table, draw
from gpumon_cli.terminal import Terminal

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
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
    belongs: Callable[[Row], str | None] = lambda _: None
    """The node (or user) by which positional names choose."""
    style: Callable[[Row], str] = lambda _: ""
    """How a row looks in colour."""


def _stale_is_dim(row: Gpu | Node) -> str:
    return "dim" if row.is_stale else ""


GPUS: Listing[Gpu] = Listing(
    name="gpus",
    columns=GPU_COLUMNS,
    rows=lambda snapshot: snapshot.gpus or None,
    parts=Parts.GPUS | Parts.JOBS,
    concerns=("gpus", "jobs"),
    spare=("known", "total", "xid", "dram", "tensor", "account", "age", "sm", "used", "model", "job", "idle", "power"),
    answer=shapes.gpus_answer,
    belongs=lambda gpu: gpu.device.node,
    style=_stale_is_dim,
)
NODES: Listing[Node] = Listing(
    name="nodes",
    columns=NODE_COLUMNS,
    rows=lambda snapshot: snapshot.nodes or None,
    parts=Parts.NODES | Parts.GPUS | Parts.SLURM,
    concerns=("nodes", "slurm", "gpus"),
    spare=("age", "uptime", "rx", "tx", "load", "disk", "reason"),
    answer=shapes.nodes_answer,
    belongs=lambda node: node.name,
    style=_stale_is_dim,
)
JOBS: Listing[Job] = Listing(
    name="jobs",
    columns=JOB_COLUMNS,
    rows=lambda snapshot: snapshot.jobs,
    parts=Parts.JOBS | Parts.SLURM | Parts.GPUS | Parts.IDLE,
    concerns=("jobs", "slurm"),
    spare=(
        "reason",
        "qos",
        "nodecount",
        "low",
        "waited",
        "rank",
        "account",
        "wasted",
        "cpus",
        "expected",
        "left",
        "nodes",
        "why",
        "idle",
        "name",
    ),
    answer=shapes.jobs_answer,
    belongs=lambda job: job.user,
)
ALERTS: Listing[Alert] = Listing(
    name="alerts",
    columns=ALERT_COLUMNS,
    rows=lambda snapshot: snapshot.alerts,
    parts=Parts.ALERTS,
    concerns=("alerts",),
    spare=("since", "severity", "node"),
    answer=shapes.alerts_answer,
    style=lambda alert: "" if alert.state != "firing" else "bold red" if alert.severity == "critical" else "yellow",
)
_ALL = (GPUS, NODES, JOBS, ALERTS)


@dataclass(frozen=True, slots=True)
class _Wish(Generic[Row]):
    """What was asked of a listing, understood before anything is read."""

    columns: tuple[Column[Row], ...]
    chosen: Filter[Row] | None
    order: tuple[tuple[Column[Row], bool], ...]
    """Columns to sort by and whether the largest comes first, the most important one first."""


def columns_help(name: str) -> str:
    """The columns of a listing, for its --help."""
    keys = next(", ".join(column.key for column in listing.columns) for listing in _ALL if listing.name == name)
    return f"columns (for --columns, --filter and --sort):\n  {keys}"


def put_rows(
    listing: Listing[Row], options: Options, settings: Settings, screen: Terminal
) -> Callable[[ClusterSnapshot], Answer]:
    """How a snapshot becomes this listing's answer.

    Raises:
        UsageError: a column, filter or sort key is not one, before anything is read.
    """
    wish = _understood(listing, options, settings)

    def put(snapshot: ClusterSnapshot) -> Answer:
        rows = listing.rows(snapshot)
        if rows is None:
            return _nothing(listing, options, settings, screen, snapshot)
        rows = _chosen(listing, rows, wish, options, snapshot)
        code = _code(listing, rows)
        if options.json:
            return Answer(json_bytes(listing.answer(rows, snapshot), to_terminal=screen.is_tty), code=code)
        remarks = remarks_on(snapshot, listing.concerns, rows, wish.columns)
        if not rows:
            remarks = (*remarks, f"No {listing.name} {'match' if listing.rows(snapshot) else 'at all'}.")
        if options.csv:
            lines = csv_lines(rows, wish.columns, snapshot, has_header=options.header, to_terminal=screen.is_tty)
            return Answer(_text(lines), (*demo_line(snapshot), *remarks), code)
        drawn = draw(
            Table(
                wish.columns,
                rows,
                snapshot,
                settings.units,
                has_header=options.header,
                spare=() if options.columns else listing.spare,
                style=listing.style,
            ),
            screen,
        )
        if drawn.left_out:
            remarks = (*remarks, f"No room for {', '.join(drawn.left_out)} (--columns chooses; a pipe gets all).")
        return Answer(_text([*demo_line(snapshot), *drawn.lines]), remarks, code)

    return put


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _code(listing: Listing[Row], rows: Sequence[Row]) -> ExitCode:
    fires = any(isinstance(row, Alert) and row.state == "firing" for row in rows)
    return ExitCode.FINDINGS if listing.name == "alerts" and fires else ExitCode.OK


def _nothing(
    listing: Listing[Row], options: Options, settings: Settings, screen: Terminal, snapshot: ClusterSnapshot
) -> Answer:
    """What is said when nothing tells of such rows; jobs still have their queue."""
    if listing.name != "jobs" or snapshot.queue is None:
        raise NoData(_why_nothing(listing, snapshot), advice="`gpumon doctor` says what to do.")
    if options.json:
        return Answer(json_bytes(shapes.jobs_answer(None, snapshot), to_terminal=screen.is_tty))
    if options.csv or options.filter or options.names:
        raise NoData(why_no_jobs(snapshot), advice="Without them `gpumon jobs` shows the queue in numbers.")
    lines = [*demo_line(snapshot), *queue_lines(snapshot, settings, screen)]
    return Answer(_text(lines), (*remarks_on(snapshot, ("slurm",), (), ()), f"! {why_no_jobs(snapshot)}"))


def _why_nothing(listing: Listing[Row], snapshot: ClusterSnapshot) -> str:
    where = f"{snapshot.source} knows no {listing.name}"
    for part in listing.concerns:
        for problem in snapshot.problems:
            if problem.part == part:
                return f"{where}: {problem.text}"
    if listing.name == "alerts":
        return f"{where}: it does not answer /api/v1/alerts."
    return f"{where}: {snapshot.why_missing(listing.concerns[-1] if listing.name == 'jobs' else listing.name, '')}."


def _understood(listing: Listing[Row], options: Options, settings: Settings) -> _Wish[Row]:
    known = by_key(listing.columns)
    if options.json and options.columns:
        raise UsageError("--columns chooses columns of a table or of CSV; --json always holds every field.")
    columns = tuple(_column(key, known) for key in options.columns.split(",")) if options.columns else listing.columns
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
    near = get_close_matches(wanted, columns, 1)
    meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(columns)}."
    raise UsageError(f"there is no column {shown(key.strip(), 80)!r}; {meant}")


def _chosen(
    listing: Listing[Row], rows: Sequence[Row], wish: _Wish[Row], options: Options, snapshot: ClusterSnapshot
) -> Sequence[Row]:
    """The rows that were asked for, in the order that was asked for."""
    if options.names:
        names = _names(listing, rows, options.names)
        rows = [row for row in rows if listing.belongs(row) in names]
    if wish.chosen is not None:
        rows = [row for row in rows if wish.chosen.matches(row, snapshot)]
    for column, descending in reversed(wish.order):
        rows = sort_rows(rows, column, snapshot, descending=descending)
    if not wish.order and options.reverse:
        rows = rows[::-1]
    return rows[: options.limit]


def _names(listing: Listing[Row], rows: Sequence[Row], typed: Sequence[str]) -> set[str]:
    """The nodes (or users) that are meant; a full host name means its node."""
    known = {name for row in rows if (name := listing.belongs(row))}
    meant: set[str] = set()
    for name in typed:
        found = next((each for each in (name, name.split(".")[0].split(":")[0]) if each in known), None)
        if found is None:
            kind = "user with jobs" if listing.name == "jobs" else "node"
            near = get_close_matches(name, known, 1)
            raise UsageError(
                f"there is no {kind} called {shown(name, 80)!r}{f'; did you mean {shown(near[0])}?' if near else '.'}"
            )
        meant.add(found)
    return meant

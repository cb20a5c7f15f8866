"""The text of `gpumon status`: totals, types of GPU, who holds them, the queue, and what needs a look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from gpumon import units
from gpumon.columns import Column
from gpumon.findings import Finding
from gpumon.model import ClusterSnapshot, Severity
from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.totals import ClusterTotals
from gpumon_cli.holders import Holder, TypeUse
from gpumon_cli.queue_text import counted
from gpumon_cli.tables import Row, Table, blocks
from gpumon_cli.terminal import Terminal

_MOST_HOLDERS = 10
_MOST_FINDINGS = 20
_SIGNS = {Severity.NOTE: ("·", ""), Severity.WARNING: ("!", "yellow"), Severity.ERROR: ("✗", "bold red")}


def _text(key: str, title: str, value: Callable[[Row], str]) -> Column[Row]:
    return Column(key, title, 24, lambda row, _: value(row), lambda row, _s, _u: shown(value(row)))


def _number(key: str, title: str, value: Callable[[Row], float | None]) -> Column[Row]:
    return Column(key, title, 6, lambda row, _: value(row), lambda row, _s, _u: units.count(value(row)), True)


def _share(key: str, title: str, value: Callable[[Row], float | None]) -> Column[Row]:
    return Column(key, title, 6, lambda row, _: value(row), lambda row, _s, _u: units.share(value(row)), True)


_TYPE_COLUMNS: tuple[Column[TypeUse], ...] = (
    _text("type", "TYPE", lambda row: row.name),
    _number("gpus", "GPUS", lambda row: row.gpus),
    _number("busy", "BUSY", lambda row: row.busy),
    _number("free", "FREE", lambda row: row.free),
    _share("util", "UTIL", lambda row: row.utilization_share),
)
_HOLDER_COLUMNS: tuple[Column[Holder], ...] = (
    _text("user", "USER", lambda row: row.user),
    _number("gpus", "GPUS", lambda row: row.gpus),
    _number("idle", "IDLE", lambda row: row.idle),
    _share("util", "UTIL", lambda row: row.utilization_share),
)


def status_lines(
    snapshot: ClusterSnapshot,
    totals: ClusterTotals,
    types: Sequence[TypeUse],
    holders: Sequence[Holder] | None,
    found: Sequence[Finding],
    settings: Settings,
    screen: Terminal,
) -> Iterator[str]:
    """The whole answer, the most asked for first."""
    clock = time.strftime("%H:%M:%S", time.localtime(snapshot.taken_at)) if snapshot.taken_at else units.MISSING
    name = f"{shown(snapshot.cluster)} · " if snapshot.cluster else ""
    yield screen.styled(f"{name}{shown(snapshot.source)} · {clock}", "bold")
    yield from _totals(snapshot, totals, settings)
    yield from blocks(Table(_TYPE_COLUMNS, types, snapshot, settings.units), screen)
    if holders:
        yield from blocks(Table(_HOLDER_COLUMNS, holders[:_MOST_HOLDERS], snapshot, settings.units), screen)
        if len(holders) > _MOST_HOLDERS:
            yield f"… and {len(holders) - _MOST_HOLDERS} more users"
    elif holders is None and totals.gpus:
        yield ""
        yield f"Who holds them is not known: {shown(snapshot.why_missing('jobs', 'jobs'))}."
    yield ""
    yield from _findings(found, snapshot, screen)


def _totals(snapshot: ClusterSnapshot, totals: ClusterTotals, settings: Settings) -> Iterator[str]:
    count = units.count
    old = f", {totals.gpus_stale} with old numbers" if totals.gpus_stale else ""
    yield (
        f"GPUs   {totals.gpus}: {count(totals.gpus_allocated)} allocated, {count(totals.gpus_free)} free; "
        f"{count(totals.gpus_busy)} busy, {count(totals.gpus_idle)} allocated but idle{old}"
    )
    degrees, size = settings.units.degrees, settings.units.size
    yield (
        f"Load   utilization {units.share(totals.utilization_share)}, memory {size(totals.memory_used_bytes)} of "
        f"{size(totals.memory_total_bytes)}, {units.watts(totals.power_watts)}, "
        f"hottest {degrees(totals.temperature_max_celsius)}"
    )
    states = f": {counted(snapshot.queue.nodes_by_state)}" if snapshot.queue and snapshot.queue.nodes_by_state else ""
    yield f"Nodes  {totals.nodes}{states}"
    if snapshot.queue is None:
        yield f"Jobs   {units.MISSING} ({shown(snapshot.why_missing('slurm', 'by_state'))})"
        return
    reasons = f" (waiting for {counted(snapshot.queue.pending_reasons)})" if snapshot.queue.pending_reasons else ""
    yield f"Jobs   {counted(snapshot.queue.by_state)}{reasons}"


def _findings(found: Sequence[Finding], snapshot: ClusterSnapshot, screen: Terminal) -> Iterator[str]:
    if not found:
        is_partial = any(problem.severity is not Severity.NOTE for problem in snapshot.problems)
        yield "Nothing needs a look in what is known." if is_partial else "Nothing needs a look."
    for each in found[:_MOST_FINDINGS]:
        sign, style = _SIGNS[each.severity]
        yield f"{screen.styled(sign, style)} {shown(each.text)}"
        if each.advice and each.severity is Severity.ERROR:
            yield f"  → {shown(each.advice)}"
    if len(found) > _MOST_FINDINGS:
        yield f"… and {len(found) - _MOST_FINDINGS} more"

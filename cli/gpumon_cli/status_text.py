"""The text of `gpumon status`: totals, types of GPU, who holds them, the queue, and what needs a look."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from gpumon import units
from gpumon.columns import Column
from gpumon.findings import Finding
from gpumon.model import ClusterSnapshot, Severity
from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.totals import ClusterTotals
from gpumon_cli.column_kinds import count, share, text
from gpumon_cli.holders import Holder, TypeUse
from gpumon_cli.idle import Idleness, gpu_hours, why_unknown
from gpumon_cli.queue_text import counted
from gpumon_cli.remarks import ended
from gpumon_cli.tables import Table, blocks
from gpumon_cli.terminal import Terminal

_MOST_HOLDERS = 5
_MOST_NAMED = 3
_MOST_FINDINGS = 10
_SIGNS = {Severity.NOTE: ("·", ""), Severity.WARNING: ("!", "yellow"), Severity.ERROR: ("✗", "bold red")}


_TYPE_COLUMNS: tuple[Column[TypeUse], ...] = (
    text("type", "TYPE", lambda row: row.name),
    count("gpus", "GPUS", lambda row: row.gpus),
    count("busy", "BUSY", lambda row: row.busy),
    count("free", "FREE", lambda row: row.free),
    share("util", "UTIL", lambda row: row.utilization_share),
)
_HOLDER_COLUMNS: tuple[Column[Holder], ...] = (
    text("user", "USER", lambda row: row.user),
    count("gpus", "GPUS", lambda row: row.gpus),
    count("idle", "IDLE", lambda row: row.idle),
    share("util", "UTIL", lambda row: row.utilization_share),
)


def status_lines(
    snapshot: ClusterSnapshot,
    totals: ClusterTotals,
    types: Sequence[TypeUse],
    holders: Sequence[Holder] | None,
    idle: Idleness | None,
    found: Sequence[Finding],
    settings: Settings,
    screen: Terminal,
) -> Iterator[str]:
    """The whole answer, the most asked for first."""
    clock = time.strftime("%H:%M:%S", time.localtime(snapshot.taken_at)) if snapshot.taken_at else units.MISSING
    name = f"{shown(snapshot.cluster)} · " if snapshot.cluster else ""
    yield screen.styled(f"{name}{shown(snapshot.source)} · {clock}", "bold")
    yield from _totals(snapshot, totals, idle, settings)
    yield from blocks(Table(_TYPE_COLUMNS, types, snapshot, settings.units), screen)
    if holders:
        yield from blocks(Table(_HOLDER_COLUMNS, holders[:_MOST_HOLDERS], snapshot, settings.units), screen)
        if len(holders) > _MOST_HOLDERS:
            yield f"… and {len(holders) - _MOST_HOLDERS} more users"
    elif holders is None and totals.gpus:
        yield ""
        yield f"Who holds them is not known: {ended(shown(snapshot.why_missing('jobs', 'jobs')))}"
    yield ""
    yield from _findings([each for each in found if idle is None or each.kind != "idle"], snapshot, screen)


def _totals(
    snapshot: ClusterSnapshot, totals: ClusterTotals, idle: Idleness | None, settings: Settings
) -> Iterator[str]:
    old = f", {totals.gpus_stale} with old numbers" if totals.gpus_stale else ""
    yield (
        f"GPUs   {totals.gpus}: {units.count(totals.gpus_allocated)} allocated, {units.count(totals.gpus_free)} free; "
        f"{units.count(totals.gpus_busy)} busy, {units.count(totals.gpus_idle)} allocated but idle now{old}"
    )
    if totals.gpus_allocated:
        yield f"Idle   {_idle(idle, snapshot)}"
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
    waiting = snapshot.queue.pending_reasons
    reasons = f" (waiting for {counted(waiting, _MOST_NAMED)})" if waiting else ""
    yield f"Jobs   {counted(snapshot.queue.by_state)}{reasons}"


def _idle(idle: Idleness | None, snapshot: ClusterSnapshot) -> str:
    """How much is held and not used, and by whom."""
    if idle is None:
        return f"{units.MISSING} ({shown(why_unknown(snapshot))})"
    least = units.duration(idle.min_seconds)
    if not idle.gpus:
        return f"no GPU that a job holds has been idle for {least} or longer"
    users = ", ".join(f"{shown(each.user or units.MISSING)} {each.gpus}" for each in idle.users[:_MOST_NAMED])
    more = len(idle.users) - _MOST_NAMED
    users += f" and {more} other{'' if more == 1 else 's'}" if more > 0 else ""
    return f"{idle.gpus} held but idle for {least} or longer, {gpu_hours(idle.wasted_gpu_seconds)} wasted: {users}"


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

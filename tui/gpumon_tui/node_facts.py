"""What the screen of one node says about it, in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator

from gpumon import units
from gpumon.model import ClusterSnapshot, Node
from gpumon.moments import moment
from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.units import MISSING
from gpumon_tui.tones import state_tone
from gpumon_tui.widgets.facts import Fact, FactLine, known

_TONES = {"bad": "hot", "warn": "warm", "": "success"}
_MOST_DISKS = 4


def facts_of(node: Node, snapshot: ClusterSnapshot, settings: Settings) -> tuple[FactLine, ...]:
    """Everything that is to be said about a node, line by line."""
    lines = (_slurm(node, snapshot), _machine(node, settings), _traffic(node, snapshot, settings), _exporters(node))
    return tuple(tuple(line) for line in lines)


def _slurm(node: Node, snapshot: ClusterSnapshot) -> Iterator[Fact]:
    told = node.slurm
    if told is None or not told.words:
        yield Fact("Slurm", f"{MISSING} ({shown(snapshot.why_missing('slurm', 'state'))})", "quiet")
        return
    yield Fact("", shown(told.words, 40).upper(), _TONES[state_tone(node)], is_loud=True)
    if told.reason:
        by = f" ({shown(told.reason_user, 20)})" if told.reason_user else ""
        yield Fact("", shown(told.reason) + by, "warm" if told.is_out_of_use else "quiet")
    if told.since is not None:
        yield Fact("since", moment(told.since, snapshot.taken_at))
    yield known("GPUs allocated", _of(told.gpus_allocated, told.gpus_total))
    yield known("CPUs allocated", _of(told.cpus_allocated, told.cpus_total))
    if told.partitions:
        yield Fact("partitions", shown(", ".join(told.partitions), 60))


def _machine(node: Node, settings: Settings) -> Iterator[Fact]:
    limits, size = settings.thresholds, settings.units.size
    cores = f" of {node.cores} cores" if node.cores is not None else ""
    yield _bar("CPU", node.cpu_share, cores if node.cpu_share is not None else "", None)
    loads = [units.number(load) for load in (node.load1, node.load5, node.load15) if load is not None]
    yield known("load", " ".join(loads))
    total = f" of {size(node.memory_total_bytes)}" if node.memory_used_share is not None else ""
    yield _bar("memory", node.memory_used_share, total, limits.memory_share)
    for disk in node.filesystems[:_MOST_DISKS]:
        yield _bar(shown(disk.mountpoint, 20), disk.used_share, f" of {size(disk.size_bytes)}", limits.disk_share)
    if not node.filesystems:
        yield known("disks", "")


def _traffic(node: Node, snapshot: ClusterSnapshot, settings: Settings) -> Iterator[Fact]:
    rate = settings.units.rate
    yield known("network in", rate(node.network_received_bytes_per_second))
    yield known("out", rate(node.network_sent_bytes_per_second))
    yield known("disks read", rate(node.disk_read_bytes_per_second))
    yield known("written", rate(node.disk_written_bytes_per_second))
    yield known("up for", units.duration(None if node.booted_at is None else snapshot.taken_at - node.booted_at))


def _exporters(node: Node) -> Iterator[Fact]:
    for exporter in node.exporters:
        sign, tone = ("✓", "success") if exporter.is_up else ("✗ silent:", "hot")
        yield Fact("", f"{sign} {shown(exporter.job, 20)} {shown(exporter.instance, 40)}", tone)
    if not node.exporters:
        yield Fact("exporters", MISSING, "quiet")


def _bar(label: str, share: float | None, of: str, limit: float | None) -> Fact:
    is_high = share is not None and limit is not None and share >= limit
    tone = "quiet" if share is None else "warm" if is_high else "foreground"
    return Fact(label, f"{units.share(share)}{of}", tone, share)


def _of(part: float | None, total: float | None) -> str:
    return MISSING if part is None and total is None else f"{units.count(part)} of {units.count(total)}"

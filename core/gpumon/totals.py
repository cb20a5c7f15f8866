"""A cluster in a few numbers: what a status line shows and what a check compares."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from gpumon.model import ClusterSnapshot, Gpu, Node
from gpumon.settings import Thresholds

_DEFAULTS = Thresholds()


class ClusterTotals(msgspec.Struct, frozen=True):
    """Totals of one snapshot; None where nothing tells. MIG slices count as GPUs; numbers that are old are left out."""

    gpus: int = 0
    """GPUs and MIG slices that an exporter told about, silent ones too."""
    gpus_allocated: float | None = None
    """Held by a job: as seen at the GPUs; as Slurm counts, where it is not known of every GPU."""
    gpus_free: float | None = None
    """Held by nobody."""
    gpus_busy: int | None = None
    """With a utilization from the idle threshold up."""
    gpus_idle: int | None = None
    """Held by a job, with a utilization below the idle threshold."""
    wasted_gpu_seconds: float | None = None
    """How long those have been idle, added up; None when that is not known of one of them."""
    gpus_lost: int | None = None
    """Silent, or configured in Slurm but told about by no exporter. None when no exporter tells of any GPU, and when
    all speak but Slurm does not say how many there should be."""
    gpus_stale: int = 0
    """Their exporter is silent."""
    gpus_hot: int | None = None
    """At the temperature threshold or above."""
    gpus_with_xid: int | None = None
    utilization_share: float | None = None
    """Mean of the GPUs that tell theirs."""
    memory_used_bytes: float | None = None
    """Of the GPUs of which use and size are known."""
    memory_total_bytes: float | None = None
    power_watts: float | None = None
    """Summed by card: every slice of a card repeats the whole card's draw."""
    temperature_max_celsius: float | None = None
    nodes: int = 0
    nodes_up: int = 0
    """Neither out of use nor silent, as far as is known."""
    nodes_out_of_use: int | None = None
    """Down, drained, draining or failing, as Slurm says."""
    nodes_silent: int = 0
    """Of which no exporter has told anything for a while."""
    targets_down: int | None = None
    jobs_running: float | None = None
    jobs_pending: float | None = None
    alerts_firing: int | None = None

    @property
    def memory_share(self) -> float | None:
        """Used part of all framebuffer memory."""
        used, total = self.memory_used_bytes, self.memory_total_bytes
        return None if used is None or not total else used / total

    @classmethod
    def of(cls, snapshot: ClusterSnapshot, thresholds: Thresholds = _DEFAULTS) -> ClusterTotals:
        """The totals of `snapshot`."""
        fresh = [gpu for gpu in snapshot.gpus if not gpu.is_stale]
        told = [gpu for gpu in fresh if gpu.jobs is not None]
        busy = [gpu.utilization for gpu in fresh if gpu.utilization is not None]
        degrees = [gpu.temperature_celsius for gpu in fresh if gpu.temperature_celsius is not None]
        sized = [gpu for gpu in fresh if gpu.memory_used_bytes is not None and gpu.device.memory_total_bytes]
        queue, slurm = snapshot.queue, [node.slurm for node in snapshot.nodes if node.slurm is not None]
        total, allocated = (queue.gpus_total, queue.gpus_allocated) if queue else (None, None)
        is_seen = bool(told) and (len(told) == len(fresh) or allocated is None)
        return cls(
            gpus=len(snapshot.gpus),
            gpus_allocated=sum(bool(gpu.jobs) for gpu in told) if is_seen else allocated,
            gpus_free=sum(not gpu.jobs for gpu in told) if is_seen else _difference(total, allocated),
            gpus_busy=sum(share >= thresholds.idle_share for share in busy) if busy else None,
            gpus_idle=_how_many(told, lambda gpu: _idles(gpu, thresholds.idle_share)),
            wasted_gpu_seconds=_wasted(snapshot.taken_at, told, thresholds.idle_share),
            gpus_lost=_lost(snapshot) if snapshot.gpus else None,
            gpus_stale=len(snapshot.gpus) - len(fresh),
            gpus_hot=sum(each >= thresholds.temperature_celsius for each in degrees) if degrees else None,
            gpus_with_xid=_how_many(fresh, lambda gpu: None if gpu.detail.xid is None else gpu.detail.xid != 0),
            utilization_share=sum(busy) / len(busy) if busy else None,
            memory_used_bytes=_sum(gpu.memory_used_bytes for gpu in sized),
            memory_total_bytes=_sum(gpu.device.memory_total_bytes for gpu in sized),
            power_watts=_power(fresh),
            temperature_max_celsius=max(degrees, default=None),
            nodes=len(snapshot.nodes),
            nodes_up=sum(not _is_out(node) and not _is_silent(node, snapshot) for node in snapshot.nodes),
            nodes_out_of_use=sum(each.is_out_of_use for each in slurm) if slurm else None,
            nodes_silent=sum(_is_silent(node, snapshot) for node in snapshot.nodes),
            targets_down=None
            if snapshot.targets is None
            else sum(target.health == "down" for target in snapshot.targets),
            jobs_running=_jobs(snapshot, "running"),
            jobs_pending=_jobs(snapshot, "pending"),
            alerts_firing=None if snapshot.alerts is None else sum(each.state == "firing" for each in snapshot.alerts),
        )


def _idles(gpu: Gpu, threshold: float) -> bool | None:
    if not gpu.jobs:
        return False
    return None if gpu.utilization is None else gpu.utilization < threshold


def _wasted(now: float, gpus: Iterable[Gpu], threshold: float) -> float | None:
    """Of the GPUs that idle; None when that is not known of any GPU, or since when not of one of them."""
    told = [(gpu.idle_since, idles) for gpu in gpus if (idles := _idles(gpu, threshold)) is not None]
    since = [at for at, idles in told if idles]
    known = [at for at in since if at is not None]
    return sum(now - at for at in known) if told and len(known) == len(since) else None


def _lost(snapshot: ClusterSnapshot) -> int | None:
    lost = sum(gpu.is_stale for gpu in snapshot.gpus)
    configured = [
        (node.slurm.gpus_total, len(node.gpus))
        for node in snapshot.nodes
        if node.slurm is not None and node.slurm.gpus_total is not None
    ]
    lost += sum(max(0, int(total) - seen) for total, seen in configured)
    return lost if lost or configured else None


def _power(gpus: Iterable[Gpu]) -> float | None:
    return _sum({gpu.device.uuid: gpu.power_watts for gpu in gpus if gpu.power_watts is not None}.values())


def _is_out(node: Node) -> bool:
    return node.slurm is not None and node.slurm.is_out_of_use


def _is_silent(node: Node, snapshot: ClusterSnapshot) -> bool:
    """True when everything that ever told about it is old; a node that only Slurm names is not silent."""
    if node.exporters:
        return not any(exporter.is_up for exporter in node.exporters)
    ages = [node.is_stale] if node.sampled_at is not None else []
    ages += [snapshot.gpu_by_key[key].is_stale for key in node.gpus]
    return bool(ages) and all(ages)


def _jobs(snapshot: ClusterSnapshot, state: str) -> float | None:
    if snapshot.queue is not None and snapshot.queue.by_state:
        return snapshot.queue.by_state.get(state, 0.0)
    return None if snapshot.jobs is None else float(sum(job.state == state for job in snapshot.jobs))


def _how_many(gpus: Iterable[Gpu], claim: Callable[[Gpu], bool | None]) -> int | None:
    """Of how many the claim is true; None when it is known of none."""
    known = [told for gpu in gpus if (told := claim(gpu)) is not None]
    return sum(known) if known else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _difference(total: float | None, part: float | None) -> float | None:
    return None if total is None or part is None else total - part

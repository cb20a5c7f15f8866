"""GPUs that somebody holds and that do nothing, and the jobs that hold them."""

from __future__ import annotations

import msgspec

from gpumon.model import ClusterSnapshot, Gpu, Job
from gpumon.settings import Thresholds


class Idleness(msgspec.Struct, frozen=True):
    """What is held for nothing in one snapshot."""

    gpus: tuple[Gpu, ...] = ()
    """Those that have been idle longest come first, those of which it is not known since when last."""
    jobs: tuple[Job, ...] = ()
    """That hold at least one of them, in the order of the snapshot."""
    wasted_gpu_seconds: float | None = None
    """How long they have been idle, added up; None when that is known of none."""


def idleness_of(snapshot: ClusterSnapshot, thresholds: Thresholds) -> Idleness:
    """Everything that is held for nothing in `snapshot`."""
    gpus = [gpu for gpu in snapshot.gpus if is_idle(gpu, thresholds)]
    gpus.sort(key=lambda gpu: snapshot.taken_at if gpu.idle_since is None else gpu.idle_since)
    holders = {job for gpu in gpus for job in gpu.jobs or ()}
    jobs = tuple(job for job in snapshot.jobs or () if job.id in holders)
    known = [snapshot.taken_at - gpu.idle_since for gpu in gpus if gpu.idle_since is not None]
    return Idleness(tuple(gpus), jobs, sum(known) if known else None)


def is_idle(gpu: Gpu, thresholds: Thresholds) -> bool:
    """True for a GPU that somebody holds and that does nothing; one that is silent is not known to."""
    if not gpu.jobs or gpu.is_stale or gpu.utilization is None:
        return False
    return gpu.utilization < thresholds.idle_share

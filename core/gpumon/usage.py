"""What the GPUs of one job do: the job as its user should see it."""

from __future__ import annotations

import msgspec

from gpumon.model import Attribution, ClusterSnapshot, Gpu, Job

_LEAST_SURE = {attribution: place for place, attribution in enumerate(Attribution)}


class JobUsage(msgspec.Struct, frozen=True):
    """The GPUs of one job, put together; None where none of them tells."""

    gpus: tuple[Gpu, ...] = ()
    """Those that it holds and that are known, in the cluster's order; MIG slices are GPUs of their own."""
    mean_utilization: float | None = None
    """Of the GPUs that tell theirs and are not old, 0 to 1."""
    worst_utilization: float | None = None
    """Of the least busy of them."""
    memory_used_bytes: float | None = None
    memory_total_bytes: float | None = None
    """Of the GPUs whose use is known, too."""
    power_watts: float | None = None
    """Summed by card, since every slice of a card repeats the whole card's draw."""
    idle_gpus: int = 0
    """How many do nothing, as far as history was looked at (`Gpu.idle_since`)."""
    idle_since: float | None = None
    """Since when all of them have done nothing; None while one works, or when that is not known of one."""
    wasted_gpu_seconds: float | None = None
    """How long its idle GPUs have been idle, added up; a GPU that several jobs share counts in parts. None when none
    of them idles."""
    attribution: Attribution | None = None
    """How it is known which GPUs it holds: the least sure way that was needed."""


_NOTHING = JobUsage()


def job_usage(job: Job, snapshot: ClusterSnapshot) -> JobUsage:
    """What the GPUs of `job` do in `snapshot`."""
    if not job.held:
        return _NOTHING
    by_key = snapshot.gpu_by_key
    gpus = tuple(by_key[key] for key in job.held if key in by_key)
    fresh = [gpu for gpu in gpus if not gpu.is_stale]
    busy = [gpu.utilization for gpu in fresh if gpu.utilization is not None]
    sized = [
        (gpu.memory_used_bytes, gpu.device.memory_total_bytes)
        for gpu in fresh
        if gpu.memory_used_bytes is not None and gpu.device.memory_total_bytes is not None
    ]
    power = {gpu.device.uuid: gpu.power_watts for gpu in fresh if gpu.power_watts is not None}
    began = job.started_at or 0.0  # a GPU that it shares may have been idle under another job before
    idle = [(gpu, max(gpu.idle_since, began)) for gpu in gpus if gpu.idle_since is not None]
    known_by = [gpu.held_by for gpu in gpus if gpu.held_by is not None]
    wasted = sum((snapshot.taken_at - since) / max(1, len(gpu.jobs or ())) for gpu, since in idle)
    return JobUsage(
        gpus=gpus,
        mean_utilization=sum(busy) / len(busy) if busy else None,
        worst_utilization=min(busy, default=None),
        memory_used_bytes=sum(used for used, _ in sized) if sized else None,
        memory_total_bytes=sum(total for _, total in sized) if sized else None,
        power_watts=sum(power.values()) if power else None,
        idle_gpus=len(idle),
        idle_since=max(since for _, since in idle) if idle and len(idle) == len(job.held) else None,
        wasted_gpu_seconds=wasted if idle else None,
        attribution=max(known_by, key=_LEAST_SURE.__getitem__, default=None),
    )

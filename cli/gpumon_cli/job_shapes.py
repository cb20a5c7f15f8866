"""The shapes of `gpumon jobs --json` and `gpumon job --json`: jobs, and the queue in which they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gpumon.model import AccountUsage, ClusterSnapshot, Gpu, Job, Partition, Queue, Reservation, UserUsage
from gpumon.reasons import in_words
from gpumon.usage import JobUsage, job_usage
from gpumon.waiting import place
from gpumon_cli.shapes import Answer, GpuShape, gpu_shape, opening


class QueueShape(msgspec.Struct, frozen=True):
    """The queue in numbers."""

    by_state: dict[str, float]
    pending_reasons: dict[str, float]
    nodes_by_state: dict[str, float]
    cpus_total: float | None
    cpus_allocated: float | None
    gpus_total: float | None
    gpus_allocated: float | None
    oldest_pending_at: float | None
    finished: dict[str, float]
    finished_window_seconds: float | None


class UsageShape(msgspec.Struct, frozen=True, gc=False):
    """What the GPUs of one job do, put together."""

    gpus_known: int
    mean_utilization_share: float | None
    worst_utilization_share: float | None
    memory_used_bytes: float | None
    memory_total_bytes: float | None
    power_watts: float | None
    idle_since: float | None
    wasted_gpu_seconds: float | None
    held_by: str | None


class PlaceShape(msgspec.Struct, frozen=True, gc=False):
    """Where a job stands among those that wait for the same partitions."""

    rank: int
    of: int
    gpus_ahead: float | None


class HeldShape(msgspec.Struct, frozen=True, gc=False):
    """One GPU that a job holds, as people find it."""

    node: str
    gpu: str
    index: int | None
    key: str


class JobShape(Job, frozen=True, gc=False):
    """A job with all that the model knows, and what follows from it."""

    display_id: str = ""
    reason_words: str = ""
    place: PlaceShape | None = None
    usage: UsageShape | None = None
    held_gpus: tuple[HeldShape, ...] = ()


class JobsAnswer(Answer, frozen=True):
    """`gpumon jobs --json`."""

    jobs: tuple[JobShape, ...] | None
    queue: QueueShape | None
    partitions: tuple[Partition, ...]
    users: tuple[UserUsage, ...]
    accounts: tuple[AccountUsage, ...]
    reservations: tuple[Reservation, ...] | None


class JobAnswer(Answer, frozen=True):
    """`gpumon job --json`."""

    asked: str
    jobs: tuple[JobShape, ...]
    gpus: tuple[GpuShape, ...]


def jobs_answer(rows: Sequence[Job] | None, snapshot: ClusterSnapshot) -> JobsAnswer:
    """These jobs of a snapshot, with the queue they stand in."""
    return JobsAnswer(
        *opening("jobs", snapshot),
        None if rows is None else tuple([job_shape(job, snapshot) for job in rows]),
        queue_shape(snapshot.queue),
        snapshot.partitions,
        snapshot.users,
        snapshot.accounts,
        snapshot.reservations,
    )


def job_answer(asked: str, rows: Sequence[Job], gpus: Sequence[Gpu], snapshot: ClusterSnapshot) -> JobAnswer:
    """These jobs of a snapshot, with the GPUs that they hold."""
    jobs = tuple([job_shape(job, snapshot) for job in rows])
    return JobAnswer(*opening("job", snapshot), asked, jobs, tuple([gpu_shape(gpu, snapshot) for gpu in gpus]))


def job_shape(job: Job, snapshot: ClusterSnapshot) -> JobShape:
    """A job as it goes out."""
    where = place(job, snapshot)
    usage = job_usage(job, snapshot)
    values: list[Any] = [
        *msgspec.structs.astuple(job),
        job.shown_id,
        in_words(job.reason),
        None if where is None else PlaceShape(where.rank, where.of, where.gpus_ahead),
        _usage(usage) if job.held else None,
        tuple([HeldShape(gpu.node, gpu.device.number, gpu.device.index, gpu.key) for gpu in usage.gpus]),
    ]
    return JobShape(*values)


def queue_shape(queue: Queue | None) -> QueueShape | None:
    """The queue as it goes out; None when nothing tells."""
    if queue is None:
        return None
    return QueueShape(
        dict(queue.by_state),
        dict(queue.pending_reasons),
        dict(queue.nodes_by_state),
        queue.cpus_total,
        queue.cpus_allocated,
        queue.gpus_total,
        queue.gpus_allocated,
        queue.oldest_pending_at,
        dict(queue.finished),
        queue.finished_window_seconds,
    )


def _usage(usage: JobUsage) -> UsageShape:
    return UsageShape(
        len(usage.gpus),
        usage.mean_utilization,
        usage.worst_utilization,
        usage.memory_used_bytes,
        usage.memory_total_bytes,
        usage.power_watts,
        usage.idle_since,
        usage.wasted_gpu_seconds,
        usage.attribution.value if usage.attribution else None,
    )

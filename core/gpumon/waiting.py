"""The place of a waiting job in its queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gpumon.model import ClusterSnapshot, Job


class Place(msgspec.Struct, frozen=True):
    """Where a job stands among those that wait for the same partitions; tasks of arrays count one by one."""

    rank: int
    """1 for the one that is next by priority; backfill may let a smaller one pass."""
    of: int
    """How many wait there."""
    gpus_ahead: float | None
    """GPUs that those before it ask for; None when not known of all of them."""


class _Queues(msgspec.Struct):
    """The places of one snapshot's jobs, worked out for a set of partitions when one of its jobs is asked for."""

    jobs: tuple[Job, ...] = ()
    waiting: Sequence[Job] = ()
    """Those with a priority, the next one first."""
    by_partitions: dict[str, Mapping[str, Place]] = msgspec.field(default_factory=dict[str, "Mapping[str, Place]"])


_last = _Queues()
"""Of the newest snapshot; every row of a table asks for its own place."""


def place(job: Job, snapshot: ClusterSnapshot) -> Place | None:
    """The place of `job`; None when it does not wait, or its priority is not told."""
    if job.state != "pending" or job.priority is None or snapshot.jobs is None:
        return None
    queues = _queues_of(snapshot.jobs)
    if job.partition not in queues.by_partitions:
        queues.by_partitions[job.partition] = _places(queues.waiting, job.partition)
    return queues.by_partitions[job.partition].get(job.id)


def _queues_of(jobs: tuple[Job, ...]) -> _Queues:
    global _last
    if _last.jobs is not jobs:
        waiting = [job for job in jobs if job.state == "pending" and job.priority is not None]
        waiting.sort(key=lambda job: (-(job.priority or 0.0), job.submitted_at or 0.0, len(job.id), job.id))
        _last = _Queues(jobs, waiting)
    return _last


def _places(waiting: Sequence[Job], partitions: str) -> dict[str, Place]:
    wanted = frozenset(partitions.split(","))
    rivals = [job for job in waiting if job.partition == partitions or not wanted.isdisjoint(job.partition.split(","))]
    total = sum(_tasks(job) for job in rivals)
    found: dict[str, Place] = {}
    ahead, gpus = 0, 0.0
    is_known = True
    for job in rivals:
        found[job.id] = Place(ahead + 1, total, gpus if is_known else None)
        ahead += _tasks(job)
        is_known = is_known and job.gpus is not None
        gpus += (job.gpus or 0.0) * _tasks(job)
    return found


def _tasks(job: Job) -> int:
    return int(job.tasks or 1)

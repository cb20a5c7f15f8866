"""Jobs put together, so that an array of a thousand, or all of a user's jobs, is one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import msgspec

from gpumon.model import Job

Total: TypeAlias = "Callable[[Iterable[float]], float]"
"""What many numbers are together: `sum` or `max`."""


def folded(jobs: Iterable[Job]) -> tuple[Sequence[Job], ...]:
    """Jobs that are shown as one: the tasks of an array that are in the same state, or a single job.

    Each is in one of them, in the order in which they came.
    """
    groups: dict[tuple[str, str] | str, list[Job]] = {}
    for job in jobs:
        key = (job.array_job_id, job.state) if job.array_task_id else job.id
        groups.setdefault(key, []).append(job)
    return tuple(groups.values())


def as_one(jobs: Sequence[Job], first: Job, total: Total) -> Job:
    """`first` as it stands for all of `jobs`: with the total of their numbers, with every word that one of them has.

    Its times stay its own. A total of which a part is not known is not known.
    """
    return msgspec.structs.replace(
        first,
        user=_words(job.user for job in jobs),
        account=_words(job.account for job in jobs),
        partition=_words(job.partition for job in jobs),
        qos=_words(job.qos for job in jobs),
        name=_words(job.name for job in jobs),
        state=_words(job.state for job in jobs),
        nodes=_words(job.nodes for job in jobs),
        reason=Counter(job.reason for job in jobs).most_common(1)[0][0],
        cpus=_together(total, [job.cpus for job in jobs]),
        gpus=_together(total, [job.gpus for job in jobs]),
        memory_bytes=_together(total, [job.memory_bytes for job in jobs]),
        node_count=_together(total, [job.node_count for job in jobs]),
        tasks=sum(job.tasks or 1.0 for job in jobs),
        held=tuple(dict.fromkeys(key for job in jobs for key in job.held)),
        allocated=tuple(dict.fromkeys(gpu for job in jobs for gpu in job.allocated)),
    )


def of_all_tasks(job: Job) -> Job:
    """The record of tasks that wait together, with what all of them ask for; any other job as it is."""
    if job.tasks is None:
        return job
    return msgspec.structs.replace(
        job,
        cpus=None if job.cpus is None else job.cpus * job.tasks,
        memory_bytes=None if job.memory_bytes is None else job.memory_bytes * job.tasks,
        gpus=None if job.gpus is None else job.gpus * job.tasks,
        node_count=None if job.node_count is None else job.node_count * job.tasks,
    )


def _words(texts: Iterable[str]) -> str:
    return ",".join(dict.fromkeys(filter(None, texts)))


def _together(total: Total, numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return total(known) if len(known) == len(numbers) else None

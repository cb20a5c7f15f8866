"""The tasks of job arrays put together, so that an array of a thousand is one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gpumon.model import Job


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Jobs that are shown as one: the tasks of an array that are in the same state, or a single job."""

    jobs: tuple[Job, ...]
    """At least one, in the order in which they came."""


def folded(jobs: Iterable[Job]) -> tuple[JobGroup, ...]:
    """Every job in a group, groups in the order of their first jobs."""
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        key = (job.array_job_id, job.state) if job.array_task_id else (job.id, "")
        groups.setdefault(key, []).append(job)
    return tuple(JobGroup(tuple(group)) for group in groups.values())

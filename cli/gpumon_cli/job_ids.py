"""Which jobs of the queue are meant by an id as people write it: 4711, 4711_3, 4711_[3-9], 4711+1."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gpumon.errors import UsageError
from gpumon.model import Job
from gpumon.text import natural_key, shown

_ID = re.compile(r"(?P<job>[0-9]{1,12})(?:_(?P<task>[0-9]{1,9}|\[?[0-9][0-9,:%-]*\]?)|\+(?P<part>[0-9]{1,4}))?")
_RANGE = re.compile(r"(?P<first>[0-9]+)(?:-(?P<last>[0-9]+)(?::(?P<step>[0-9]+))?)?")


def found(typed: str, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """The job that is meant, all records of an array, or all parts of a heterogeneous job; () when there is none.

    Raises:
        UsageError: it is not the id of a job.
    """
    match = _ID.fullmatch(typed)
    if match is None:
        raise UsageError(
            f"{shown(typed, 80)!r} is not the id of a job: 4711, 4711_3 for a task of an array, 4711+1 for a part of a "
            "heterogeneous job."
        )
    number, task, part = match["job"], match["task"], match["part"]
    if task is not None:
        return _task(number, task.strip("[]"), jobs)
    if part is not None:
        parts = _parts(number, jobs)
        return parts[int(part) : int(part) + 1]
    array = tuple(job for job in jobs if job.array_job_id == number and job.array_task_id)
    return array or _parts(number, jobs) or tuple(job for job in jobs if job.id == number)


def _parts(number: str, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """The parts of a heterogeneous job, which have numbers one behind the other."""
    return tuple(sorted((job for job in jobs if job.het_job_id == number), key=lambda job: natural_key(job.id)))


def _task(number: str, task: str, jobs: Sequence[Job]) -> tuple[Job, ...]:
    """The record of one task: its own, or that in which it waits with others."""
    array = [job for job in jobs if job.array_job_id == number]
    exact = tuple(job for job in array if job.array_task_id == task)
    if exact or not task.isdecimal():
        return exact
    return tuple(job for job in array if _holds(job.array_task_id, int(task)))


def _holds(tasks: str, task: int) -> bool:
    """True when Slurm's "1,3-199:2%4" has that task in it."""
    for text in tasks.partition("%")[0].split(","):
        run = _RANGE.fullmatch(text)
        if run is not None:
            first, last, step = int(run["first"]), int(run["last"] or run["first"]), int(run["step"] or 1)
            if first <= task <= last and (task - first) % max(1, step) == 0:
                return True
    return False

"""The tasks of an array as one row of a table for people."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gpumon.folding import as_one, folded
from gpumon.model import Job
from gpumon_cli.ranges import ranges

_MOST_LETTERS = 14
"""Of the numbers of tasks; more of them are counted instead."""


def rows_of(jobs: Sequence[Job]) -> Sequence[Job]:
    """The jobs with the tasks of each array that are in the same state put together."""
    return [_row(group) for group in folded(jobs)]


def _row(jobs: Sequence[Job]) -> Job:
    """Numbers are sums and times those of the oldest, since together the tasks hold so much for so long.

    Tasks that wait are another matter: each asks for so much, and the next of them to start stands for all.
    """
    if len(jobs) == 1:
        return jobs[0]
    waits = jobs[0].state == "pending"
    first = max(jobs, key=_urgency) if waits else min(jobs, key=_age)
    together = as_one(jobs, first, max if waits else sum)
    return msgspec.structs.replace(together, array_task_id=_tasks(jobs))


def _urgency(job: Job) -> float:
    return job.priority or 0.0


def _age(job: Job) -> float:
    return job.started_at or float("inf")


def _tasks(jobs: Sequence[Job]) -> str:
    """Their numbers as Slurm writes them, "1-3,7"; "[40 tasks]" where that is long."""
    texts = [job.array_task_id for job in jobs]
    single = sorted((text for text in texts if text.isdecimal()), key=int)
    text = ranges([*single, *(text for text in texts if not text.isdecimal())])
    return text if len(text) <= _MOST_LETTERS else f"[{sum(job.tasks or 1 for job in jobs):.0f} tasks]"

"""The queue counted: jobs by state, reason, user, account and partition, array tasks one by one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from gpumon.model import Job
from gpumon_demo.queueing import UNAVAILABLE

Key = TypeVar("Key")


class Alike(NamedTuple):
    """What jobs have in common that are counted together."""

    state: str
    reason: str
    user: str
    account: str
    partition: str
    """As the job names it: "a100", or "a100,h100"."""

    @property
    def partitions(self) -> list[str]:
        """Each of those in which it may start."""
        return self.partition.split(",")


@dataclass
class Count:
    """Jobs alike."""

    jobs: int = 0
    cpus: float = 0.0
    gpus: float = 0.0
    oldest: float = math.inf
    """When the first of them was submitted."""

    def add(self, tasks: int, cpus: float, gpus: float, submitted_at: float) -> None:
        """One more job, or so many tasks of an array."""
        self.jobs += tasks
        self.cpus += tasks * cpus
        self.gpus += tasks * gpus
        if submitted_at < self.oldest:
            self.oldest = submitted_at


class Tally:
    """Every job of the queue, counted once."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        counts: dict[tuple[str, str, str, str, str], Count] = {}
        for job in jobs:
            key = (job.state, job.reason, job.user, job.account, job.partition)
            count = counts.get(key)
            if count is None:
                count = counts[key] = Count()
            count.add(int(job.tasks or 1), job.cpus or 0.0, job.gpus or 0.0, job.submitted_at or 0.0)
        self._counts = [
            (Alike(state, reason_word(reason), *rest), count) for (state, reason, *rest), count in counts.items()
        ]

    def by(self, keys: Callable[[Alike], Iterable[Key]]) -> dict[Key, Count]:
        """The counts summed up by `keys`, of which one job may have several, or none."""
        found: dict[Key, Count] = {}
        for alike, count in self._counts:
            for key in keys(alike):
                total = found.get(key)
                if total is None:
                    total = found[key] = Count()
                total.jobs += count.jobs
                total.cpus += count.cpus
                total.gpus += count.gpus
                total.oldest = min(total.oldest, count.oldest)
        return found

    def pending(self) -> dict[tuple[str, str], Count]:
        """What waits, by partition as the jobs name it, and reason."""
        return self.by(lambda alike: [(alike.partition, alike.reason)] if alike.state == "pending" else [])

    def pending_by_partition(self) -> dict[str, Count]:
        """What waits, by each partition that it may start in."""
        return self.by(lambda alike: alike.partitions if alike.state == "pending" else [])


def reason_word(reason: str) -> str:
    """Slurm's word for a reason, without what it adds behind a comma."""
    return "Resources" if reason == UNAVAILABLE else reason.partition(",")[0]

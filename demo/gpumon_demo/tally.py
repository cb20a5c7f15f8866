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


class Tally:
    """Every job of the queue, counted once."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.counts: dict[Alike, Count] = {}
        counts = self.counts
        for job in jobs:
            reason = job.reason and reason_word(job.reason)
            alike = Alike(job.state, reason, job.user, job.account, job.partition)
            count = counts.get(alike)
            if count is None:
                count = counts[alike] = Count()
            tasks = int(job.tasks or 1)
            count.jobs += tasks
            count.cpus += tasks * (job.cpus or 0.0)
            count.gpus += tasks * (job.gpus or 0.0)
            count.oldest = min(count.oldest, job.submitted_at or 0.0)

    def by(self, keys: Callable[[Alike], Iterable[Key]]) -> dict[Key, Count]:
        """The counts summed up by `keys`, of which one job may have several, or none."""
        found: dict[Key, Count] = {}
        for alike, count in self.counts.items():
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

"""The jobs that ended within a window, remembered for longer than slurmctld does."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable

from gpumon_exporter.slurm.records import FinishedJob

MOST = 50_000
"""Jobs that are remembered; with more of them the window is shorter."""
NEWEST = 200
"""Jobs that are told one by one."""
FILLED_SECONDS = 120.0
"""For how long a gap that the accounting filled is no gap again, where slurmctld forgets between two readings."""


class Finished:
    """Jobs by when they ended, and since when all of them are known."""

    def __init__(self, window: float) -> None:
        """Those of the last `window` seconds."""
        self._window = window
        self._jobs: dict[str, FinishedJob] = {}
        self._since = float("-inf")
        """All that ended later are known."""
        self._last = float("-inf")
        self._filled = float("-inf")
        self.has_gap = True
        """Whether jobs of the window may have ended unseen."""

    def add(self, jobs: Iterable[FinishedJob]) -> None:
        """Takes note of jobs that ended; what is known of one already stays, unless it ended again."""
        for job in jobs:
            known = self._jobs.get(job.job_id)
            if job.ended_at is not None and (known is None or job.ended_at > (known.ended_at or 0.0)):
                self._jobs[job.job_id] = job

    def saw(self, now: float, memory: float) -> None:
        """Notes that all were added that ended in the last `memory` seconds."""
        if now - self._last > memory:
            self.has_gap = True
            if now - self._filled > FILLED_SECONDS:
                self._since = now - memory
        self._last = now

    def filled(self, now: float) -> None:
        """Notes that all were added that ended within the window."""
        self.has_gap = False
        self._filled = now
        self._since = now - self._window

    def window(self, now: float) -> float:
        """Seconds back from now for which every job that ended is known; what ended before is forgotten."""
        since = max(self._since, now - self._window)
        if len(self._jobs) > MOST:
            since = max(since, sorted(job.ended_at or 0.0 for job in self._jobs.values())[-MOST - 1])
        self._jobs = {key: job for key, job in self._jobs.items() if (job.ended_at or 0.0) > since}
        self._since = since
        return now - since

    def newest(self) -> tuple[FinishedJob, ...]:
        """The last ones, the newest first."""
        return tuple(heapq.nlargest(NEWEST, self._jobs.values(), key=lambda job: job.ended_at or 0.0))

    def counts(self) -> tuple[tuple[str, str, int], ...]:
        """Partition, state and how many."""
        numbers = Counter((job.partition, job.state) for job in self._jobs.values())
        return tuple((partition, state, number) for (partition, state), number in sorted(numbers.items()))

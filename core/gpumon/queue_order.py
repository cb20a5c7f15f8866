"""The order in which people read a queue: what holds something first, then what waits, as Slurm will look at it."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon.model import Job

_HOLDING = ("running", "completing", "configuring", "suspended", "stopped", "staging_out", "resizing")
"""States of jobs that hold something, in the order in which they are listed."""


def in_queue_order(jobs: Sequence[Job]) -> Sequence[Job]:
    """Those that hold something, then those that wait, the next to start first, then the rest; else as they were."""
    by_state: dict[str, list[Job]] = {}
    for job in jobs:
        by_state.setdefault(job.state, []).append(job)
    ordered = [job for state in _HOLDING for job in by_state.pop(state, ())]
    waiting = by_state.pop("pending", [])
    waiting.sort(key=lambda job: -1.0 if job.priority is None else job.priority, reverse=True)
    return [*ordered, *waiting, *(job for state in by_state.values() for job in state)]

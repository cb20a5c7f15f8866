"""The jobs that ended lately: how, with which exit code, and when."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from gpumon.model import Job
from gpumon_demo.queueing import unplanned_job
from gpumon_demo.slurm import WINDOW_SECONDS, recently_ended, recently_withdrawn
from gpumon_demo.workload import started_job

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster

_MOST = 200
_EXIT_CODES = {
    "failed": ("1:0", "2:0", "137:0", "1:0", "0:11"), "timeout": ("0:15",), "cancelled": ("0:15",),
    "out_of_memory": ("0:125",), "node_fail": ("1:0",),
}  # fmt: skip
"""Status and signal, by what became of a job; "0:0" for all others."""


class FinishedJob(NamedTuple):
    """A job that ended lately."""

    job: Job
    """As it was at its end, or as it waited when it was taken back."""
    state: str
    exit_code: str
    ended_at: float


def finished_jobs(cluster: Cluster) -> list[FinishedJob]:
    """Those that ended last, the newest first; not more than an exporter tells."""
    found = _all(cluster)
    return sorted(found, key=lambda one: (-one.ended_at, int(one.job.id)))[:_MOST]


def finished_counts(cluster: Cluster) -> Counter[tuple[str, str]]:
    """How many ended within the window, by partition and state."""
    return Counter((one.job.partition, one.state) for one in _all(cluster))


def _all(cluster: Cluster) -> list[FinishedJob]:
    simulation, found = cluster.simulation, list[FinishedJob]()
    for held in recently_ended(cluster, WINDOW_SECONDS):
        planned, codes = held.job, _EXIT_CODES.get(held.job.ending, ("0:0",))
        job = started_job(simulation, held, "completing")
        code = codes[planned.ordinal % len(codes)]
        found.append(FinishedJob(job, planned.ending, code, float(held.round_began + planned.end)))
    for waiting in recently_withdrawn(cluster, WINDOW_SECONDS):
        job = unplanned_job(simulation, waiting)
        found.append(FinishedJob(job, "cancelled", "0:0", float(waiting.withdrawn)))
    return found

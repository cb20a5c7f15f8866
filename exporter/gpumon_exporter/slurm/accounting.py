"""Jobs that ended, from sacct: those of before our time, and those that slurmctld forgot too soon."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gpumon_exporter.slurm.jobs import FINISHED
from gpumon_exporter.slurm.records import FinishedJob
from gpumon_exporter.slurm.spelling import when
from gpumon_exporter.slurm.tables import Table

FIELDS = ("JobIDRaw", "User", "Account", "Partition", "State", "ExitCode", "End")


def command(token: str, window: float) -> list[str]:
    """The command that tells of the jobs of the last `window` seconds."""
    since = f"now-{math.ceil(window / 60)}minutes"
    return ["sacct", "-a", "-X", "-n", "-S", since, "-p", f"--delimiter={token}", "-o", ",".join(FIELDS)]


def answer(token: str) -> Table[tuple[FinishedJob, ...]]:
    """Takes the answer of such a sacct."""
    jobs: list[FinishedJob] = []

    def take(row: Sequence[str]) -> None:
        job_id, user, account, partition, state, code, end = row
        base = state.lower().split(" ")[0]  # "CANCELLED by 1000"
        if base in FINISHED:
            jobs.append(FinishedJob(job_id, user, account, partition, base, code, when(end)))

    return Table(len(FIELDS), token, take, lambda: tuple(jobs))

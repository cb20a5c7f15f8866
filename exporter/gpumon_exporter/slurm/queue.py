"""All jobs that slurmctld remembers, from one squeue: the ones to tell one by one, and everything as counts."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm.counts import Counts
from gpumon_exporter.slurm.jobs import FIELDS, FINISHED, HOLDING, amount, finished_of, job_of
from gpumon_exporter.slurm.records import FinishedJob, JobCount, SlurmJob
from gpumon_exporter.slurm.tables import Table, columns


@dataclass(frozen=True)
class Queue:
    """What squeue says."""

    jobs: tuple[SlurmJob, ...]
    """Those that hold or held something, and the waiting ones of the highest priority."""
    counts: tuple[JobCount, ...]
    """All of them, array tasks one by one."""
    holders: tuple[SlurmJob, ...]
    """Those among them that hold GPUs, or shards of them, now."""
    finished: tuple[FinishedJob, ...]
    """Those that ended, and that slurmctld still remembers."""
    records: int
    """All of these; a folded array is one."""
    left_out: tuple[tuple[str, int], ...]
    """Waiting records that are not among the jobs; users and accounts that are not among the counts."""
    has_strangers: bool
    """Whether a job of another user is among them."""


def command(token: str) -> list[str]:
    """The command whose answer `answer` takes.

    Finished jobs are asked for, too: slurmctld walks over all of them whatever is asked, and prints none the less.
    """
    return ["squeue", "-a", "-h", "--local", "--noconvert", "-t", "all", "-O", columns(FIELDS, token)]


def answer(token: str, *, now: float, most_pending: int, with_names: bool, me: str) -> Table[Queue]:
    """Takes the answer of such a squeue.

    Args:
        token: the word of the command.
        now: what time it is; a planned start that has passed is no plan.
        most_pending: waiting jobs to keep, those of the highest priority.
        with_names: whether jobs keep their names.
        me: the user that asks.
    """
    reader = _Reader(now, most_pending, me, with_names=with_names)
    return Table(len(FIELDS), token, reader.take, reader.queue)


class _Reader:
    """Puts the queue together row by row, so that a large one needs little memory."""

    def __init__(self, now: float, most_pending: int, me: str, *, with_names: bool) -> None:
        self._now = now
        self._most_pending = most_pending
        self._me = me
        self._with_names = with_names
        self._busy: list[SlurmJob] = []
        self._holders: list[SlurmJob] = []
        self._pending: list[tuple[float, int, SlurmJob]] = []
        self._finished: list[FinishedJob] = []
        self._counts = Counts()
        self._records = 0
        self._left_out = 0
        self._has_strangers = False

    def take(self, row: Sequence[str]) -> None:
        """Takes one record."""
        told: dict[str, str] = dict(zip(FIELDS, row))
        if not told["JobID"].isdigit():
            raise NoAnswer(f"squeue tells of a job without a number: {told['JobID']!r}")
        job = job_of(told, with_name=self._with_names, now=self._now)
        self._records += 1
        self._has_strangers = self._has_strangers or job.user != self._me
        self._counts.add(job)
        if job.state in FINISHED:
            self._finished.append(finished_of(told, job))
        elif job.state == "pending":
            self._keep(job)
        elif job.state != "revoked":
            self._busy.append(job)
            if job.state in HOLDING and (job.gpus != 0 or amount(told, "shard") != 0):
                self._holders.append(job)

    def queue(self) -> Queue:
        """All of it."""
        pending = sorted(self._pending, key=lambda kept: -kept[1])
        return Queue(
            jobs=(*self._busy, *(job for _, _, job in pending)),
            counts=self._counts.told(),
            holders=tuple(self._holders),
            finished=tuple(self._finished),
            records=self._records,
            left_out=(("pending_jobs", self._left_out), *self._counts.left_out()),
            has_strangers=self._has_strangers,
        )

    def _keep(self, job: SlurmJob) -> None:
        """Keeps a waiting job as long as there are not too many of a higher priority, or older at the same one."""
        place = (job.priority or 0.0, -int(job.job_id), job)
        if len(self._pending) < self._most_pending:
            heapq.heappush(self._pending, place)
            return
        self._left_out += 1
        if self._pending:
            heapq.heappushpop(self._pending, place)

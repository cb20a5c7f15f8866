"""All jobs that slurmctld remembers, from one squeue: the ones to tell one by one, and everything as counts."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm import gres
from gpumon_exporter.slurm.records import FinishedJob, JobCount, SlurmJob
from gpumon_exporter.slurm.spelling import count, duration, pairs, size, when, word
from gpumon_exporter.slurm.tables import Table, columns

FIELDS = (
    "JobID", "ArrayJobID", "ArrayTaskID", "HetJobID", "UserName", "Account", "Partition", "QOS", "State", "Reason",
    "NodeList", "SubmitTime", "EligibleTime", "StartTime", "EndTime", "TimeLimit", "NumCPUs", "NumNodes", "NumTasks",
    "tres-alloc", "tres-per-job", "tres-per-node", "tres-per-task", "tres-per-socket", "PriorityLong", "exit_code",
    "Name",
)  # fmt: skip
FINISHED = (
    "completed", "cancelled", "failed", "timeout", "node_fail", "preempted", "boot_fail", "deadline", "out_of_memory",
)  # fmt: skip
HOLDING = ("running", "suspended", "configuring")
"""A completing job has given its GPUs back."""

_BASE = {
    "stopped": "running", "resizing": "running", "signaling": "running", "stage_out": "completing",
    "requeued": "pending", "requeue_fed": "pending", "requeue_hold": "pending", "special_exit": "pending",
    "resv_del_hold": "pending", "expediting": "pending",
}  # fmt: skip
"""Flags that squeue prints in place of the base state."""
_UNAVAILABLE = "Nodes required for job are DOWN"
"""The beginning of a sentence that stands in place of the word Resources."""
_LONGEST = 200
"""Letters of a reason, or of an array's task numbers, that are told."""
_TASKS = re.compile(r"([0-9]+)(?:-([0-9]+)(?::([0-9]+))?)?")


@dataclass(frozen=True)
class Queue:
    """What squeue says."""

    jobs: tuple[SlurmJob, ...]
    """Those that hold or held something, and the waiting ones of the highest priority."""
    counts: tuple[JobCount, ...]
    holders: tuple[SlurmJob, ...]
    """Those among them that hold GPUs, or shards of them, now."""
    finished: tuple[FinishedJob, ...]
    records: int
    left_out: int
    """Waiting records that are not among the jobs."""
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
        self._counts: dict[tuple[str, str, str, str, str], _Sum] = {}
        self._records = 0
        self._left_out = 0
        self._has_strangers = False

    def take(self, row: Sequence[str]) -> None:
        """Takes one record."""
        told: dict[str, str] = dict(zip(FIELDS, row))
        state = told["State"].lower()
        state = _BASE.get(state, state)
        if not told["JobID"].isdigit():
            raise NoAnswer(f"squeue tells of a job without a number: {told['JobID']!r}")
        job = _job(told, state, told["Name"] if self._with_names else "", self._now)
        self._records += 1
        self._has_strangers = self._has_strangers or job.user != self._me
        self._count(job)
        if state in FINISHED:
            self._finished.append(_finished(job, told))
        elif state == "pending":
            self._keep(job)
        elif state != "revoked":
            self._busy.append(job)
            if state in HOLDING and (job.gpus != 0 or _amount(told, "shard") != 0):
                self._holders.append(job)

    def queue(self) -> Queue:
        """All of it."""
        pending = sorted(self._pending, key=lambda kept: -kept[1])
        return Queue(
            jobs=(*self._busy, *(job for _, _, job in pending)),
            counts=tuple(total.counted(*place) for place, total in self._counts.items()),
            holders=tuple(self._holders),
            finished=tuple(self._finished),
            records=self._records,
            left_out=self._left_out,
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

    def _count(self, job: SlurmJob) -> None:
        place = (job.state, reason_word(job.reason), job.user, job.account, job.partition)
        total = self._counts.get(place)
        if total is None:
            total = self._counts[place] = _Sum()
        total.add(job)


class _Sum:
    """Jobs alike, counted."""

    def __init__(self) -> None:
        self._jobs = 0
        self._cpus = 0.0
        self._gpus = 0.0
        self._oldest: float | None = None

    def add(self, job: SlurmJob) -> None:
        """One more job, or a folded array."""
        tasks = 1 if job.array_tasks is None else job.array_tasks
        self._jobs += tasks
        self._cpus += tasks * (job.cpus or 0.0)
        self._gpus += tasks * (job.gpus or 0.0)
        if job.submitted_at is not None:
            self._oldest = min(job.submitted_at, self._oldest or job.submitted_at)

    def counted(self, state: str, reason: str, user: str, account: str, partition: str) -> JobCount:
        """The count."""
        return JobCount(state, reason, user, account, partition, self._jobs, self._cpus, self._gpus, self._oldest)


def reason_word(reason: str) -> str:
    """Slurm's word for a reason, without what it adds behind a comma."""
    return "Resources" if reason.startswith(_UNAVAILABLE) else reason.partition(",")[0]


def tasks(text: str) -> int | None:
    """How many tasks "2-19%2" or "3-199:2%1" are; None of a single one."""
    if text.isdigit() or not text:
        return None
    total = 0
    for part in text.partition("%")[0].split(","):
        found = _TASKS.fullmatch(part)
        if found:
            first, last, step = int(found[1]), int(found[2] or found[1]), int(found[3] or 1)
            total += (last - first) // max(step, 1) + 1
    return total


def _job(told: dict[str, str], state: str, name: str, now: float) -> SlurmJob:
    task, is_pending = word(told["ArrayTaskID"]), state == "pending"
    start, limit = when(told["StartTime"]), duration(told["TimeLimit"])
    has_end = state in HOLDING and limit is not None
    return SlurmJob(
        job_id=told["JobID"],
        array_job_id=told["ArrayJobID"] if task else "",
        array_task_id=_short(task),
        het_job_id=word(told["HetJobID"]),
        user=told["UserName"],
        account=word(told["Account"]),
        partition=word(told["Partition"]),
        qos=word(told["QOS"]),
        name=name,
        state=state,
        reason=_short(told["Reason"]) if is_pending else "",
        nodes=word(told["NodeList"]),
        submitted_at=when(told["SubmitTime"]),
        eligible_at=when(told["EligibleTime"]),
        started_at=None if is_pending else start,
        ends_at=when(told["EndTime"]) if has_end else None,
        expected_at=start if is_pending and start and start > now else None,
        time_limit_seconds=limit,
        cpus=count(told["NumCPUs"]),
        memory_bytes=size(pairs(told["tres-alloc"]).get("mem", "")),
        gpus=_amount(told, "gpu"),
        node_count=count(told["NumNodes"]),
        priority=count(told["PriorityLong"]),
        array_tasks=tasks(task),
    )


def _amount(told: dict[str, str], name: str) -> float | None:
    """GPUs or shards that it holds or asks for; where Slurm does not account for them, what it asked for."""
    tres = pairs(told["tres-alloc"])
    if f"gres/{name}" in tres:
        return count(tres[f"gres/{name}"])
    typed = [count(value) or 0.0 for key, value in tres.items() if key.startswith(f"gres/{name}:")]
    return sum(typed) if typed else _asked(told, name)


def _asked(told: dict[str, str], name: str) -> float | None:
    """What it asked for, in whatever way; None when that was by the socket, since nobody says how many those are."""
    ways = (("tres-per-job", "1"), ("tres-per-node", told["NumNodes"]), ("tres-per-task", told["NumTasks"]))
    for field, times in ways:
        number = sum(one.count for one in gres.parse(told[field]) if one.name == name)
        if number:
            return number * (count(times) or 1.0)
    return None if any(one.name == name for one in gres.parse(told["tres-per-socket"])) else 0.0


def _finished(job: SlurmJob, told: dict[str, str]) -> FinishedJob:
    return FinishedJob(
        job.job_id, job.user, job.account, job.partition, job.state, exit_code(told["exit_code"]), when(told["EndTime"])
    )


def exit_code(text: str) -> str:
    """Exit status and signal, "1:0"; up to 22.05 squeue prints both as one number, as wait(2) does."""
    if not text.isdigit():
        return word(text)
    status = int(text)
    return f"{status >> 8 & 0xFF}:{status & 0x7F}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

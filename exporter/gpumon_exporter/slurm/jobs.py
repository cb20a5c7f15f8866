"""One record of squeue as a job: what it is, what it holds or asks for, and Slurm's words for states and reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gpumon_exporter.slurm import gres
from gpumon_exporter.slurm.records import FinishedJob, SlurmJob
from gpumon_exporter.slurm.spelling import count, duration, pairs, size, when, word

FIELDS = (
    "JobID", "ArrayJobID", "ArrayTaskID", "HetJobID", "UserName", "Account", "Partition", "QOS", "State", "Reason",
    "NodeList", "SubmitTime", "EligibleTime", "StartTime", "EndTime", "TimeLimit", "NumCPUs", "NumNodes", "NumTasks",
    "tres-alloc", "tres-per-job", "tres-per-node", "tres-per-task", "tres-per-socket", "PriorityLong", "exit_code",
    "Name",
)  # fmt: skip
"""The columns of a record, by squeue's names."""
FINISHED = (
    "completed", "cancelled", "failed", "timeout", "node_fail", "preempted", "boot_fail", "deadline", "out_of_memory",
)  # fmt: skip
"""States of jobs that ended."""
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


def job_of(told: Mapping[str, str], *, with_name: bool, now: float) -> SlurmJob:
    """The job of a record.

    Args:
        told: the columns.
        with_name: whether it keeps its name.
        now: what time it is; a planned start that has passed is no plan.
    """
    state = told["State"].lower()
    state = _BASE.get(state, state)
    task, is_pending = word(told["ArrayTaskID"]), state == "pending"
    start, limit = when(told["StartTime"]), duration(told["TimeLimit"])
    has_end = state in ("running", "configuring") and limit is not None  # while suspended no time passes
    return SlurmJob(
        job_id=told["JobID"],
        array_job_id=told["ArrayJobID"] if task else "",
        array_task_id=_short(task),
        het_job_id=word(told["HetJobID"]),
        user=told["UserName"],
        account=word(told["Account"]),
        partition=word(told["Partition"]),
        qos=word(told["QOS"]),
        name=told["Name"] if with_name else "",
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
        gpus=amount(told, "gpu"),
        node_count=count(told["NumNodes"]),
        priority=count(told["PriorityLong"]),
        array_tasks=tasks(task),
    )


def finished_of(told: Mapping[str, str], job: SlurmJob) -> FinishedJob:
    """How the job of a record ended."""
    code, ended_at = exit_code(told["exit_code"]), when(told["EndTime"])
    return FinishedJob(job.job_id, job.user, job.account, job.partition, job.state, code, ended_at)


def amount(told: Mapping[str, str], name: str) -> float | None:
    """GPUs or shards that it holds or asks for; where Slurm does not account for them, what it asked for."""
    tres = pairs(told["tres-alloc"])
    if f"gres/{name}" in tres:
        return count(tres[f"gres/{name}"])
    typed = [count(value) or 0.0 for key, value in tres.items() if key.startswith(f"gres/{name}:")]
    return sum(typed) if typed else _asked(told, name)


def _asked(told: Mapping[str, str], name: str) -> float | None:
    """What it asked for, in whatever way; None when that was by the socket, since nobody says how many those are."""
    ways = (("tres-per-job", "1"), ("tres-per-node", told["NumNodes"]), ("tres-per-task", told["NumTasks"]))
    for field, times in ways:
        number = sum(one.count for one in gres.parse(told[field]) if one.name == name)
        if number:
            return number * (count(times) or 1.0)
    return None if any(one.name == name for one in gres.parse(told["tres-per-socket"])) else 0.0


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


def exit_code(text: str) -> str:
    """Exit status and signal, "1:0"; up to 22.05 squeue prints both as one number, as wait(2) does."""
    if not text.isdigit():
        return word(text)
    status = int(text)
    return f"{status >> 8 & 0xFF}:{status & 0x7F}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"

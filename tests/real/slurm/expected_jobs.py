"""The series of jobs that follow from what scontrol says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from real.slurm.told import Series, Told, series
from real.slurm.truth import Held, Job, seconds, size

SLICE = "a100_1g.5gb"
LONGEST = 200


def jobs(live: Sequence[Job]) -> Told:
    """Everything that is told job by job."""
    return {
        "gpumon_job_info": series(*((_labels(job), 1) for job in live)),
        **{name: series(*((_id(job), value(job)) for job in live)) for name, value in _NUMBERS.items()},
        "gpumon_job_gpu": _held(live),
    }


def _id(job: Job) -> Mapping[str, str]:
    return {"job_id": job["JobId"]}


def _labels(job: Job) -> Mapping[str, str]:
    return {
        **_id(job),
        "array_job_id": job["ArrayJobId"],
        "array_task_id": _cut(job["ArrayTaskId"]),
        "het_job_id": job["HetJobId"],
        "user": job.user,
        "account": job["Account"],
        "partition": job["Partition"],
        "qos": job["QOS"],
        "name": job.name,
        "state": job["JobState"].lower(),
        "reason": reason(job),
        "nodes": job["NodeList"],
    }


def _cut(text: str) -> str:
    """Task numbers are told up to 200 letters."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def reason(job: Job) -> str:
    """Why it waits; scontrol has no blanks in it."""
    return job["Reason"].replace("_", " ") if job["JobState"] == "PENDING" else ""


def _held(live: Sequence[Job]) -> Series:
    owned = [(job, held, index) for job in live for held in job.held for index in held.indices]
    return series(*((_gpu_labels(job, held, index), 1) for job, held, index in owned))


def _gpu_labels(job: Job, held: Held, index: int) -> Mapping[str, str]:
    share = "shard" if held.gres == "shard" else "mig" if held.type == SLICE else "whole"
    owner = {"user": job.user, "account": job["Account"], "partition": job["Partition"]}
    return {**_id(job), **owner, "node": held.node, "gpu": str(index), "type": held.type, "share": share}


def _time(job: Job, key: str) -> float | None:
    return float(job[key]) if job[key] else None


def _if_waits(job: Job, value: float | None) -> float | None:
    return value if job["JobState"] == "PENDING" else None


def _if_started(job: Job, value: float | None) -> float | None:
    return None if job["JobState"] == "PENDING" else value


def _end(job: Job) -> float | None:
    """When its limit is reached; while it is suspended no time passes, and what Slurm says is of before."""
    is_running = job["JobState"] in ("RUNNING", "CONFIGURING")
    return _time(job, "EndTime") if is_running and job["TimeLimit"] else None


_NUMBERS: Mapping[str, Callable[[Job], float | None]] = {
    "gpumon_job_submit_time_seconds": lambda job: _time(job, "SubmitTime"),
    "gpumon_job_eligible_time_seconds": lambda job: _time(job, "EligibleTime"),
    "gpumon_job_start_time_seconds": lambda job: _if_started(job, _time(job, "StartTime")),
    "gpumon_job_end_time_seconds": _end,
    "gpumon_job_estimated_start_time_seconds": lambda job: _if_waits(job, _time(job, "StartTime")),
    "gpumon_job_time_limit_seconds": lambda job: seconds(job["TimeLimit"]),
    "gpumon_job_cpus": lambda job: float(job["NumCPUs"].partition("-")[0]),
    "gpumon_job_memory_bytes": lambda job: size(job.tres["mem"]),
    "gpumon_job_gpus": lambda job: job.gpus,
    "gpumon_job_node_count": lambda job: float(job["NumNodes"].partition("-")[0]),
    "gpumon_job_priority": lambda job: float(job["Priority"]),
    "gpumon_job_array_tasks": lambda job: job.tasks if job["ArrayTaskId"] and job["JobState"] == "PENDING" else None,
}

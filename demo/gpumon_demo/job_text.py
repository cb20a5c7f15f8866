"""Each job as gpumon's own exporter tells it, and which GPUs it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from gpumon.model import Job
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page, labels, number

_NUMBERS: tuple[tuple[str, str, Callable[[Job], float | None]], ...] = (
    ("submit_time_seconds", "When it was submitted, seconds since 1970.", lambda job: job.submitted_at),
    ("eligible_time_seconds", "From when on it may start, seconds since 1970.", lambda job: job.eligible_at),
    ("start_time_seconds", "When it started, seconds since 1970.", lambda job: job.started_at),
    ("end_time_seconds", "When it reaches its time limit, seconds since 1970.", lambda job: job.ends_at),
    ("estimated_start_time_seconds", "When Slurm plans to start a waiting job, seconds since 1970.",
     lambda job: job.expected_at),
    ("time_limit_seconds", "Its time limit in seconds; no series when unlimited.", lambda job: job.time_limit_seconds),
    ("cpus", "CPUs it holds or asks for.", lambda job: job.cpus),
    ("memory_bytes", "Memory it holds or asks for, in bytes.", lambda job: job.memory_bytes),
    ("gpus", "GPUs it holds or asks for, a MIG slice counting as one.", lambda job: job.gpus),
    ("node_count", "Nodes it holds or asks for.", lambda job: job.node_count),
    ("priority", "Its place in the queue: higher comes first.", lambda job: job.priority),
    ("array_tasks", "Waiting tasks of an array that are told as one job.", lambda job: job.tasks),
)  # fmt: skip


def put_jobs(page: Page, cluster: Cluster) -> None:
    """Everything that is told job by job."""
    text = "A job that runs, waits, is suspended or completes; a waiting array is one series."
    page.family("gpumon_job_info", "gauge", text, ((_info(job), 1) for job in cluster.jobs))
    ids = [(labels({"job_id": job.id}), job) for job in cluster.jobs]
    for suffix, text, told in _NUMBERS:
        name = f"gpumon_job_{suffix}"
        values = [(pairs, told(job)) for pairs, job in ids]
        page.lines(
            name, "gauge", text, [f"{name}{pairs} {number(value)}" for pairs, value in values if value is not None]
        )
    text = "A GPU that a job holds, by Slurm's own number of it on its node; share is whole, mig or shard."
    page.family("gpumon_job_gpu", "gauge", text, _held(cluster))


def _info(job: Job) -> Mapping[str, str]:
    return {
        "job_id": job.id,
        "array_job_id": job.array_job_id,
        "array_task_id": job.array_task_id,
        "het_job_id": job.het_job_id,
        "user": job.user,
        "account": job.account,
        "partition": job.partition,
        "qos": job.qos,
        "name": job.name,
        "state": job.state,
        "reason": job.reason,
        "nodes": job.nodes,
    }


def _held(cluster: Cluster) -> Iterable[tuple[Mapping[str, str], float]]:
    for job in cluster.jobs:
        for gpu in job.allocated:
            yield (
                {
                    "job_id": job.id,
                    "user": job.user,
                    "account": job.account,
                    "partition": job.partition,
                    "node": gpu.node,
                    "gpu": str(gpu.index),
                    "type": gpu.type,
                    "share": gpu.share,
                },
                1.0,
            )

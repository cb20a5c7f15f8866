"""Each job that runs or waits, and which GPUs it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpumon_exporter.metrics.exposition import Family, Labels, Samples
from gpumon_exporter.slurm.records import Reading, SlurmJob

INFO = Family(
    "gpumon_job_info",
    "A job that runs, waits, is suspended or completes; a waiting array is one series.",
    (
        "job_id", "array_job_id", "array_task_id", "het_job_id", "user", "account", "partition", "qos", "name",
        "state", "reason", "nodes",
    ),
)  # fmt: skip
HELD_GPU = Family(
    "gpumon_job_gpu",
    "A GPU that a job holds, by Slurm's own number of it on its node; share is whole, mig or shard.",
    ("job_id", "user", "account", "partition", "node", "gpu", "type", "share"),
)
NUMBERS: tuple[tuple[str, str, Callable[[SlurmJob], float | None]], ...] = (
    ("submit_time_seconds", "When it was submitted, seconds since 1970.", lambda job: job.submitted_at),
    ("eligible_time_seconds", "From when on it may start, seconds since 1970.", lambda job: job.eligible_at),
    ("start_time_seconds", "When it started, seconds since 1970.", lambda job: job.started_at),
    ("end_time_seconds", "When it reaches its time limit, seconds since 1970.", lambda job: job.ends_at),
    (
        "estimated_start_time_seconds",
        "When Slurm plans to start a waiting job, seconds since 1970.",
        lambda job: job.expected_at,
    ),
    ("time_limit_seconds", "Its time limit in seconds; no series when unlimited.", lambda job: job.time_limit_seconds),
    ("cpus", "CPUs it holds or asks for.", lambda job: job.cpus),
    ("memory_bytes", "Memory it holds or asks for, in bytes.", lambda job: job.memory_bytes),
    ("gpus", "GPUs it holds or asks for, a MIG slice counting as one.", lambda job: job.gpus),
    ("node_count", "Nodes it holds or asks for.", lambda job: job.node_count),
    ("priority", "Its place in the queue: higher comes first.", lambda job: job.priority),
    ("array_tasks", "Waiting tasks of an array that are told as one job.", lambda job: job.array_tasks),
)


def job_families(reading: Reading) -> Iterator[tuple[Family, Samples]]:
    """Everything that is told job by job."""
    yield INFO, ((_labels(job), 1) for job in reading.jobs)
    for suffix, documentation, value in NUMBERS:
        family = Family(f"gpumon_job_{suffix}", documentation, ("job_id",))
        yield family, (((job.job_id,), value(job)) for job in reading.jobs)
    yield HELD_GPU, _held(reading)


def _labels(job: SlurmJob) -> Labels:
    return (
        job.job_id, job.array_job_id, job.array_task_id, job.het_job_id, job.user, job.account, job.partition,
        job.qos, job.name, job.state, job.reason, job.nodes,
    )  # fmt: skip


def _held(reading: Reading) -> Samples:
    """The GPUs with the owners of their jobs."""
    owners = {job.job_id: (job.user, job.account, job.partition) for job in reading.jobs}
    for hold in reading.holds:
        owner = owners.get(hold.job_id, ("", "", ""))
        yield (hold.job_id, *owner, hold.node, str(hold.index), hold.type, hold.share), 1

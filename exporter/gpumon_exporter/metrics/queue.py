"""The queue as totals: who uses how many GPUs, what waits and why, what ended lately."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gpumon_exporter.metrics.exposition import Family, Labels, Samples
from gpumon_exporter.slurm.records import JobCount, Reading

BY_USER = Family("gpumon_user_gpus_running", "GPUs that running jobs of a user hold.", ("user",))
BY_ACCOUNT = Family("gpumon_account_gpus_running", "GPUs that running jobs of an account hold.", ("account",))
PENDING = Family(
    "gpumon_pending_jobs",
    "Waiting jobs, array tasks one by one; partition is all that they may start in, so that no sum counts one twice.",
    ("partition", "reason"),
)
PENDING_GPUS = Family("gpumon_pending_gpus", "GPUs that waiting jobs ask for.", ("partition", "reason"))
OLDEST = Family(
    "gpumon_oldest_pending_time_seconds",
    "When the job was submitted that waits longest, seconds since 1970.",
    ("partition",),
)
FINISHED = Family("gpumon_finished_jobs", "Jobs that ended within the window, by how.", ("partition", "state"))
WINDOW = Family("gpumon_finished_jobs_window_seconds", "The window of gpumon_finished_jobs, in seconds.")
FINISHED_JOB = Family(
    "gpumon_finished_job_info",
    "One of the jobs that ended last; exit_code is exit status and signal.",
    ("job_id", "user", "account", "partition", "state", "exit_code"),
)
FINISHED_AT = Family("gpumon_finished_job_end_time_seconds", "When it ended, seconds since 1970.", ("job_id",))


def queue_families(reading: Reading) -> Iterator[tuple[Family, Samples]]:
    """Totals of what runs and waits."""
    running = [count for count in reading.queue if count.state == "running"]
    waiting = [count for count in reading.queue if count.state == "pending"]
    yield BY_USER, summed(running, lambda count: (count.user,), lambda count: count.gpus)
    yield BY_ACCOUNT, summed(running, lambda count: (count.account,), lambda count: count.gpus)
    yield PENDING, summed(waiting, _place, lambda count: count.jobs)
    yield PENDING_GPUS, summed(waiting, _place, lambda count: count.gpus)
    yield OLDEST, _oldest(waiting)


def finished_families(reading: Reading) -> Iterator[tuple[Family, Samples]]:
    """What ended lately."""
    yield FINISHED, (((partition, state), count) for partition, state, count in reading.finished_counts)
    yield WINDOW, [((), reading.finished_window_seconds)]
    yield (
        FINISHED_JOB,
        (((job.job_id, job.user, job.account, job.partition, job.state, job.exit_code), 1) for job in reading.finished),
    )
    yield FINISHED_AT, (((job.job_id,), job.ended_at) for job in reading.finished)


def summed(
    counts: Iterable[JobCount], labels: Callable[[JobCount], Labels], value: Callable[[JobCount], float]
) -> Samples:
    """Totals by label; those of nothing are left out."""
    totals: dict[Labels, float] = {}
    for count in counts:
        place = labels(count)
        totals[place] = totals.get(place, 0.0) + value(count)
    return sorted((place, total) for place, total in totals.items() if total)


def _place(count: JobCount) -> Labels:
    return count.partition, count.reason


def _oldest(waiting: Iterable[JobCount]) -> Samples:
    """The earliest submission for each partition that a job may start in."""
    oldest: dict[str, float] = {}
    for count in waiting:
        if count.oldest is not None:
            for partition in count.partition.split(","):
                oldest[partition] = min(oldest.get(partition, count.oldest), count.oldest)
    return [((partition,), since) for partition, since in sorted(oldest.items())]

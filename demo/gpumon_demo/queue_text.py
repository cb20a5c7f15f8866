"""The queue in totals as gpumon's own exporter tells it: who uses how many GPUs, what waits and why, what ended."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon.model import AccountUsage, UserUsage
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page
from gpumon_demo.finished import finished_counts, finished_jobs
from gpumon_demo.slurm import WINDOW_SECONDS


def put_queue(page: Page, cluster: Cluster) -> None:
    """What runs and waits; totals of nothing are left out."""
    _gpus(page, "user", cluster.users)
    _gpus(page, "account", cluster.accounts)
    pending = sorted(cluster.tally.pending().items())
    waits = [({"partition": name, "reason": reason}, demand) for (name, reason), demand in pending]
    text = "Waiting jobs, array tasks one by one; partition is all that they may start in, so no sum counts one twice."
    page.family("gpumon_pending_jobs", "gauge", text, ((pairs, demand.jobs) for pairs, demand in waits))
    text = "GPUs that waiting jobs ask for."
    asked = [(pairs, demand.gpus) for pairs, demand in waits if demand.gpus]
    page.family("gpumon_pending_gpus", "gauge", text, asked)
    text = "When the job was submitted that waits longest, seconds since 1970."
    waiting = sorted(cluster.tally.pending_by_partition().items())
    oldest = [({"partition": name}, demand.oldest) for name, demand in waiting]
    page.family("gpumon_oldest_pending_time_seconds", "gauge", text, oldest)


def _gpus(page: Page, whose: str, people: Sequence[UserUsage | AccountUsage]) -> None:
    rows = [({whose: one.name}, one.gpus_running) for one in people if one.gpus_running]
    article = "an" if whose == "account" else "a"
    page.family(f"gpumon_{whose}_gpus_running", "gauge", f"GPUs that running jobs of {article} {whose} hold.", rows)


def put_finished(page: Page, cluster: Cluster) -> None:
    """What ended lately."""
    counts = sorted(finished_counts(cluster).items())
    rows = [({"partition": name, "state": state}, number) for (name, state), number in counts]
    page.family("gpumon_finished_jobs", "gauge", "Jobs that ended within the window, by how.", rows)
    text = "The window of gpumon_finished_jobs, in seconds."
    page.family("gpumon_finished_jobs_window_seconds", "gauge", text, [({}, WINDOW_SECONDS)])
    ended = finished_jobs(cluster)
    infos = (
        (
            {
                "job_id": one.job.id,
                "user": one.job.user,
                "account": one.job.account,
                "partition": one.job.partition,
                "state": one.state,
                "exit_code": one.exit_code,
            },
            1,
        )
        for one in ended
    )
    text = "One of the jobs that ended last; exit_code is exit status and signal."
    page.family("gpumon_finished_job_info", "gauge", text, infos)
    text = "When it ended, seconds since 1970."
    times = [({"job_id": one.job.id}, one.ended_at) for one in ended]
    page.family("gpumon_finished_job_end_time_seconds", "gauge", text, times)

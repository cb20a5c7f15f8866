"""What the screen of one job says about it, in words and numbers."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gpumon import units
from gpumon.attributions import WORDS
from gpumon.model import ClusterSnapshot, Job
from gpumon.moments import clock, moment
from gpumon.reasons import in_words
from gpumon.text import shown
from gpumon.units import MISSING, Units
from gpumon.usage import JobUsage, job_usage
from gpumon.waiting import place
from gpumon_tui.widgets.facts import Fact, FactLine, known

STATE_TONES = {"running": "success", "pending": "warm", "suspended": "warm", "failed": "hot", "timeout": "hot"}
"""Theme variables of the states that are not quiet."""


class JobSeen(msgspec.Struct, frozen=True):
    """A job as it was last seen in the queue."""

    job: Job
    snapshot: ClusterSnapshot
    """The last one that tells of it."""
    gone_at: float | None = None
    """When it was first missed in the queue; None while it is there."""


def facts_of(seen: JobSeen, told: Units) -> tuple[FactLine, ...]:
    """Everything that is to be said about a job, line by line."""
    job, snapshot = seen.job, seen.snapshot
    lines = [_headline(seen), _owner(job), _request(job, told), _times(job, snapshot)]
    if job.state == "pending":
        lines += _waiting(job, snapshot)
    else:
        lines += _running(job, snapshot, told)
    return tuple(tuple(line) for line in lines)


def _headline(seen: JobSeen) -> Iterator[Fact]:
    job = seen.job
    if seen.gone_at is not None:
        ago = units.age(seen.gone_at - seen.snapshot.taken_at)
        yield Fact("", "LEFT THE QUEUE", "quiet", is_loud=True)
        yield Fact("between", f"{clock(seen.snapshot.taken_at, seen.gone_at)} and {clock(seen.gone_at, seen.gone_at)}")
        yield Fact("", f"below is how it was last seen, {ago} before it was missed", "quiet")
    else:
        yield Fact("", shown(job.state or MISSING, 20).upper(), STATE_TONES.get(job.state, "quiet"), is_loud=True)
    yield Fact("", shown(job.name) if job.name else MISSING)


def _owner(job: Job) -> Iterator[Fact]:
    yield Fact("job", shown(job.shown_id))
    if job.array_task_id:
        yield Fact("raw id", shown(job.id), "quiet")
    if job.het_job_id:
        yield Fact("part of heterogeneous job", shown(job.het_job_id))
    for label, value in (("user", job.user), ("account", job.account), ("partition", job.partition), ("qos", job.qos)):
        yield known(label, shown(value))


def _request(job: Job, told: Units) -> Iterator[Fact]:
    yield known("GPUs", units.count(job.gpus))
    yield known("CPUs", units.count(job.cpus))
    yield known("memory", told.size(job.memory_bytes))
    yield known("nodes", units.count(job.node_count))
    if job.tasks is not None:
        yield Fact("array tasks waiting", units.count(job.tasks))
    if job.nodes:
        yield Fact("on", shown(job.nodes))


def _times(job: Job, snapshot: ClusterSnapshot) -> Iterator[Fact]:
    now = snapshot.taken_at
    yield known("submitted", moment(job.submitted_at, now))
    if job.eligible_at is not None and job.submitted_at is not None and job.eligible_at > job.submitted_at + 1:
        yield Fact("eligible", moment(job.eligible_at, now))
    if job.started_at is not None:
        yield Fact("started", moment(job.started_at, now))
        if job.submitted_at is not None:
            yield Fact("waited", units.duration(max(0.0, job.started_at - job.submitted_at)))
    elif job.time_limit_seconds is not None:
        yield Fact("time limit", units.duration(job.time_limit_seconds))
    if job.ends_at is not None and job.started_at is not None:
        yield Fact("ends at the latest", moment(job.ends_at, now))


def _waiting(job: Job, snapshot: ClusterSnapshot) -> Iterator[Iterator[Fact]]:
    yield _reason(job)
    yield _outlook(job, snapshot)


def _reason(job: Job) -> Iterator[Fact]:
    yield known("waits", shown(in_words(job.reason)) if job.reason else "", "warm")
    if job.reason:
        yield Fact("", f"({shown(job.reason, 60)})", "quiet")


def _outlook(job: Job, snapshot: ClusterSnapshot) -> Iterator[Fact]:
    if job.expected_at is None:
        yield Fact("expected start", "Slurm has made no plan for it", "quiet")
    else:
        yield Fact("expected start", moment(job.expected_at, snapshot.taken_at))
    found = place(job, snapshot)
    if found is None:
        yield Fact("place in the queue", f"{MISSING} (its priority is not told)", "quiet")
        return
    yield Fact("place in the queue", f"{found.rank:,} of {found.of:,} in {shown(job.partition, 40)}")
    yield Fact("GPUs asked for before it", units.count(found.gpus_ahead))


def _running(job: Job, snapshot: ClusterSnapshot, told: Units) -> Iterator[Iterator[Fact]]:
    yield _time_bar(job, snapshot)
    usage = job_usage(job, snapshot)
    if usage.gpus:
        yield _use(usage, told)
        yield _idle(usage, snapshot)


def _time_bar(job: Job, snapshot: ClusterSnapshot) -> Iterator[Fact]:
    if job.started_at is None:
        return
    elapsed = max(0.0, snapshot.taken_at - job.started_at)
    limit = limit_of(job)
    if limit is None:
        yield Fact("time", f"{units.duration(elapsed)}, no limit known")
        return
    share = elapsed / limit
    tone = "hot" if share > 1 else "foreground"
    yield Fact("time", f"{units.duration(elapsed)} of {units.duration(limit)}", tone, min(1.0, share))
    yield Fact("", f"{units.duration(max(0.0, limit - elapsed))} left", "quiet")


def _use(usage: JobUsage, told: Units) -> Iterator[Fact]:
    mean = usage.mean_utilization
    yield Fact("use", units.share(mean), "success" if usage.idle_since is None else "warm", mean)
    yield known("least busy GPU", units.share(usage.worst_utilization))
    yield known("memory", f"{told.size(usage.memory_used_bytes)} of {told.size(usage.memory_total_bytes)}")
    yield known("power", units.watts(usage.power_watts))


def _idle(usage: JobUsage, snapshot: ClusterSnapshot) -> Iterator[Fact]:
    if usage.idle_since is not None:
        yield Fact("idle", f"all GPUs for {units.duration(snapshot.taken_at - usage.idle_since)}", "warm")
    elif usage.idle_gpus:
        yield Fact("idle", f"{usage.idle_gpus} of {len(usage.gpus)} GPUs", "warm")
    if usage.wasted_gpu_seconds:
        yield Fact("wasted", f"{units.number(usage.wasted_gpu_seconds / 3600)} GPU-hours", "warm")
    if usage.attribution is not None:
        yield Fact("known", WORDS[usage.attribution], "quiet")


def limit_of(job: Job) -> float | None:
    """Seconds that a job may run, from its limit or from when it must end; None when unlimited or unknown."""
    if job.time_limit_seconds:
        return job.time_limit_seconds
    if job.started_at is None or job.ends_at is None or job.ends_at <= job.started_at:
        return None
    return job.ends_at - job.started_at

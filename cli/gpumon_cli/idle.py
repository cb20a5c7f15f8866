"""GPUs that jobs hold and do not use, by job: what `gpumon idle` lists and `gpumon status` adds up."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import msgspec

from gpumon.model import ClusterSnapshot, Gpu, Job, Severity
from gpumon.settings import Thresholds
from gpumon.units import number
from gpumon_cli.ranges import ranges


class IdleJob(msgspec.Struct, frozen=True):
    """One job and those of its GPUs that have been idle for long enough."""

    id: str
    job: Job | None
    """None when no exporter describes it."""
    gpus: tuple[Gpu, ...]
    """At least one, each with a time since when it is idle."""
    taken_at: float

    @property
    def shown_id(self) -> str:
        """As Slurm's tools print it."""
        return self.id if self.job is None else self.job.shown_id

    @property
    def user(self) -> str | None:
        """Who runs it; None when nothing tells."""
        return self.job.user or None if self.job else None

    @property
    def since(self) -> float:
        """Since when the GPU that is idle for longest is."""
        return min(map(_since, self.gpus))

    @property
    def wasted_seconds(self) -> float:
        """How long its GPUs have been idle, added up; one that several jobs share counts in parts."""
        return sum((self.taken_at - _since(gpu)) / max(1, len(gpu.jobs or ())) for gpu in self.gpus)

    @property
    def where(self) -> str:
        """Its idle GPUs by node: "gpu01: 4-7, gpu02: 0"."""
        nodes = groupby(self.gpus, key=lambda gpu: gpu.node)
        return ", ".join(f"{node}: {ranges([gpu.device.number for gpu in gpus])}" for node, gpus in nodes)


class Waster(msgspec.Struct, frozen=True):
    """One user and the GPUs that are held and not used."""

    user: str | None
    """None for jobs of which nothing tells whose they are."""
    gpus: int
    wasted_gpu_seconds: float


class Idleness(msgspec.Struct, frozen=True):
    """What is held and not used in a whole cluster."""

    min_seconds: float
    """Shorter pauses do not count."""
    gpus: int
    wasted_gpu_seconds: float
    users: tuple[Waster, ...]
    """Who wastes most comes first."""


def idleness(snapshot: ClusterSnapshot, thresholds: Thresholds) -> Idleness | None:
    """What is idle for the configured time or longer; None when nothing tells who holds GPUs, or since when."""
    if not is_known(snapshot, thresholds):
        return None
    least = thresholds.idle_minutes * 60
    jobs = idle_jobs(snapshot, least)
    by_user: dict[str | None, list[IdleJob]] = {}
    for job in jobs:
        by_user.setdefault(job.user, []).append(job)
    wasters = [Waster(user, gpus_of(own), wasted_seconds(own)) for user, own in by_user.items()]
    wasters.sort(key=lambda waster: -waster.wasted_gpu_seconds)
    return Idleness(least, gpus_of(jobs), wasted_seconds(jobs), tuple(wasters))


def wasted_seconds(jobs: Iterable[IdleJob]) -> float:
    """How long the GPUs of these have been idle, added up."""
    return sum(job.wasted_seconds for job in jobs)


def idle_jobs(
    snapshot: ClusterSnapshot, least_seconds: float, users: frozenset[str] = frozenset()
) -> tuple[IdleJob, ...]:
    """Jobs with GPUs that have been idle for at least so long, the most GPU-hours wasted first.

    GPUs whose exporter is silent are not among them: nobody knows what they do now.
    """
    found: dict[str, list[Gpu]] = {}
    for gpu in snapshot.gpus:
        if gpu.idle_since is not None and not gpu.is_stale and snapshot.taken_at - gpu.idle_since >= least_seconds:
            for job in gpu.jobs or ():
                found.setdefault(job, []).append(gpu)
    jobs = [IdleJob(job, snapshot.job_by_id.get(job), tuple(gpus), snapshot.taken_at) for job, gpus in found.items()]
    return tuple(
        sorted((each for each in jobs if not users or each.user in users), key=lambda each: -each.wasted_seconds)
    )


def gpus_of(jobs: Iterable[IdleJob]) -> int:
    """How many GPUs these are; one that several jobs share is one."""
    return len({gpu.key for each in jobs for gpu in each.gpus})


def since_unknown(snapshot: ClusterSnapshot, thresholds: Thresholds) -> tuple[Gpu, ...]:
    """GPUs that jobs hold and that are idle now, nobody knows since when."""
    return tuple(
        gpu
        for gpu in snapshot.gpus
        if gpu.jobs
        and not gpu.is_stale
        and gpu.idle_since is None
        and gpu.utilization is not None
        and gpu.utilization < thresholds.idle_share
    )


def is_known(snapshot: ClusterSnapshot, thresholds: Thresholds) -> bool:
    """False when nothing tells who holds GPUs, or since when any of those that idle does: "none" would be a guess."""
    if all(gpu.jobs is None for gpu in snapshot.gpus):
        return False
    return any(gpu.idle_since is not None for gpu in snapshot.gpus) or not since_unknown(snapshot, thresholds)


def why_unknown(snapshot: ClusterSnapshot) -> str:
    """Why it is not known what idles since when."""
    if all(gpu.jobs is None for gpu in snapshot.gpus):
        return f"nothing tells who holds GPUs: {snapshot.why_missing('jobs', 'jobs')}"
    for dialect in snapshot.dialects:
        for lack in dialect.lacks:
            if "idle_since" in lack.fields:
                return f"{lack.metric} is not exported by {dialect.name}"
    for problem in snapshot.problems:
        if problem.part in ("gpus", "jobs") and problem.severity is Severity.ERROR:
            return problem.text
    return "their history could not be read"


def gpu_hours(seconds: float) -> str:
    """How much was wasted: "20.3 GPU-hours"."""
    return f"{number(seconds / 3600)} GPU-hours"


def _since(gpu: Gpu) -> float:
    return gpu.idle_since or 0.0

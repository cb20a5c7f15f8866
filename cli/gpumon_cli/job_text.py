"""The text of `gpumon job`: who, what, since when, on which GPUs and how busy they are; or why it waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from gpumon import units
from gpumon.attributions import WORDS
from gpumon.columns import GPU_COLUMNS, JOB_COLUMNS, Column, by_key
from gpumon.findings import findings
from gpumon.model import ClusterSnapshot, Gpu, Job
from gpumon.moments import clock, moment
from gpumon.queue_order import in_queue_order
from gpumon.reasons import in_words
from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.units import MISSING
from gpumon.usage import JobUsage, job_usage
from gpumon.waiting import Place, place
from gpumon_cli.idle import gpu_hours
from gpumon_cli.tables import Table, blocks
from gpumon_cli.terminal import Terminal

_LABEL = 11
_BAR = 24
_RECORD_KEYS = ("job", "state", "gpus", "elapsed", "left", "util", "idle", "why", "expected", "nodes")
_GPU_KEYS = ("node", "gpu", "job", "model", "util", "mem", "used", "temp", "power", "idle", "age")


def _ids(gpu: Gpu, snapshot: ClusterSnapshot, *_: object) -> str:
    known = (snapshot.job_by_id.get(job) for job in gpu.jobs or ())
    return shown(",".join(job.shown_id for job in known if job is not None))


_JOB: Column[Gpu] = Column("job", "JOB", 12, _ids, _ids)


def job_lines(jobs: Sequence[Job], snapshot: ClusterSnapshot, settings: Settings, screen: Terminal) -> Iterator[str]:
    """Everything about these records: one job, the tasks of an array or the parts of a heterogeneous job."""
    first = jobs[0]
    yield screen.styled(_head(jobs), "bold")
    yield _line("User", _whose(first))
    yield _line("Partition", f"{shown(first.partition) or MISSING}{f', QOS {shown(first.qos)}' if first.qos else ''}")
    if len(jobs) == 1:
        yield from _one(first, snapshot, settings)
    else:
        columns = [by_key(JOB_COLUMNS)[key] for key in _RECORD_KEYS]
        spare = ("expected", "idle", "left")
        yield from blocks(Table(columns, in_queue_order(jobs), snapshot, settings.units, spare=spare), screen)
    yield from _gpus(jobs, snapshot, settings, screen)


def _head(jobs: Sequence[Job]) -> str:
    first = jobs[0]
    name = f" · {shown(first.name)}" if first.name else ""
    if len(jobs) == 1:
        parts = f" · part of heterogeneous job {shown(first.het_job_id)}" if first.het_job_id else ""
        return f"Job {shown(first.shown_id)}{name} · {shown(first.state) or MISSING}{parts}"
    states = Counter[str]()
    for job in in_queue_order(jobs):
        states[job.state] += int(job.tasks or 1)
    told = ", ".join(f"{number} {shown(state)}" for state, number in states.items())
    if first.array_job_id:
        return f"Array {shown(first.array_job_id)}{name} · {told}"
    return f"Heterogeneous job {shown(first.het_job_id)}{name} · {len(jobs)} parts: {told}"


def _whose(job: Job) -> str:
    account = f" (account {shown(job.account)})" if job.account else ""
    return f"{shown(job.user) or MISSING}{account}"


def _one(job: Job, snapshot: ClusterSnapshot, settings: Settings) -> Iterator[str]:
    now = snapshot.taken_at
    yield _line("Asks for" if job.state == "pending" else "Has", _request(job, settings))
    yield _line("Submitted", moment(job.submitted_at, now))
    if job.state == "pending":
        yield from _waiting(job, snapshot)
        return
    waited = "" if not job.started_at or not job.submitted_at else units.duration(job.started_at - job.submitted_at)
    yield _line("Started", f"{moment(job.started_at, now)}{f', after waiting for {waited}' if waited else ''}")
    yield _line("Time limit", _limit(job, now))
    yield _line("On", shown(job.nodes) or MISSING)


def _request(job: Job, settings: Settings) -> str:
    each = "" if not job.tasks else f" for each of {units.count(job.tasks)} tasks"
    told = [
        (job.gpus, f"a part of {_many(len(job.held), 'GPU')}" if job.held and not job.gpus else _many(job.gpus, "GPU")),
        (job.cpus, _many(job.cpus, "CPU")),
        (job.memory_bytes, f"{settings.units.size(job.memory_bytes)} of memory"),
        (job.node_count, _many(job.node_count, "node")),
    ]
    known = ", ".join(words for number, words in told if number is not None) or MISSING
    return f"{known}{each}"


def _many(number: float | None, thing: str) -> str:
    return f"{units.count(number)} {thing}{'' if number == 1 else 's'}"


def _limit(job: Job, now: float) -> str:
    """How much of its time a job has used, as a bar; what is left at the most."""
    if job.ends_at is None or job.started_at is None or job.ends_at <= job.started_at:
        return f"{MISSING} (unlimited, or not told)"
    limit = job.ends_at - job.started_at
    share = min(1.0, max(0.0, (now - job.started_at) / limit))
    bar = "█" * round(share * _BAR)
    left = f"ends {clock(job.ends_at, now)} at the latest, in {units.duration(job.ends_at - now)}"
    if job.ends_at <= now:
        left = f"over it since {clock(job.ends_at, now)}"
    return f"{bar:░<{_BAR}} {units.share(share)} of {units.duration(limit)}; {left}"


def _waiting(job: Job, snapshot: ClusterSnapshot) -> Iterator[str]:
    now = snapshot.taken_at
    if job.eligible_at is not None and job.eligible_at > now:
        yield _line("Eligible", moment(job.eligible_at, now))
    if job.time_limit_seconds is not None:
        yield _line("Time limit", units.duration(job.time_limit_seconds))
    yield _line("Waits", f"{shown(in_words(job.reason))} ({shown(job.reason)})" if job.reason else MISSING)
    yield _line(
        "Starts", f"{moment(job.expected_at, now)}{', as Slurm plans now' if job.expected_at else ' (no plan is told)'}"
    )
    where = place(job, snapshot)
    if where is None:
        yield _line("Place", f"{MISSING} (its priority is not told)")
        return
    yield _line(
        "Place", f"{where.rank:,} of {where.of:,} that wait for {shown(job.partition) or 'the same'}{_ahead(where)}"
    )


def _ahead(where: Place) -> str:
    if where.rank == 1:
        return ": the next one by priority"
    if where.gpus_ahead is None:
        return ""
    return f"; those before it ask for {_many(where.gpus_ahead, 'GPU')}"


def gpus_of(jobs: Sequence[Job], snapshot: ClusterSnapshot) -> tuple[Gpu, ...]:
    """The GPUs that these jobs hold and that are known, each once, in the cluster's order."""
    held = {key for job in jobs for key in job.held}
    return tuple(gpu for gpu in snapshot.gpus if gpu.key in held)


def _gpus(jobs: Sequence[Job], snapshot: ClusterSnapshot, settings: Settings, screen: Terminal) -> Iterator[str]:
    gpus = gpus_of(jobs, snapshot)
    if not gpus:
        if any(job.gpus and job.state != "pending" for job in jobs):
            yield _line("GPUs", f"which ones is not known: {shown(snapshot.why_missing('jobs', 'held'))}")
        return
    if len(jobs) == 1:
        yield from _use(job_usage(jobs[0], snapshot), jobs[0], snapshot, settings)
    known = {**by_key(GPU_COLUMNS), "job": _JOB}
    columns = [known[key] for key in _GPU_KEYS if key != "job" or len(jobs) > 1]
    table = Table(columns, gpus, snapshot, settings.units, spare=("age", "used", "model"), style=_stale_is_dim)
    yield from blocks(table, screen)
    yield from _troubles(gpus, snapshot, settings)


def _stale_is_dim(gpu: Gpu) -> str:
    return "dim" if gpu.is_stale else ""


def _use(usage: JobUsage, job: Job, snapshot: ClusterSnapshot, settings: Settings) -> Iterator[str]:
    size = settings.units.size
    yield _line(
        "GPUs",
        f"utilization {units.share(usage.mean_utilization)}"
        f"{f' (the least busy {units.share(usage.worst_utilization)})' if len(usage.gpus) > 1 else ''}, "
        f"memory {size(usage.memory_used_bytes)} of {size(usage.memory_total_bytes)}, {units.watts(usage.power_watts)}",
    )
    if usage.idle_gpus:
        yield _line("Idle", _idle(usage, snapshot))
    shared = [gpu for gpu in usage.gpus if len(gpu.jobs or ()) > 1]
    if shared:
        others = dict.fromkeys(other for gpu in shared for other in gpu.jobs or () if other != job.id)
        what = "its GPU" if len(usage.gpus) == 1 else f"{len(shared)} of its {len(usage.gpus)} GPUs"
        yield _line("Shares", f"{what} with {', '.join(_named(other, snapshot) for other in others)}")
    if len(usage.gpus) < (job.gpus or 0):
        yield _line("Known", f"{len(usage.gpus)} of its {units.count(job.gpus)} GPUs")
    if usage.attribution is not None:
        yield _line("Known by", WORDS[usage.attribution])


def _idle(usage: JobUsage, snapshot: ClusterSnapshot) -> str:
    """How many of its GPUs, since when where that is one time for all, and how much that wastes."""
    which = "" if len(usage.gpus) == 1 else f"{usage.idle_gpus} of {len(usage.gpus)} GPUs"
    if usage.idle_gpus == len(usage.gpus) > 1:
        which = "all of its GPUs"
    since = "" if usage.idle_since is None else f"since {moment(usage.idle_since, snapshot.taken_at)}"
    return f"{' '.join(filter(None, (which, since)))}; {gpu_hours(usage.wasted_gpu_seconds or 0.0)} wasted"


def _named(job_id: str, snapshot: ClusterSnapshot) -> str:
    job = snapshot.job_by_id.get(job_id)
    return shown(job_id if job is None else f"{job.shown_id} of {job.user}" if job.user else job.shown_id)


def _troubles(gpus: Sequence[Gpu], snapshot: ClusterSnapshot, settings: Settings) -> Iterator[str]:
    """What needs a look on these cards; that they idle is said already."""
    cards = {gpu.device.uuid for gpu in gpus}
    for found in findings(snapshot, settings.thresholds):
        gpu = snapshot.gpu_by_key.get(found.gpu or "")
        if gpu is not None and gpu.device.uuid in cards and found.kind != "idle":
            yield f"! {shown(found.text)}"


def _line(label: str, text: str) -> str:
    return f"{label:<{_LABEL}}{text}"

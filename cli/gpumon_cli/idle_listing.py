"""`gpumon idle`: its table, and what is said when nothing idles or nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from gpumon import units
from gpumon.columns import Column
from gpumon.errors import NoData
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings, Thresholds
from gpumon.source import Parts
from gpumon.text import shown
from gpumon_cli.arguments import Options
from gpumon_cli.column_kinds import count, hours, minutes, text
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.idle import (
    IdleJob,
    gpu_hours,
    gpus_of,
    idle_jobs,
    is_known,
    since_unknown,
    wasted_seconds,
    why_unknown,
)
from gpumon_cli.idle_shape import idle_answer
from gpumon_cli.listing import Listing
from gpumon_cli.nearest import meant
from gpumon_cli.remarks import ended

IDLE_COLUMNS: tuple[Column[IdleJob], ...] = (
    text("job", "JOB", lambda row: row.shown_id),
    text("user", "USER", lambda row: row.user),
    text("account", "ACCOUNT", lambda row: row.job.account or None if row.job else None),
    text("partition", "PARTITION", lambda row: row.job.partition or None if row.job else None),
    text("state", "STATE", lambda row: row.job.state or None if row.job else None),
    count("gpus", "GPUS", lambda row: len(row.gpus)),
    count("of", "OF", lambda row: row.job.gpus if row.job else None),
    minutes("idle", "IDLE", lambda row: row.taken_at - row.since),
    hours("wasted", "WASTED", lambda row: row.wasted_seconds / 3600),
    minutes("left", "LEFT", lambda row: row.job.ends_at - row.taken_at if row.job and row.job.ends_at else None),
    text("where", "WHERE", lambda row: row.where),
    text("name", "NAME", lambda row: row.job.name or None if row.job else None),
)
"""Of the table of jobs with idle GPUs; IDLE is that of the GPU that is idle for longest."""
_ADVICE = "`gpumon doctor` says what to do."


def idle_listing(options: Options, settings: Settings) -> Listing[IdleJob]:
    """The jobs that hold GPUs and do not use them, as these options choose."""
    configured = settings.thresholds.idle_minutes * 60
    least = configured if options.least_seconds is None else options.least_seconds
    users = frozenset(options.users)
    return Listing(
        name="idle",
        columns=IDLE_COLUMNS,
        rows=partial(_rows, least=least, users=users, thresholds=settings.thresholds),
        parts=Parts.GPUS | Parts.JOBS | Parts.IDLE,
        concerns=("gpus", "jobs", "slurm"),
        spare=("account", "partition", "state", "left", "of", "name", "where"),
        answer=partial(idle_answer, least_seconds=least, thresholds=settings.thresholds),
        below=partial(_total, least=least),
        nothing=partial(_nothing, least=least, users=users),
        doubts=partial(_doubts, thresholds=settings.thresholds),
        code=lambda rows: ExitCode.FINDINGS if rows else ExitCode.OK,
    )


def _rows(
    snapshot: ClusterSnapshot, least: float, users: frozenset[str], thresholds: Thresholds
) -> tuple[IdleJob, ...]:
    where = shown(snapshot.source)
    if not snapshot.gpus:
        raise NoData(f"{where} knows no GPUs: {ended(snapshot.why_missing('gpus', ''))}", advice=_ADVICE)
    if not is_known(snapshot, thresholds):
        raise NoData(f"{where} does not tell since when GPUs idle: {ended(why_unknown(snapshot))}", advice=_ADVICE)
    return idle_jobs(snapshot, least, users)


def _total(rows: Sequence[IdleJob], least: float) -> Iterable[str]:
    gpus = gpus_of(rows)
    yield ""
    yield (
        f"{gpus} GPU{'' if gpus == 1 else 's'} of {len(rows)} job{'' if len(rows) == 1 else 's'} idle for "
        f"{units.duration(least)} or longer: {gpu_hours(wasted_seconds(rows))} wasted."
    )


def _nothing(snapshot: ClusterSnapshot, least: float, users: frozenset[str]) -> str:
    """None is idle; a mistyped user looks the same."""
    known = {job.user for job in snapshot.jobs or ()}
    if users and known and users.isdisjoint(known):
        return f"No jobs of {shown(', '.join(sorted(users)), 80)}{meant(min(users), known)}"
    return f"No GPU that a job holds has been idle for {units.duration(least)} or longer."


def _doubts(snapshot: ClusterSnapshot, thresholds: Thresholds) -> Iterator[str]:
    unknown = since_unknown(snapshot, thresholds)
    if unknown:
        yield f"! {len(unknown)} more are idle now, but since when is not known: {shown(why_unknown(snapshot))}"
    blind = [gpu for gpu in snapshot.gpus if gpu.jobs and (gpu.is_stale or gpu.utilization is None)]
    if blind:
        nodes = ", ".join(dict.fromkeys(shown(gpu.node, 80) for gpu in blind[:5]))
        yield f"! of {len(blind)} GPUs that jobs hold it is not known whether they work: {nodes}"

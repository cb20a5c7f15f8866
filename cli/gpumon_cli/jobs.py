"""`gpumon jobs`: which jobs are meant, in which order, and the queue's numbers where no exporter tells of jobs."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon.columns import JOB_COLUMNS, Column
from gpumon.errors import NoData, UsageError
from gpumon.model import ClusterSnapshot, Job
from gpumon.queue_order import in_queue_order
from gpumon.reasons import in_words
from gpumon.settings import Settings
from gpumon.source import Parts
from gpumon.text import shown
from gpumon_cli.answers import Answer
from gpumon_cli.arguments import Options
from gpumon_cli.folds import rows_of
from gpumon_cli.job_shapes import jobs_answer
from gpumon_cli.job_states import IN_QUEUE, states_of
from gpumon_cli.json_text import json_bytes
from gpumon_cli.listing import Listing
from gpumon_cli.nearest import meant
from gpumon_cli.queue_text import queue_lines, why_no_jobs
from gpumon_cli.remarks import demo_line, remarks_on
from gpumon_cli.terminal import Terminal

_PARTS = Parts.JOBS | Parts.SLURM | Parts.GPUS | Parts.IDLE
_SPARE = (
    "reason", "qos", "nodecount", "low", "account", "cpus", "wasted", "waited", "left", "rank", "expected", "idle",
    "name", "partition",
)  # fmt: skip


def _where(job: Job, *_: object) -> str:
    return shown(in_words(job.reason) if job.state == "pending" else job.nodes)


_ON: Column[Job] = Column("on", "ON / WAITS FOR", 24, _where, _where)
"""Where it runs or why it does not: as in squeue's table one column, since no job has both."""
_TABLE = (*(column for column in JOB_COLUMNS if column.key not in ("why", "nodes", "name")), _ON, JOB_COLUMNS[-1])


def jobs_listing(options: Options, settings: Settings, screen: Terminal) -> Listing[Job]:
    """The queue as these options choose from it.

    Raises:
        UsageError: a state is not one, before anything is read.
    """
    users, partitions = frozenset((*options.names, *options.users)), frozenset(options.partitions)
    states = states_of(options.states)

    def narrowed(rows: Sequence[Job], snapshot: ClusterSnapshot) -> Sequence[Job]:
        _check_partitions(partitions, rows, snapshot)
        if users:
            rows = [job for job in rows if job.user in users]
        if states:
            rows = [job for job in rows if job.state in states]
        if partitions:
            rows = [job for job in rows if not partitions.isdisjoint(job.partition.split(","))]
        return in_queue_order(rows)

    def otherwise(snapshot: ClusterSnapshot) -> Answer | None:
        if snapshot.queue is None:
            return None
        if options.json:
            return Answer(json_bytes(jobs_answer(None, snapshot), to_terminal=screen.is_tty))
        if options.csv or options.filter or users or states or partitions:
            raise NoData(why_no_jobs(snapshot), advice="Without them `gpumon jobs` shows the queue in numbers.")
        lines = [*demo_line(snapshot), *queue_lines(snapshot, settings, screen)]
        remarks = (*remarks_on(snapshot, ("slurm",), (), ()), f"! {why_no_jobs(snapshot)}")
        return Answer("".join(f"{line}\n" for line in lines), remarks)

    return Listing(
        name="jobs",
        columns=JOB_COLUMNS,
        rows=lambda snapshot: snapshot.jobs,
        parts=_PARTS,
        concerns=("jobs", "slurm"),
        spare=_SPARE,
        table=_TABLE,
        answer=jobs_answer,
        narrowed=narrowed,
        together=rows_of if options.fold else lambda rows: rows,
        nothing=lambda snapshot: _nothing(snapshot, users, states),
        otherwise=otherwise,
    )


def _check_partitions(typed: frozenset[str], jobs: Sequence[Job], snapshot: ClusterSnapshot) -> None:
    """Raises: UsageError: a partition is none that Slurm has or that a job stands in."""
    if not typed or not snapshot.partitions:
        return
    known = {each.name for each in snapshot.partitions}.union(*(job.partition.split(",") for job in jobs))
    for name in sorted(typed - known):
        raise UsageError(f"there is no partition called {shown(name, 80)!r}{meant(name, known)}")


def _nothing(snapshot: ClusterSnapshot, users: frozenset[str], states: frozenset[str]) -> str:
    """Why no job is listed; having none is ordinary for a user, and a mistyped name looks the same."""
    known = {job.user for job in snapshot.jobs or ()}
    if not known:
        return "No jobs at all."
    if users and users.isdisjoint(known):
        return f"No jobs of {shown(', '.join(sorted(users)), 80)}{meant(min(users), known)}"
    if states and states.isdisjoint(IN_QUEUE):
        return "No jobs match: an exporter tells of jobs until they end; `sacct` tells of those that ended."
    return "No jobs match."

"""The queue as a table: folded, grouped, with bars for the time a job has used and for what its GPUs do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec
from msgspec import structs
from textual.binding import Binding, BindingType

from gpumon import units
from gpumon.columns import JOB_COLUMNS, by_key
from gpumon.model import ClusterSnapshot, Job
from gpumon.reasons import in_words
from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.units import Units
from gpumon_tui.job_facts import limit_of
from gpumon_tui.tones import job_tones
from gpumon_tui.widgets.job_listing import JobListing
from gpumon_tui.widgets.listing import Bar, Rows
from gpumon_tui.widgets.narrowing import arranged, narrowed
from gpumon_tui.widgets.table import RowTable
from gpumon_tui.wishes import own_columns


class JobColumns(msgspec.Struct, frozen=True):
    """Which columns a table of jobs has; what is asked for most is on the left, where a narrow terminal shows it."""

    name: str
    """How the configuration calls the table."""
    widths: Mapping[str, int]
    roomy: Mapping[str, int]
    """Widths of some of them in a wide terminal."""
    use: str
    """What stands over what their GPUs do."""
    sorted_by: str = ""
    """The column that rows are sorted by at first, the largest at the top; empty for the order of the queue."""


QUEUE = JobColumns(
    "jobs",
    {
        "job": 12, "user": 8, "state": 8, "gpus": 4, "elapsed": 13, "util": 20, "name": 16, "partition": 9, "idle": 7,
        "wasted": 7, "left": 8, "low": 5, "expected": 9, "rank": 5, "account": 10, "nodes": 14, "qos": 8, "cpus": 5,
        "nodecount": 5,
    },
    {"job": 13, "user": 10, "state": 10, "elapsed": 17, "util": 30, "name": 20},
    "USE / WAITS FOR",
)  # fmt: skip
"""Of all jobs."""
IDLE = JobColumns(
    "idle",
    {
        "wasted": 7, "idle": 7, "user": 9, "job": 12, "gpus": 4, "util": 12, "elapsed": 13, "name": 16, "partition": 9,
        "account": 10, "nodes": 14, "low": 5, "left": 8, "state": 10, "qos": 8,
    },
    {"user": 12, "job": 14, "util": 20, "elapsed": 19, "name": 22},
    "USE",
    "wasted",
)  # fmt: skip
"""Of jobs whose GPUs do nothing: what that costs comes first."""
_UTIL = by_key(JOB_COLUMNS)["util"]


class JobTable(RowTable[Job]):
    """One row per job, array or group; Enter and Space open what is folded, Enter chooses a job."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "group", "Group by", id="jobs.group", tooltip="Group by user, account, partition, or not at all"),
        Binding("space", "fold", "Fold", id="jobs.fold", tooltip="Open or close the array or group"),
        Binding("z", "fold_all", "Fold all", show=False, id="jobs.fold-all", tooltip="Open or close all of them"),
    ]
    listing: JobListing

    def __init__(self, columns: JobColumns, settings: Settings, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        known = by_key(JOB_COLUMNS)
        own = (
            structs.replace(known["job"], text=self._title),
            structs.replace(known["elapsed"], title="TIME", text=self._time),
            structs.replace(known["util"], title=columns.use, text=self._use),
        )
        every = (*JOB_COLUMNS, *own)
        rows = Rows(
            narrowed(every, columns.widths),
            lambda job: job.id,
            job_tones(settings.thresholds),
            bars={"elapsed": Bar(_time_share, 9), "util": Bar(_use_share)},
            is_group=self._is_group,
            roomy=columns.roomy,
            words=frozenset({"elapsed", "util"}),
            copied=lambda job: job.shown_id,
            filtered_by=JOB_COLUMNS,
            choosable=arranged(every, columns.widths),
        )
        super().__init__(rows, units=settings.units, listing=JobListing(rows, settings.units), id=id)
        if columns.sorted_by:
            self.listing.set_order(self.listing.order.by(columns.sorted_by))
        self.show_columns(own_columns(settings, columns.name))

    def action_group(self) -> None:
        """Groups by the next thing."""
        with self.rearranging():
            self.listing.group_by(self.listing.grouping.next)

    def action_fold(self) -> None:
        """Opens or closes the row under the cursor, or what it belongs to."""
        if self.listing.key in self.listing.folds:
            with self.rearranging():
                self.listing.turn(self.listing.key)

    def action_fold_all(self) -> None:
        """Opens or closes everything."""
        with self.rearranging():
            self.listing.turn_all()

    def action_choose(self) -> None:
        """Opens a fold; chooses a job."""
        if self.listing.key in self.listing.folds:
            self.action_fold()
        else:
            super().action_choose()

    def _is_group(self, job: Job) -> bool:
        fold = self.listing.folds.get(job.id)
        return fold is not None and fold.is_group

    def _title(self, job: Job, _: ClusterSnapshot, __: Units) -> str:
        """The job's number, or what a fold stands for, indented under what it belongs to."""
        fold, indent = self.listing.folds.get(job.id), "  " * self.listing.depths.get(job.id, 0)
        if fold is not None:
            return f"{indent}{'▾' if fold.is_open else '▸'} {shown(fold.title) or '(none)'}"
        if job.tasks is not None and job.array_job_id:
            return f"{indent}{shown(job.array_job_id)} ×{job.tasks:.0f}"
        return indent + shown(job.shown_id)

    def _time(self, job: Job, snapshot: ClusterSnapshot, _: Units) -> str:
        """How long it has run or waited."""
        since = job.submitted_at if job.started_at is None else job.started_at
        if self._is_group(job):
            return ""
        told = units.duration(None if since is None else max(0.0, snapshot.taken_at - since))
        return told if job.state != "pending" or since is None else f"waits {told}"

    def _use(self, job: Job, snapshot: ClusterSnapshot, told: Units) -> str:
        """What its GPUs do, or what it waits for."""
        if job.state == "pending":
            return shown(in_words(job.reason))
        if job.gpus == 0 and not job.held:
            return "no GPU"
        return _UTIL.text(job, snapshot, told)


def _time_share(job: Job, snapshot: ClusterSnapshot) -> float | None:
    limit = limit_of(job)
    if limit is None or job.started_at is None:
        return None
    return (snapshot.taken_at - job.started_at) / limit


def _use_share(job: Job, snapshot: ClusterSnapshot) -> float | None:
    value = None if job.state == "pending" else _UTIL.value(job, snapshot)
    return value if isinstance(value, float) else None

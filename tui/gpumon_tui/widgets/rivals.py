"""The queue around a job that waits: who is before it and who behind, for the partitions it waits for."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon.columns import JOB_COLUMNS
from gpumon.model import ClusterSnapshot, Job
from gpumon.settings import Settings
from gpumon_tui.tones import job_tones
from gpumon_tui.widgets.listing import Rows
from gpumon_tui.widgets.narrowing import narrowed
from gpumon_tui.widgets.table import RowTable

_WIDTHS = {
    "rank": 6, "job": 12, "user": 10, "gpus": 4, "expected": 9, "waited": 8, "why": 22, "name": 18, "account": 10,
    "qos": 8, "partition": 10,
}  # fmt: skip


class RivalTable(RowTable[Job]):
    """Jobs that wait for the same partitions, the next one first; the job itself is set off."""

    def __init__(self, settings: Settings) -> None:
        rows = Rows(
            narrowed(JOB_COLUMNS, _WIDTHS),
            lambda job: job.id,
            job_tones(settings.thresholds),
            is_group=lambda job: job.id == self._own,
            roomy={"why": 34},
            copied=lambda job: job.shown_id,
        )
        super().__init__(rows, units=settings.units)
        self._own = ""

    def put_around(self, job: Job, snapshot: ClusterSnapshot) -> None:
        """Shows the queue that `job` waits in; the cursor begins on it."""
        is_first, self._own = self._own != job.id, job.id
        self.put(rivals_of(job, snapshot), snapshot)
        if is_first:
            self.put_cursor_on(job.id)


def rivals_of(job: Job, snapshot: ClusterSnapshot) -> Sequence[Job]:
    """Jobs that wait for one of its partitions, itself among them, in the order in which Slurm looks at them."""
    partitions = set(job.partition.split(","))
    waiting = [
        each
        for each in snapshot.jobs or ()
        if each.state == "pending" and not partitions.isdisjoint(each.partition.split(","))
    ]
    known = [each for each in waiting if each.priority is not None]
    known.sort(key=lambda each: (-(each.priority or 0.0), each.submitted_at or 0.0))
    return [*known, *(each for each in waiting if each.priority is None)]

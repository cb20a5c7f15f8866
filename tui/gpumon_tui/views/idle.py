"""What is held for nothing: the jobs whose GPUs idle, by what that has cost, and those GPUs."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget

from gpumon.columns import GPU_COLUMNS
from gpumon.model import Job
from gpumon_tui.idleness import idleness_of
from gpumon_tui.messages import GpuChosen, JobChosen
from gpumon_tui.picture import Picture
from gpumon_tui.tones import gpu_tones
from gpumon_tui.views.table_view import TableView
from gpumon_tui.widgets.idle_line import IdleLine
from gpumon_tui.widgets.job_table import IDLE, JobTable
from gpumon_tui.widgets.listing import Rows
from gpumon_tui.widgets.narrowing import narrowed
from gpumon_tui.widgets.table import RowTable

_WIDTHS = {
    "node": 12, "gpu": 5, "idle": 7, "user": 10, "job": 10, "util": 5, "mem": 5, "power": 7, "temp": 6, "model": 22,
    "account": 10, "known": 12, "age": 5,
}  # fmt: skip


class IdleView(TableView):
    """A sentence with the sum, the jobs, their GPUs."""

    def parts(self) -> Iterable[Widget]:
        """From the sum to its parts."""
        self._line = IdleLine(self.settings.thresholds)
        self._jobs = JobTable(IDLE, self.settings, id="idle-jobs")
        rows = Rows(narrowed(GPU_COLUMNS, _WIDTHS), lambda gpu: gpu.key, gpu_tones(self.settings.thresholds))
        self._gpus = RowTable(rows, units=self.settings.units, id="idle-gpus")
        yield self._line
        yield self._jobs
        yield self._gpus

    @property
    def table(self) -> RowTable[Job]:
        """Jobs."""
        return self._jobs

    def show(self, picture: Picture) -> None:
        """Puts a picture on every part."""
        snapshot = picture.snapshot
        idle = idleness_of(snapshot, self.settings.thresholds)
        self._line.put(idle, picture)
        self._jobs.empty = self._gpus.empty = self._why_none(picture)
        if idle.gpus and snapshot.jobs is None:
            self._jobs.empty = f"Single jobs are not known: {snapshot.why_missing('jobs', 'jobs')}."
        self._jobs.put(idle.jobs, snapshot)
        self._gpus.put(idle.gpus, snapshot)

    @on(RowTable.Chosen, "#idle-jobs")
    def tell_job(self, event: RowTable.Chosen) -> None:
        """A job was chosen."""
        event.stop()
        self.post_message(JobChosen(event.key))

    @on(RowTable.Chosen, "#idle-gpus")
    def tell_gpu(self, event: RowTable.Chosen) -> None:
        """A GPU was chosen."""
        event.stop()
        self.post_message(GpuChosen(event.key))

    def _why_none(self, picture: Picture) -> str:
        if picture.is_empty:
            return "Waiting for the first data…"
        if picture.totals.gpus_idle is None:
            return f"Who holds which GPU is not known: {picture.snapshot.why_missing('jobs', 'jobs')}."
        return "✓ No GPU is held for nothing."

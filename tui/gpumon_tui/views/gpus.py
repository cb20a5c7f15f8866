"""Every GPU in a table."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget

from gpumon.columns import GPU_COLUMNS
from gpumon.model import Gpu
from gpumon_tui.messages import GpuChosen
from gpumon_tui.picture import Picture
from gpumon_tui.tones import gpu_tones
from gpumon_tui.views.table_view import TableView
from gpumon_tui.widgets.listing import Bar, Rows
from gpumon_tui.widgets.narrowing import arranged, narrowed
from gpumon_tui.widgets.remarks import PartRemarks
from gpumon_tui.widgets.table import RowTable
from gpumon_tui.wishes import own_columns

_WIDTHS = {
    "node": 12, "gpu": 5, "util": 10, "mem": 10, "temp": 6, "power": 7, "user": 10, "job": 10, "idle": 7, "used": 9,
    "xid": 4, "sm": 5, "tensor": 6, "dram": 5, "total": 9, "account": 10, "model": 22, "known": 12, "age": 5,
}  # fmt: skip
"""What is asked for most is on the left, where a narrow terminal shows it."""


class GpusView(TableView):
    """One row per GPU or MIG slice."""

    def parts(self) -> Iterable[Widget]:
        """What is wrong with GPU data, and the table."""
        self._remarks = PartRemarks()
        rows = Rows(
            narrowed(GPU_COLUMNS, _WIDTHS),
            lambda gpu: gpu.key,
            gpu_tones(self.settings.thresholds),
            lambda gpu: gpu.is_stale,
            bars={"util": Bar(lambda gpu, _: gpu.utilization), "mem": Bar(lambda gpu, _: gpu.memory_share)},
            roomy={"util": 18, "mem": 18},
            filtered_by=GPU_COLUMNS,
            choosable=arranged(GPU_COLUMNS, _WIDTHS),
        )
        self._table = RowTable(rows, units=self.settings.units)
        self._table.show_columns(own_columns(self.settings, "gpus"))
        yield self._remarks
        yield self._table

    @property
    def table(self) -> RowTable[Gpu]:
        """GPUs."""
        return self._table

    def show(self, picture: Picture) -> None:
        """Puts a picture on the table."""
        self._remarks.put(self.problems_of("gpus"))
        why = picture.snapshot.why_missing("gpus", "uuid")
        self._table.empty = "Waiting for the first data…" if picture.is_empty else f"No GPU to show: {why}."
        self._table.put(picture.snapshot.gpus, picture.snapshot)

    @property
    def idle_filter(self) -> str:
        """GPUs that a job holds and that are hardly busy."""
        return f'util<{self.settings.thresholds.idle_share * 100:g} job!=""'

    @on(RowTable.Chosen)
    def tell_gpu(self, event: RowTable.Chosen) -> None:
        """A GPU was chosen."""
        event.stop()
        self.post_message(GpuChosen(event.key))

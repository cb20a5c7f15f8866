"""Charts of several numbers of the same GPUs, as many of them as there is room for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Grid
from textual.message import Message

from gpumon.model import Gpu
from gpumon.units import Units
from gpumon_tui.history import FIRST_RANGE, RANGES, GpuHistory
from gpumon_tui.widgets.history_chart import METRICS, GpuHistoryChart, Metric

LEAST_WIDTH, LEAST_HEIGHT = 38, 7
"""Of one chart; where only one fits, a key changes its number."""


class GpuCharts(Grid):
    """One chart for each number; the first is always there."""

    DEFAULT_CSS = "GpuCharts { height: 14; grid-gutter: 0 1; }"

    def __init__(self, shown_units: Units, metrics: Sequence[Metric] = METRICS) -> None:
        super().__init__()
        self._metrics = metrics
        self.charts = tuple(GpuHistoryChart(shown_units) for _ in metrics)
        self.range = FIRST_RANGE
        """Index of what they show in `RANGES`."""
        self._first_metric = 0
        self._columns, self._rows = 1, 1
        self._set()

    def compose(self) -> ComposeResult:
        """All of them; those without room are hidden."""
        yield from self.charts

    @dataclass
    class Arranged(Message):
        """Another number of charts has room."""

    @property
    def seen(self) -> Sequence[GpuHistoryChart]:
        """Those that have room; () when the whole is hidden."""
        return self.charts[: self._columns * self._rows] if self.display and self.size else ()

    def put(self, gpus: Sequence[Gpu], since: float | None, until: float) -> None:
        """Says whose history it is."""
        for chart in self.charts:
            chart.put(gpus, since, until)

    def take(self, history: GpuHistory) -> None:
        """Gives an answer to the chart that asked for it."""
        asked = history.question
        for chart in self.charts:
            if asked is not None and asked.field == chart.metric.field:
                chart.history = history

    def turn_range(self, step: int) -> None:
        """Another range; the shortest and the longest are ends."""
        self.range = max(0, min(self.range + step, len(RANGES) - 1))
        self._set()

    def turn_metric(self) -> None:
        """Another number in the first chart."""
        self._first_metric = (self._first_metric + 1) % len(self._metrics)
        self._set()

    def on_resize(self) -> None:
        """As many as fit: four beside each other, two by two, or one."""
        wide, high = max(1, self.size.width // LEAST_WIDTH), max(1, self.size.height // LEAST_HEIGHT)
        shapes = ((4, 1), (2, 2), (2, 1), (1, 1))
        self._columns, self._rows = next(shape for shape in shapes if shape[0] <= wide and shape[1] <= high)
        self.styles.grid_size_columns, self.styles.grid_size_rows = self._columns, self._rows
        for number, chart in enumerate(self.charts):
            chart.display = number < self._columns * self._rows
        self.post_message(self.Arranged())

    def _set(self) -> None:
        for chart, metric in zip(self.charts, self._turned(), strict=True):
            chart.range, chart.metric = RANGES[self.range], metric

    def _turned(self) -> Iterator[Metric]:
        yield from self._metrics[self._first_metric :]
        yield from self._metrics[: self._first_metric]

"""History of some GPUs as a chart: which number, how far back, and why there may be nothing to draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from rich.text import Text
from textual.color import Color
from textual.reactive import reactive

from gpumon import units
from gpumon.model import Gpu
from gpumon.source import Point
from gpumon.text import shown
from gpumon.units import Units
from gpumon_tui.history import MOST_GPUS, RANGES, Envelope, GpuHistory, Range, envelope_of
from gpumon_tui.widgets.row import Line

_TOLERANCE_SECONDS = 60.0
"""History that came after the picture is a little newer than it."""
_LEAST_WIDTH, _LEAST_HEIGHT = 24, 6


class Metric(msgspec.Struct, frozen=True):
    """One number that a chart can show."""

    field: str
    """Of the model and of `ClusterSource.gpu_history`."""
    title: str
    colour: str
    """Theme variable of the mean."""
    top: Callable[[Sequence[Gpu]], float | None]
    """The highest value these GPUs can have; None when that is not known."""
    text: Callable[[float, Units], str]
    is_of_node: bool = False
    """True for a number of the machine, not of its GPUs."""


def _most_memory(gpus: Sequence[Gpu]) -> float | None:
    return max((gpu.device.memory_total_bytes or 0.0 for gpu in gpus), default=0.0) or None


def _most_power(gpus: Sequence[Gpu]) -> float | None:
    return max((gpu.detail.power_limit_watts or 0.0 for gpu in gpus), default=0.0) or None


def _unknown(_: Sequence[Gpu]) -> float | None:
    return None


def _rate(value: float, told: Units) -> str:
    return told.rate(value)


METRICS = (
    Metric("utilization", "Utilization", "heat-7", lambda _: 1.0, lambda value, _: units.share(value)),
    Metric("memory_used_bytes", "Memory", "memory", _most_memory, lambda value, told: told.size(value)),
    Metric("power_watts", "Power", "power", _most_power, lambda value, _: units.watts(value)),
    Metric("temperature_celsius", "Temperature", "cool", lambda _: 100.0, lambda value, told: told.degrees(value)),
)
"""In the order in which a key goes through them."""
NODE_METRICS = (
    METRICS[0],
    Metric("cpu_share", "CPU", "primary", lambda _: 1.0, lambda value, _: units.share(value), True),
    Metric("network_received_bytes_per_second", "Network in", "cool", _unknown, _rate, True),
    Metric("network_sent_bytes_per_second", "Network out", "cool", _unknown, _rate, True),
    Metric("load1", "Load", "primary", _unknown, lambda value, _: units.number(value), True),
    *METRICS[1:],
)
"""Of a node and its GPUs; what is asked for first stands in front, where a small terminal has room for two."""


class GpuHistoryChart(Line):
    """Mean, lowest and highest of some GPUs; drawn anew only when there is new history or another size."""

    DEFAULT_CSS = "GpuHistoryChart { height: 14; padding: 0 1; }"

    history: reactive[GpuHistory] = reactive(GpuHistory)
    range: reactive[Range] = reactive(RANGES[0])
    metric: reactive[Metric] = reactive(METRICS[0])

    def __init__(self, shown_units: Units) -> None:
        super().__init__()
        self._units = shown_units
        self._gpus: Sequence[Gpu] = ()
        self._since: float | None = None
        self._until = 0.0

    def put(self, gpus: Sequence[Gpu], since: float | None, until: float) -> None:
        """Says whose history it is: what was before `since` or after `until` was another's; draws nothing anew."""
        self._gpus, self._since, self._until = gpus, since, until

    def render(self) -> Text:
        """The chart, or why there is none."""
        width, height = self.size
        title = self._title()
        envelope = envelope_of(self._own(line) for line in self.history.by_gpu.values() if self._is_answered())
        if not envelope.mean:
            return Text("\n").join([title, Text(self._why_empty(), style=self.ink("quiet"))])
        if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
            return title
        chart = Text.from_ansi(self._draw(envelope, width, height - 1))
        chart.no_wrap = True
        return Text("\n").join([title, chart])

    def _draw(self, envelope: Envelope, width: int, height: int) -> str:
        from gpumon_tui.charts import Curve, Scale, Span, draw_curves

        highest = max(point.value for point in envelope.highest)
        top = max(highest, self.metric.top(self._gpus) or highest * 1.1) or 1.0
        marks = tuple((top * part, self.metric.text(top * part, self._units)) for part in (0.0, 0.5, 1.0))
        quiet, colour = self._rgb("cool"), self._rgb(self.metric.colour)
        curves = [Curve(envelope.mean, colour)]
        if len(self.history.by_gpu) > 1:
            curves = [Curve(envelope.highest, quiet), Curve(envelope.lowest, self._rgb("warm")), *curves]
        return draw_curves(curves, Scale(top, marks), Span(self.range.seconds, self._until), width, height)

    def _own(self, points: tuple[Point, ...]) -> tuple[Point, ...]:
        since, until = self._since or 0.0, self._until + _TOLERANCE_SECONDS
        return tuple(point for point in points if since <= point.at <= until)

    def _title(self) -> Text:
        title = Text(f"{self.metric.title}, last {self.range.label}", style=f"bold {self.ink('quiet')}", no_wrap=True)
        known = len(self.history.by_gpu) if self._is_answered() else 0
        if known > 1:
            of = f" of {known} GPUs" if known < MOST_GPUS else f" of the first {known} GPUs"
            for name, variable in (("mean", self.metric.colour), ("lowest", "warm"), ("highest", "cool")):
                title.append("  ━ ", style=f"bold {self.ink(variable)}")
                title.append(name, style=f"not bold {self.ink('quiet')}")
            title.append(of, style=f"not bold {self.ink('quiet')}")
        title.truncate(max(1, self.size.width), overflow="ellipsis")
        return title

    def _is_answered(self) -> bool:
        """True when the history at hand is of what is wanted now."""
        asked = self.history.question
        return asked is not None and (asked.field, asked.seconds) == (self.metric.field, self.range.seconds)

    def _why_empty(self) -> str:
        if not self._gpus and not self.metric.is_of_node:
            return "No GPU is known here."
        if not self._is_answered():
            return "Asking for history…"
        return shown(self.history.reason) or f"The source holds no history of this: {self.metric.title.lower()}."

    def _rgb(self, variable: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[variable]).rgb

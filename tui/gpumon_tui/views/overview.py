"""The cluster at one glance: every GPU, what needs a look, and the GPUs of the chosen node."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import ClassVar

from msgspec import structs
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from gpumon.columns import NODE_COLUMNS
from gpumon.filters import Filter, parse_filter
from gpumon.model import Node
from gpumon.settings import Settings
from gpumon_tui.memory import KeptView
from gpumon_tui.owners import Colouring
from gpumon_tui.picture import History, Picture
from gpumon_tui.scales import SCALES, HeatScale
from gpumon_tui.views.view import View
from gpumon_tui.widgets.attention import AttentionList
from gpumon_tui.widgets.chart import UtilizationChart
from gpumon_tui.widgets.heatmap import GpuHeatmap
from gpumon_tui.widgets.node_gauges import NodeGauges
from gpumon_tui.widgets.totals import ClusterTotalsLine

_HISTORY_EVERY_SECONDS = 30.0


class Overview(View):
    """Heatmap, attention, gauges, and a chart where there is room."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "metric", "Metric", id="heatmap.metric", tooltip="Show another number of every GPU"),
        Binding("o", "colour", "Owners", id="heatmap.colour", tooltip="Colour GPUs by a number, by user or by job"),
    ]

    class HistoryWanted(Message):
        """The chart is seen and what it shows is old."""

    _columns: ClassVar = NODE_COLUMNS

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._filter: Filter[Node] | None = None
        self._counts = (0, 0)
        self._asked_at: float | None = None

    def parts(self) -> Iterable[Widget]:
        """From the most asked for to the finest."""
        thresholds, shown_units = self.settings.thresholds, self.settings.units
        self._totals = ClusterTotalsLine(shown_units)
        self._heatmap = GpuHeatmap(thresholds, shown_units)
        self._attention = AttentionList()
        self._gauges = NodeGauges(thresholds, shown_units, may_be_tall=True)
        self._chart = UtilizationChart()
        yield self._totals
        yield Horizontal(
            Vertical(self._heatmap, self._gauges, id="map"),
            Vertical(self._attention, self._chart, id="side"),
            id="body",
        )

    def show(self, picture: Picture) -> None:
        """Puts a picture on every part."""
        snapshot = picture.snapshot
        self._totals.picture = picture
        with_gpus = [node for node in snapshot.nodes if node.gpus or (node.slurm and node.slurm.gpus_total)]
        wanted = self._filter
        nodes = with_gpus if wanted is None else [node for node in with_gpus if wanted.matches(node, snapshot)]
        self._counts = (len(nodes), len(with_gpus))
        self._heatmap.empty = self._why_empty(picture, is_filtered=bool(with_gpus))
        self._heatmap.put(nodes, snapshot)
        self._attention.put_concerns(picture)
        if self._chart.is_on_screen and not picture.is_empty:
            self._want_history()

    def watch_history(self, history: History) -> None:
        """New history goes to the chart."""
        if self._is_built:
            self._chart.history = history

    def _arrangement(self) -> KeptView:
        shown = self._heatmap
        return structs.replace(super()._arrangement(), metric=shown.scale.name, colouring=shown.colouring.value)

    def _arrange(self, kept: KeptView) -> None:
        super()._arrange(kept)
        for scale in SCALES:
            if scale.name == kept.metric:
                self._heatmap.show_scale(scale)
        for colouring in Colouring:
            if colouring.value == kept.colouring:
                self._heatmap.colour_by(colouring)

    def apply_filter(self, text: str) -> None:
        """Leaves only nodes that the filter wants."""
        parsed = parse_filter(text, NODE_COLUMNS, self.settings.units)
        self._filter = None if parsed.is_empty else parsed
        self.show(self.picture)

    def focus_rows(self) -> None:
        """The heatmap has the keys."""
        self._heatmap.focus()

    def action_metric(self) -> None:
        """Lets the heatmap show the next number; from owners it goes back to the last one."""
        place = SCALES.index(self._heatmap.scale)
        is_shown = self._heatmap.colouring is Colouring.METRIC
        self.show_scale(SCALES[(place + is_shown) % len(SCALES)])

    def show_scale(self, scale: HeatScale) -> None:
        """Lets the heatmap show a number."""
        self._heatmap.show_scale(scale)

    def action_colour(self) -> None:
        """Lets the heatmap's colours tell the next thing."""
        self._heatmap.colour_by(self._heatmap.colouring.next)

    @property
    def counts(self) -> tuple[int, int]:
        """Nodes with GPUs."""
        return self._counts

    @on(GpuHeatmap.Moved)
    def show_node(self, event: GpuHeatmap.Moved) -> None:
        """The chosen node's GPUs."""
        self._gauges.put(event.node, self.picture.snapshot)

    def on_resize(self) -> None:
        """The chart may have come into sight."""
        if self._is_built and not self.picture.is_empty:
            self.call_after_refresh(self._want_if_seen)

    def _want_if_seen(self) -> None:
        if self._chart.is_on_screen:
            self._want_history()

    def _want_history(self) -> None:
        if self._asked_at is None or monotonic() - self._asked_at >= _HISTORY_EVERY_SECONDS:
            self._asked_at = monotonic()
            self.post_message(self.HistoryWanted())

    def _why_empty(self, picture: Picture, *, is_filtered: bool) -> str:
        if picture.is_empty:
            return "Waiting for the first data…"
        if is_filtered:
            return "Nothing matches the filter."
        return f"No GPU to show: {picture.snapshot.why_missing('gpus', 'uuid')}."

"""What single widgets cost: each key repaints one of them, alone on the screen, with other values where it can.

With "plain" behind it, it writes as any Textual app does; else as the dashboard, which says each colour once.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from msgspec.structs import replace
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.strip import Strip
from textual.widget import Widget
from typing_extensions import override

from clusters import cluster, gpu, node, pending
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings, Thresholds
from gpumon_tui.heat import SIGNS
from gpumon_tui.ramps import blended, legible_on
from gpumon_tui.scales import UTILIZATION
from gpumon_tui.themes import DEFAULTS, THEMES
from gpumon_tui.thrift import thrifty
from gpumon_tui.widgets.heatmap import GpuHeatmap
from gpumon_tui.widgets.job_table import QUEUE, JobTable

NODES, GPUS = 1250, 8
FEW, MANY = 1_000, 20_000
_COLUMNS = 23
"""Nodes beside each other, as many as the heatmap shows in 400 cells."""
_COLOURS = blended(("#14303a", "#1e7472", "#4bae8e", "#92d69c"), 10)
_NAME = Style.parse("#d8dee9 on #10141b")
_STYLES = [Style.parse(f"{legible_on(colour).hex6} on {colour.hex6}") for colour in _COLOURS]


def busy(snapshot: ClusterSnapshot, turn: int) -> ClusterSnapshot:
    """The same cluster with other values; the GPUs of a node agree."""
    cards = tuple(
        msgspec.structs.replace(card, utilization=_level(place // GPUS, turn) / 10 + 0.05)
        for place, card in enumerate(snapshot.gpus)
    )
    return replace(snapshot, gpus=cards)


def _level(place: int, turn: int) -> int:
    return (place * 7 + turn * 3) % 9 + 1


class SegmentMap(Widget):
    """The floor: the same picture by the same rules, one Segment per cell."""

    def __init__(self, snapshot: ClusterSnapshot, thresholds: Thresholds) -> None:
        super().__init__()
        self.snapshot = snapshot
        self._thresholds = thresholds

    @override
    def render_line(self, y: int) -> Strip:
        """Names and cells of as many nodes as fit."""
        segments: list[Segment] = []
        for place in range(y * _COLUMNS, min(NODES, (y + 1) * _COLUMNS)):
            segments.append(Segment(f"  {self.snapshot.nodes[place].name} ", _NAME))
            cards = self.snapshot.gpus[place * GPUS : (place + 1) * GPUS]
            levels = UTILIZATION.levels_of(cards, self.snapshot, self._thresholds)
            segments.extend(Segment(SIGNS[level], _STYLES[level]) for level in levels)
        return Strip(segments)


class Painting(App[None]):
    """Four widgets, of which the last pressed key shows one."""

    CSS = "Widget { height: 1fr; } SegmentMap, GpuHeatmap, JobTable { display: none; } .shown { display: block; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "map", "Our map"),
        Binding("2", "segments", "One Segment per cell"),
        Binding("3", "rows('few')", "Few rows"),
        Binding("4", "rows('many')", "Many rows"),
    ]

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        settings = Settings()
        self.turn = 0
        self.map = GpuHeatmap(settings.thresholds, settings.units)
        self.few, self.many = JobTable(QUEUE, settings, id="few"), JobTable(QUEUE, settings, id="many")
        cards = [tuple(gpu(f"g{place:04}", index) for index in range(GPUS)) for place in range(NODES)]
        self.snapshot = cluster(*((node(f"g{place:04}", own), own) for place, own in enumerate(cards)))
        self.snapshots = [busy(self.snapshot, turn) for turn in range(3)]
        self.segments = SegmentMap(self.snapshots[0], settings.thresholds)

    @override
    def get_driver_class(self) -> type[Driver]:
        usual = super().get_driver_class()
        return usual if "plain" in sys.argv[1:] else thrifty(usual)

    @override
    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(DEFAULTS)

    def compose(self) -> ComposeResult:
        """All of them; none is seen at first."""
        yield from self._all

    def on_mount(self) -> None:
        """Fills the tables."""
        for table, count in ((self.few, FEW), (self.many, MANY)):
            jobs = tuple(pending(number, priority=float(number)) for number in range(count))
            snapshot = cluster(jobs=jobs)
            table.put(jobs, snapshot)
        gc.collect()
        gc.freeze()

    def action_map(self) -> None:
        """Ours, with the next values."""
        self.turn += 1
        snapshot = self.snapshots[self.turn % len(self.snapshots)]
        self._show(self.map)
        self.map.put(snapshot.nodes, snapshot)

    def action_segments(self) -> None:
        """The floor, with the next values."""
        self.turn += 1
        self._show(self.segments)
        self.segments.snapshot = self.snapshots[self.turn % len(self.snapshots)]
        self.segments.refresh()

    def action_rows(self, which: str) -> None:
        """All rows in sight."""
        table = self.few if which == "few" else self.many
        self._show(table)
        table.redraw_all()

    @property
    def _all(self) -> Sequence[Widget]:
        return self.map, self.segments, self.few, self.many

    def _show(self, wanted: Widget) -> None:
        for widget in self._all:
            widget.set_class(widget is wanted, "shown")


if __name__ == "__main__":
    Painting().run()

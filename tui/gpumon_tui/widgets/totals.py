"""The cluster in one line, or in two where the terminal is narrow."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text
from textual.css.scalar import Scalar
from textual.reactive import reactive

from gpumon import units
from gpumon.units import Units
from gpumon_tui.picture import Picture
from gpumon_tui.widgets.row import Line

_GAP = "  "
_WIDE = 140
_MOST_LINES = 2


class ClusterTotalsLine(Line):
    """How many GPUs there are, what they do, and how the rest stands; every number keeps its place."""

    DEFAULT_CSS = "ClusterTotalsLine { height: 2; padding: 0 1; }"

    picture: reactive[Picture] = reactive(Picture)

    def __init__(self, shown_units: Units) -> None:
        super().__init__()
        self._units = shown_units

    def render(self) -> Text:
        """The groups, as many to a line as fit."""
        return Text("\n").join(self._lines())

    def watch_picture(self) -> None:
        """Takes the lines it needs."""
        self._stretch()

    def on_resize(self) -> None:
        """Takes the lines it needs."""
        self._stretch()

    def _stretch(self) -> None:
        if self.size.width and self.styles.height != Scalar.from_number(len(self._lines())):
            self.styles.height = len(self._lines())

    def _lines(self) -> list[Text]:
        lines, width = [Text(no_wrap=True, end="")], self.size.width
        for group in self._groups():
            if lines[-1].cell_len and lines[-1].cell_len + len(_GAP) + group.cell_len > width:
                lines.append(Text(no_wrap=True, end=""))
            if lines[-1].cell_len:
                lines[-1].append(_GAP)
            lines[-1].append_text(group)
        return lines[:_MOST_LINES]

    def _groups(self) -> Iterator[Text]:
        told, size = self.picture.totals, self._units.size
        wide = len(units.count(told.gpus))
        yield self._group(
            ("GPUs", units.count(told.gpus), "foreground"),
            ("alloc", f"{units.count(told.gpus_allocated):>{wide}}", "foreground"),
            ("busy", f"{units.count(told.gpus_busy):>{wide}}", "success"),
            ("idle", f"{units.count(told.gpus_idle):>{wide}}", "warm" if told.gpus_idle else "quiet"),
            ("free", f"{units.count(told.gpus_free):>{wide}}", "foreground"),
            ("lost", f"{units.count(told.gpus_lost):>{wide}}", "hot" if told.gpus_lost else "quiet"),
        )
        yield self._group(("util", f"{units.share(told.utilization_share):>4}", "success"))
        sizes = (
            f" {size(told.memory_used_bytes):>8} of {size(told.memory_total_bytes)}" if self.size.width > _WIDE else ""
        )
        yield self._group(("mem", f"{units.share(told.memory_share):>4}{sizes}", "foreground"))
        yield self._group(("power", f"{units.watts(told.power_watts):>7}", "foreground"))
        out = told.nodes_out_of_use
        yield self._group(
            ("nodes", f"{told.nodes_up}/{told.nodes} up" if told.nodes else units.MISSING, "foreground"),
            ("out", units.count(out), "warm" if out else "quiet"),
        )
        yield self._group(
            ("jobs", f"{units.count(told.jobs_running)} run", "foreground"),
            ("", f"{units.count(told.jobs_pending)} wait", "foreground"),
        )
        firing = told.alerts_firing
        yield self._group(("alerts", units.count(firing), "hot" if firing else "quiet"))

    def _group(self, *pieces: tuple[str, str, str]) -> Text:
        group = Text(no_wrap=True, end="")
        for number, (label, value, colour) in enumerate(pieces):
            if number:
                group.append(" ")
            if label:
                group.append(f"{label} ", style=self.ink("quiet"))
            is_missing = value.strip().startswith(units.MISSING)
            group.append(value, style=self.ink("quiet") if is_missing else f"bold {self.ink(colour)}")
        return group

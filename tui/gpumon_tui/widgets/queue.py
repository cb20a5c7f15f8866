"""The queue in two lines: jobs by state, and what those that wait are waiting for."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text
from textual.reactive import reactive

from gpumon import units
from gpumon.text import shown
from gpumon_tui.picture import Picture
from gpumon_tui.widgets.row import Line

_COLOURS = {"running": "success", "pending": "warm", "failed": "hot", "timeout": "hot", "node_fail": "hot"}


class QueueLines(Line):
    """Counts, the largest first."""

    DEFAULT_CSS = "QueueLines { height: 3; padding: 0 1; }"

    picture: reactive[Picture] = reactive(Picture)

    def put(self, picture: Picture) -> None:
        """Shows the queue of a picture."""
        self.picture = picture

    def render(self) -> Text:
        """Jobs, reasons, nodes."""
        snapshot = self.picture.snapshot
        if snapshot.queue is None:
            why = "waiting for the first data…" if self.picture.is_empty else snapshot.why_missing("slurm", "by_state")
            return Text(f"The queue is not known: {shown(why)}", style=self.ink("quiet"))
        queue = snapshot.queue
        lines = [
            self._line("Jobs    ", queue.by_state, "no job"),
            self._line("Waiting ", queue.pending_reasons, self._no_reasons()),
            self._line("Nodes   ", queue.nodes_by_state, units.MISSING),
        ]
        return Text("\n", no_wrap=True).join(lines)

    def _no_reasons(self) -> str:
        if self.picture.totals.jobs_pending == 0:
            return "nothing waits"
        return f"{units.MISSING} ({self.picture.snapshot.why_missing('slurm', 'pending_reasons')})"

    def _line(self, label: str, counts: Mapping[str, float], otherwise: str) -> Text:
        line = Text(label, style=self.ink("quiet"))
        for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
            if count:
                line.append(f" {units.count(count)}", style=f"bold {self.ink(_COLOURS.get(name, 'foreground'))}")
                line.append(f" {shown(name, 30)} ", style=self.ink("quiet"))
        if not any(counts.values()):
            line.append(f" {shown(otherwise)}", style=self.ink("quiet"))
        line.truncate(max(1, self.size.width), overflow="ellipsis")
        return line

"""The sum of what is held for nothing, in one sentence."""

from __future__ import annotations

from rich.text import Text
from textual.reactive import reactive

from gpumon import units
from gpumon.settings import Thresholds
from gpumon_tui.idleness import Idleness
from gpumon_tui.picture import Picture
from gpumon_tui.widgets.row import Line


class IdleLine(Line):
    """How many GPUs idle, of how many that are held, in how many jobs, and what that has cost so far."""

    DEFAULT_CSS = "IdleLine { padding: 0 1; }"

    _idle: reactive[Idleness] = reactive(Idleness)

    def __init__(self, thresholds: Thresholds) -> None:
        super().__init__()
        self._thresholds = thresholds
        self._picture = Picture()

    def put(self, idle: Idleness, picture: Picture) -> None:
        """Says it of a picture."""
        self._picture = picture
        self._idle = idle

    def render(self) -> Text:
        """The sentence."""
        line, idle, told = Text(no_wrap=True, end=""), self._idle, self._picture.totals
        if self._picture.is_empty:
            return line
        warm, quiet = f"bold {self.ink('warm')}", self.ink("quiet")
        below = units.share(self._thresholds.idle_share)
        line.append(units.count(told.gpus_idle), style=warm if told.gpus_idle else "bold")
        line.append(f" of {units.count(told.gpus_allocated)} held GPUs work less than {below}", style=quiet)
        if idle.jobs:
            line.append("   jobs ", style=quiet).append(units.count(len(idle.jobs)), style=warm)
        if idle.gpus:
            hours = None if idle.wasted_gpu_seconds is None else idle.wasted_gpu_seconds / 3600
            line.append("   wasted so far ", style=quiet)
            line.append(f"{units.number(hours)} GPU-hours" if hours is not None else units.MISSING, style=warm)
            if hours is None:
                line.append(" (since when they idle is not known)", style=quiet)
        line.truncate(max(1, self.size.width), overflow="ellipsis")
        return line

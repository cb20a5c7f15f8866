"""The line at the top: which cluster, from where, how old, and whether anything of it is simulated or held."""

from __future__ import annotations

from time import monotonic

from rich.text import Text
from textual.reactive import reactive, var

from gpumon.settings import Settings
from gpumon.text import shown
from gpumon.units import age, duration
from gpumon_tui.connection import Connection, Phase
from gpumon_tui.picture import Picture
from gpumon_tui.widgets.row import Line, justified


class ClusterHeader(Line):
    """Says where the numbers come from and how old they are; ticks once a second."""

    DEFAULT_CSS = "ClusterHeader { background: $panel; color: $foreground; padding: 0 1; }"

    picture: var[Picture] = var(Picture)
    connection: reactive[Connection] = reactive(Connection)
    is_paused: reactive[bool] = reactive(False)
    trail: reactive[tuple[str, ...]] = reactive(())
    """How one came to this screen; empty on the first."""

    def __init__(self, settings: Settings, label: str) -> None:
        super().__init__()
        self._settings = settings
        self._label = label

    def on_mount(self) -> None:
        """Ages grow by the second."""
        self.set_interval(1.0, self.refresh)

    def watch_picture(self) -> None:
        """Another picture may come from elsewhere."""
        self.refresh()

    def render(self) -> Text:
        """The line."""
        return justified(self._where(), self._when(), self.size.width)

    def _where(self) -> Text:
        snapshot = self.picture.snapshot
        line = Text("gpumon", style=f"bold {self.ink('primary')}")
        cluster = snapshot.cluster or self._settings.cluster
        if cluster:
            line.append(f"  {shown(cluster, 40)}", style=f"bold {self.ink('foreground')}")
        for step in self.trail:
            line.append(" › ", style=self.ink("quiet"))
            line.append(shown(step, 60), style=f"bold {self.ink('foreground')}")
        line.append(f"  {shown(snapshot.source or self._label)}", style=self.ink("quiet"))
        return line

    def _when(self) -> Text:
        line, told = Text(), self.connection
        if told.phase is Phase.STARTING:
            line.append("connecting…", style=self.ink("quiet"))
        elif told.answered_at is not None:
            is_lost = told.phase is Phase.LOST
            seconds = age(monotonic() - told.answered_at)
            line.append("✗ " if is_lost else "● ", style=self.ink("hot" if is_lost else "success"))
            line.append(f"{seconds:>3} old", style=f"bold {self.ink('hot')}" if is_lost else "")
        else:
            line.append("✗ no data", style=f"bold {self.ink('hot')}")
        if told.interval_seconds is not None:
            line.append(f" · every {duration(told.interval_seconds)}", style=self.ink("quiet"))
        if self.is_paused:
            line.append("  ")
            line.append(" PAUSED ", style=f"bold {self.ink('demo-text')} on {self.ink('primary')}")
        if self.picture.snapshot.is_simulated:
            line.append("  ")
            line.append(" DEMO ", style=f"bold {self.ink('demo-text')} on {self.ink('demo')}")
        return line

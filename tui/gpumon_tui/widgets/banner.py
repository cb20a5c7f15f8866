"""The line that says why there is no new picture, and when the next try is; absent while all is well."""

from __future__ import annotations

from time import monotonic

from rich.text import Text
from textual.reactive import var

from gpumon.text import shown
from gpumon_tui.connection import Connection, Phase
from gpumon_tui.widgets.row import Line


class ConnectionBanner(Line):
    """Says what is wrong with the source; hidden while it answers."""

    DEFAULT_CSS = """
    ConnectionBanner {
        display: none; height: auto; max-height: 3; padding: 0 1;
        background: $alarm; color: $alarm-text;
    }
    ConnectionBanner.-lost { display: block; }
    """

    connection: var[Connection] = var(Connection)

    def on_mount(self) -> None:
        """The countdown goes by the second."""
        self.set_interval(1.0, self._tick)

    def watch_connection(self, connection: Connection) -> None:
        """Shows or hides itself; only then, and where it says something else, everything else may have to move."""
        is_lost = connection.phase is Phase.LOST
        self.set_class(is_lost, "-lost")
        if is_lost:
            self.refresh(layout=True)

    def render(self) -> Text:
        """The sentence."""
        told = self.connection
        text = Text(shown(told.reason), style="bold")
        if told.advice:
            text.append(f" {shown(told.advice)}", style="not bold")
        if told.retry_at is not None:
            text.append(f" Next try in {max(0, round(told.retry_at - monotonic())):>2} s (r: now).", style="not bold")
        else:
            text.append(" Trying again…", style="not bold")
        return text

    def _tick(self) -> None:
        if self.connection.phase is Phase.LOST:
            self.refresh()

"""What every whole screen has: the header, why there may be no new picture, the keys, and a least size."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from gpumon.settings import Settings
from gpumon_tui.connection import Connection, Phase
from gpumon_tui.picture import Picture
from gpumon_tui.widgets.banner import ConnectionBanner
from gpumon_tui.widgets.header import ClusterHeader
from gpumon_tui.widgets.keys import KeyLine

SMALLEST = (60, 16)
"""Columns and lines below which nothing sensible fits."""


class FramedScreen(Screen[None]):
    """Header above, keys below; in a terminal that is too small there is a sentence instead."""

    DEFAULT_CSS = """
    FramedScreen { layout: vertical; background: $background; }
    FramedScreen.-lost .body { opacity: 55%; }
    FramedScreen #too-small { display: none; height: 1fr; content-align: center middle; text-align: center; }
    """

    picture: var[Picture] = var(Picture)
    connection: var[Connection] = var(Connection)
    is_paused: var[bool] = var(False)
    trail: var[tuple[str, ...]] = var(())
    """How one came here, from the cluster on: ("Jobs", "4711")."""

    def __init__(self, settings: Settings, label: str) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]
        self.settings = settings
        self.label = label
        """Where the numbers come from, as long as no picture says it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command", "Command", show=False, id="command.open", tooltip="Type a command"),
    ]

    @property
    def path(self) -> tuple[str, ...]:
        """What the trail of a screen that is opened from here begins with."""
        return self.trail

    @property
    def copied(self) -> str:
        """What a key copies: how the thing is named that the screen is about; empty when it is about many."""
        return ""

    @abstractmethod
    def parts(self) -> Iterable[Widget]:
        """What stands between header and keys; what is dimmed when it is old has the class "body"."""

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield ClusterHeader(self.settings, self.label).data_bind(
            FramedScreen.picture, FramedScreen.connection, FramedScreen.is_paused, FramedScreen.trail
        )
        yield ConnectionBanner().data_bind(FramedScreen.connection)
        yield from self.parts()
        yield KeyLine()
        yield Static(markup=False, id="too-small")

    def on_resize(self, event: events.Resize) -> None:
        """Too small a terminal gets a sentence instead of a picture."""
        width, height = event.size
        is_too_small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(is_too_small, "-too-small")
        if is_too_small:
            least = f"{SMALLEST[0]} columns and {SMALLEST[1]} lines"
            self.query_one("#too-small", Static).update(
                Text(f"gpumon needs {least}; this terminal has {width} and {height}.")
            )

    async def action_command(self) -> None:
        """Opens the command line."""
        from gpumon_tui.commands import continuations
        from gpumon_tui.widgets.command_line import CommandLine

        if not self.query(CommandLine):
            line = CommandLine(
                lambda text: continuations(text, self.picture.snapshot, self.sort_keys), came_from=self.focused
            )
            await self.mount(line, before=self.query_one(KeyLine))

    @property
    def sort_keys(self) -> Sequence[str]:
        """By what its rows can be sorted; () when they cannot."""
        return ()

    def watch_connection(self, connection: Connection) -> None:
        """What is old is dimmed."""
        self.set_class(connection.phase is Phase.LOST, "-lost")

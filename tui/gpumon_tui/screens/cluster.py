"""The main screen: header, tabs, the open view, the filter line and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Static

from gpumon.errors import FilterError
from gpumon.settings import Settings
from gpumon_tui.connection import Connection, Phase
from gpumon_tui.picture import History, Picture
from gpumon_tui.views.alerts import AlertsView
from gpumon_tui.views.gpus import GpusView
from gpumon_tui.views.jobs import JobsView
from gpumon_tui.views.nodes import NodesView
from gpumon_tui.views.overview import Overview
from gpumon_tui.views.view import View
from gpumon_tui.widgets.banner import ConnectionBanner
from gpumon_tui.widgets.header import ClusterHeader
from gpumon_tui.widgets.keys import KeyLine
from gpumon_tui.widgets.tabs import TITLES, ViewTabs

if TYPE_CHECKING:
    from gpumon_tui.widgets.filter_line import FilterLine

SMALLEST = (60, 16)
"""Columns and lines below which nothing sensible fits."""


class ClusterScreen(Screen[None]):
    """One view at a time; the number keys, Tab and the mouse go from one to another."""

    DEFAULT_CSS = """
    ClusterScreen { layout: vertical; background: $background; }
    ClusterScreen.-lost View { opacity: 55%; }
    ClusterScreen #too-small { display: none; height: 1fr; content-align: center middle; text-align: center; }
    ClusterScreen.-too-small > * { display: none; }
    ClusterScreen.-too-small > #too-small { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"view_number({key})", title, show=False, id=f"view.{title.lower()}", tooltip=f"Open {title}")
            for key, title in zip("12345", TITLES, strict=True)
        ),
        Binding("tab", "next_view(1)", "View", key_display="Tab", id="view.next", tooltip="Open the next view"),
        Binding("shift+tab", "next_view(-1)", "Previous view", show=False, id="view.previous"),
        Binding("w", "app.focus_next", "Next part", show=False, id="view.part", tooltip="Go to the next part"),
        Binding("slash", "filter", "Filter", key_display="/", id="filter.open", tooltip="Show only matching rows"),
        Binding("escape", "clear_filter", "Clear the filter", show=False, id="filter.drop"),
    ]

    picture: var[Picture] = var(Picture)
    connection: var[Connection] = var(Connection)
    history: var[History] = var(History)
    is_paused: var[bool] = var(False)
    current: var[int] = var(0)
    """Index of the open view."""

    def __init__(self, settings: Settings, label: str) -> None:
        super().__init__()
        self.HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]
        self._settings = settings
        self._label = label
        self._filter_line: FilterLine | None = None
        self.views: Sequence[View] = (
            Overview(settings),
            GpusView(settings),
            NodesView(settings),
            JobsView(settings),
            AlertsView(settings),
        )

    @property
    def view(self) -> View:
        """The open view."""
        return self.views[self.current]

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield ClusterHeader(self._settings, self._label).data_bind(
            ClusterScreen.picture, ClusterScreen.connection, ClusterScreen.is_paused
        )
        yield ViewTabs().data_bind(ClusterScreen.picture, ClusterScreen.current)
        yield ConnectionBanner().data_bind(ClusterScreen.connection)
        for view in self.views:
            yield view.data_bind(ClusterScreen.picture, ClusterScreen.history)
        yield KeyLine()
        yield Static(markup=False, id="too-small")

    async def on_mount(self) -> None:
        """The first view is open from the beginning."""
        await self.view.open()
        self.view.focus_rows()

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

    def watch_connection(self, connection: Connection) -> None:
        """What is old is dimmed."""
        self.set_class(connection.phase is Phase.LOST, "-lost")

    async def action_view_number(self, number: int) -> None:
        """Opens the view of a number key."""
        await self.open_view(number - 1)

    async def open_view(self, index: int) -> None:
        """Opens a view."""
        if index == self.current:
            return
        self.view.close()
        self.current = index
        with self.app.batch_update():
            await self.view.open()
        if self._filter_line is not None:
            self._filter_line.put(self.view.filter_text)
        self.view.focus_rows()
        self.refresh_bindings()

    async def action_next_view(self, step: int) -> None:
        """Opens the view beside this one."""
        await self.open_view((self.current + step) % len(self.views))

    async def action_filter(self) -> None:
        """Opens the filter line."""
        if self._filter_line is None:
            from gpumon_tui.widgets.filter_line import FilterLine

            self._filter_line = FilterLine()
            await self.mount(self._filter_line, before=self.query_one(KeyLine))
        self._filter_line.open(self.view.filter_text)
        self._say_counts()

    def action_clear_filter(self) -> None:
        """Drops the view's filter."""
        if self.view.filter_text:
            self.view.set_filter("")
        if self._filter_line is not None:
            self._filter_line.put("")

    @on(ViewTabs.Wanted)
    async def open_clicked(self, event: ViewTabs.Wanted) -> None:
        """A tab was clicked."""
        await self.open_view(event.index)

    @on(View.Counted)
    def count_rows(self, event: View.Counted) -> None:
        """The filter line says how many rows are left."""
        if event.view is self.view:
            self._say_counts()

    def on_filter_line_changed(self, event: FilterLine.Changed) -> None:
        """Each letter filters; as long as the text is not a filter, every row is shown."""
        try:
            self.view.set_filter(event.text)
        except FilterError as error:
            self.view.set_filter("")
            if self._filter_line is not None:
                self._filter_line.say_wrong(error)

    def on_filter_line_left(self) -> None:
        """The rows have the keys again."""
        if self._filter_line is not None:
            self._filter_line.put(self.view.filter_text)
        self.view.focus_rows()

    def _say_counts(self) -> None:
        line = self._filter_line
        if line is not None and line.text.strip() == self.view.filter_text.strip():
            line.say_count(*self.view.counts)

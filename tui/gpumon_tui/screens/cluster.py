"""The main screen: tabs, the open view, the filter line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.reactive import var
from textual.widget import Widget

from gpumon.errors import FilterError
from gpumon.settings import Settings
from gpumon_tui.memory import Kept, KeptView
from gpumon_tui.picture import History
from gpumon_tui.screens.framed import FramedScreen
from gpumon_tui.widgets.keys import KeyLine
from gpumon_tui.widgets.tabs import TITLES, ViewTabs

if TYPE_CHECKING:
    from gpumon_tui.views.view import View
    from gpumon_tui.widgets.filter_line import FilterLine


class ClusterScreen(FramedScreen):
    """One view at a time; the number keys, Tab and the mouse go from one to another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(f"{n}", f"view_number({n})", title, show=False, id=f"view.{title.lower()}", tooltip=f"Open {title}")
            for n, title in enumerate(TITLES, 1)
        ),
        Binding("tab", "next_view(1)", "View", show=False, id="view.next", tooltip="Open the next view"),
        Binding("shift+tab", "next_view(-1)", "Previous view", show=False, id="view.previous"),
        Binding("w", "app.focus_next", "Next part", show=False, id="view.part", tooltip="Go to the next part"),
        Binding("slash", "filter", "Filter", key_display="/", id="filter.open", tooltip="Show only matching rows"),
        Binding("i", f"view_number({len(TITLES)})", "Idle", id="view.idle-i", tooltip="Show what is held for nothing"),
        Binding("I", "only_idle", "Only idle", show=False, id="filter.idle", tooltip="Only rows that idle, or all"),
        Binding("escape", "clear_filter", "Clear the filter", show=False, id="filter.drop"),
    ]

    history: var[History] = var(History)
    current: var[int] = var(0)
    """Index of the open view."""

    def __init__(self, settings: Settings, label: str, kept: Kept | None = None) -> None:
        """`kept` is how it was left before."""
        super().__init__(settings, label)
        self._filter_line: FilterLine | None = None
        self.views: Sequence[View] = ()
        """None before the first frame is on the screen."""
        self.is_ready = False
        """True once they can be used."""
        self._kept = kept or Kept()
        if self._kept.view in TITLES:
            self.set_reactive(ClusterScreen.current, TITLES.index(self._kept.view))

    @property
    def view(self) -> View:
        """The open view."""
        return self.views[self.current]

    @property
    def kept(self) -> Kept:
        """How it is now; as it was before, as long as it is not ready."""
        if not self.is_ready:
            return self._kept
        arranged = {title: view.kept for title, view in zip(TITLES, self.views, strict=True)}
        return Kept(view=TITLES[self.current], views=arranged)

    @property
    def path(self) -> tuple[str, ...]:
        """The open view."""
        return (TITLES[self.current],)

    @property
    def sort_keys(self) -> Sequence[str]:
        """Those of the open view."""
        return self.view.sort_keys if self.is_ready else ()

    def parts(self) -> Iterable[Widget]:
        """The tabs; the views come as soon as that is on the screen."""
        yield ViewTabs().data_bind(ClusterScreen.picture, ClusterScreen.current)

    def on_mount(self) -> None:
        """The first frame is drawn first."""
        self.call_after_refresh(self.have_views)

    async def have_views(self) -> None:
        """Makes the views and opens one of them."""
        from gpumon_tui.views.all_views import all_views

        self.views = [view.data_bind(ClusterScreen.picture, ClusterScreen.history) for view in all_views(self.settings)]
        for title, view in zip(TITLES, self.views, strict=True):
            view.recall(self._kept.views.get(title, KeptView()))
        with self.app.batch_update():
            await self.mount(*self.views, before=self.query_one(KeyLine))
            self.is_ready = True
            await self.view.open()
            await self._show_filter()
        self.view.focus_rows()

    async def action_view_number(self, number: int) -> None:
        """Opens the view of a number key."""
        await self.open_view(number - 1)

    async def open_view(self, index: int) -> None:
        """Opens a view."""
        if index == self.current:
            return
        if not self.is_ready:
            self.current = index  # opened as soon as it is there
            return
        self.view.close()
        self.current = index
        with self.app.batch_update():
            await self.view.open()
        await self._show_filter()
        self.view.focus_rows()
        self.refresh_bindings()

    async def action_next_view(self, step: int) -> None:
        """Opens the view beside this one."""
        await self.open_view((self.current + step) % len(TITLES))

    async def action_filter(self) -> None:
        """Opens the filter line."""
        (await self._have_filter_line()).open(self.view.filter_text)
        self._say_counts()

    async def action_only_idle(self) -> None:
        """Leaves only what is held for nothing, or everything again."""
        wanted = self.view.idle_filter
        await self.filter_by("" if self.view.filter_text == wanted else wanted)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """What idles can be asked of some views only; nothing can be filtered before there is a view."""
        if action in ("filter", "clear_filter", "only_idle") and not self.is_ready:
            return False
        return action != "only_idle" or bool(self.view.idle_filter)

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

    async def on_view_narrowed(self, event: View.Narrowed) -> None:
        """A row stands for others, which are shown alone."""
        await self.filter_by(event.filter_text)

    def on_view_counted(self, event: View.Counted) -> None:
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

    async def filter_by(self, text: str) -> None:
        """Filters the open view; the rows have the keys.

        Raises:
            FilterError: the text is not a filter.
        """
        self.view.set_filter(text)
        (await self._have_filter_line()).put(text)
        self._say_counts()
        self.view.focus_rows()

    async def _show_filter(self) -> None:
        """A view that is filtered says so."""
        if self._filter_line is not None or self.view.filter_text:
            (await self._have_filter_line()).put(self.view.filter_text)
            self._say_counts()

    async def _have_filter_line(self) -> FilterLine:
        """The line, made when it is first needed: most people never filter."""
        if self._filter_line is None:
            from gpumon_tui.widgets.filter_line import FilterLine

            self._filter_line = FilterLine()
            await self.mount(self._filter_line, before=self.query_one(KeyLine))
        return self._filter_line

    def _say_counts(self) -> None:
        line = self._filter_line
        if line is not None and line.text.strip() == self.view.filter_text.strip():
            line.say_count(*self.view.counts)

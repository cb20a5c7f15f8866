"""The line of views: their numbers, names and counts; a click goes there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive, var

from gpumon import units
from gpumon_tui.picture import Picture
from gpumon_tui.widgets.row import Line

TITLES = ("Overview", "GPUs", "Nodes", "Jobs", "Alerts", "Idle")
"""The views in the order of their number keys."""


class ViewTabs(Line):
    """Which view is open and which others there are."""

    DEFAULT_CSS = "ViewTabs { background: $surface; }"

    picture: reactive[Picture] = reactive(Picture)
    current: reactive[int] = reactive(0)
    """Index of the view that is open."""
    _ends: var[tuple[int, ...]] = var(())

    @dataclass
    class Wanted(Message):
        """Somebody clicked on a view's name."""

        index: int

    def render(self) -> Text:
        """The line; where it is too long, what parts the views goes first."""
        line, ends = self._line(" ")
        if line.cell_len > self.size.width:
            line, ends = self._line("")
        self.set_reactive(ViewTabs._ends, tuple(ends))
        return line

    def _line(self, gap: str) -> tuple[Text, Sequence[int]]:
        """And where each view ends on it."""
        line, ends = Text(no_wrap=True, end=""), list[int]()
        for index, title in enumerate(TITLES):
            is_open = index == self.current
            line.append(f" {index + 1} ", style=self._style("primary" if is_open else "quiet", is_open=is_open))
            title_style = self._style("foreground" if is_open else "quiet", is_open=is_open)
            line.append(title, style=f"underline {title_style}" if is_open else title_style)
            count, colour = self._count(index)
            line.append(f" {count} " if count else " ", style=self._style(colour, is_open=is_open))
            ends.append(line.cell_len)
            line.append(gap)
        return line, ends

    def on_click(self, event: events.Click) -> None:
        """Goes to the view under the mouse."""
        index = next((index for index, end in enumerate(self._ends) if event.x < end), None)
        if index is not None:
            self.post_message(self.Wanted(index))

    def _style(self, colour: str, *, is_open: bool) -> str:
        colours = self.ink(colour)
        return f"bold {colours} on {self.ink('panel')}" if is_open else colours

    def _count(self, index: int) -> tuple[str, str]:
        told, snapshot = self.picture.totals, self.picture.snapshot
        if self.picture.is_empty:
            return "", "quiet"
        if TITLES[index] == "GPUs":
            return units.count(told.gpus), "quiet"
        if TITLES[index] == "Nodes":
            return units.count(told.nodes), "quiet"
        if TITLES[index] == "Jobs":
            known = [each for each in (told.jobs_running, told.jobs_pending) if each is not None]
            return (units.count(sum(known)) if known else ""), "quiet"
        if TITLES[index] == "Alerts" and snapshot.alerts is not None:
            return units.count(told.alerts_firing), "hot" if told.alerts_firing else "quiet"
        if TITLES[index] == "Idle" and told.gpus_idle is not None:
            return units.count(told.gpus_idle), "warm" if told.gpus_idle else "quiet"
        return "", "quiet"

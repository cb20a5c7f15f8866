"""The app: what is global to the dashboard: the poller, the picture, pause, themes, help and quitting."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from msgspec import structs
from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.reactive import var
from textual.screen import Screen

from gpumon import garbage
from gpumon.errors import GpumonError
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.source import ClusterSource
from gpumon.text import shown
from gpumon_tui.ascii import AsciiFilter, is_poor
from gpumon_tui.connection import Connection, Phase, wait_after
from gpumon_tui.history import CLUSTER_SECONDS, GpuHistory, HistoryQuestion, answer
from gpumon_tui.memory import Kept, Memory
from gpumon_tui.messages import GpuChosen, JobChosen, NodeChosen
from gpumon_tui.palette import commands_of
from gpumon_tui.picture import History, Picture, take_picture
from gpumon_tui.screens.cluster import ClusterScreen
from gpumon_tui.screens.framed import FramedScreen
from gpumon_tui.source_thread import SourceThread
from gpumon_tui.themes import DEFAULTS, THEMES, next_theme, theme_name
from gpumon_tui.thrift import thrifty

if TYPE_CHECKING:
    from gpumon_tui.screens.detail import DetailScreen
    from gpumon_tui.widgets.command_line import CommandLine

_DEFAULT_INTERVAL_SECONDS = 15.0
_SHORTEST_INTERVAL_SECONDS = 1.0
_HISTORY_POINTS = 120
_INTERVALS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Seconds between refreshes that two keys go through."""


class GpumonApp(App[None]):
    """One poller asks the source; its picture goes down to the screens, messages come up."""

    TITLE = "gpumon"
    CSS_PATH = "gpumon.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", id="app.pause", tooltip="Hold the picture, or let it go on"),
        Binding("r,f5", "refresh_now", "Refresh", id="app.refresh", tooltip="Ask the source now"),
        Binding("plus", "interval(1)", "Slower", show=False, id="app.slower", tooltip="Refresh less often"),
        Binding("minus", "interval(-1)", "Faster", show=False, id="app.faster", tooltip="Refresh more often"),
        Binding("y", "copy", "Copy", show=False, id="app.copy", tooltip="Copy the name of what is chosen"),
        Binding("question_mark", "help", "Help", key_display="?", id="app.help", tooltip="Show the keys"),
        Binding("f1", "help", "Help", id="app.help-f1", tooltip="Show the keys"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Leave"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True, id="app.interrupt", tooltip="Leave"),
    ]

    picture: var[Picture] = var(Picture)
    """What is on the screen."""
    connection: var[Connection] = var(Connection)
    history: var[History] = var(History)
    gpu_history: var[GpuHistory] = var(GpuHistory)
    """The answer to the last question of a screen about one thing."""
    is_paused: var[bool] = var(False)

    def __init__(
        self,
        source: ClusterSource,
        settings: Settings,
        *,
        interval: float | None = None,
        memory: Memory | None = None,
    ) -> None:
        """Without `memory` it begins afresh."""
        super().__init__()
        self.settings = settings
        self._memory = memory
        self._kept = Kept() if memory is None else memory.recall()
        self._asked_interval = settings.interval_seconds if interval is None else interval
        self._thread = SourceThread(source)
        self._wake = asyncio.Event()
        self._is_wanted_now = False
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = theme_name(settings.theme, has_colour=not self.no_color)
        was, wanted = self._kept.theme, self._kept.configured_theme
        if was in self.available_themes and wanted == settings.theme and not self.no_color:
            self.theme = was
        self.set_keymap(dict(settings.tui.keys))
        self._ascii = AsciiFilter(is_poor(os.environ, sys.__stdout__.encoding if sys.__stdout__ else None))

    @property
    def snapshot(self) -> ClusterSnapshot:
        """The cluster as it is on the screen."""
        return self.picture.snapshot

    @property
    def interval(self) -> float:
        """Seconds between refreshes: as asked for, else as often as the source itself has new numbers."""
        known = self._asked_interval or self.snapshot.scrape_interval_seconds or _DEFAULT_INTERVAL_SECONDS
        return max(_SHORTEST_INTERVAL_SECONDS, known)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our colours under a theme that does not know them."""
        return dict(DEFAULTS)

    def get_driver_class(self) -> type[Driver]:
        """Textual's for this terminal, with fewer bytes on the way to it."""
        return thrifty(super().get_driver_class())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's, and the one for poor terminals."""
        return [*super().get_line_filters(), *([self._ascii] if self._ascii.enabled else [])]

    def get_default_screen(self) -> Screen[None]:
        """The cluster."""
        self._cluster = ClusterScreen(self.settings, self._thread.source.label, self._kept)
        return self._cluster.data_bind(GpumonApp.picture, GpumonApp.connection, GpumonApp.history, GpumonApp.is_paused)

    def on_mount(self) -> None:
        """The source is asked once the first frame is on the screen."""
        self._thread.start()
        self.call_after_refresh(self.poll)
        if self._memory is not None and self._memory.notice:
            self.notify(self._memory.notice, severity="warning", markup=False)

    def on_unmount(self) -> None:
        """Lets go of the source."""
        self._thread.stop()

    @work(exclusive=True, group="poll")
    async def poll(self) -> None:
        """Asks again and again; what fails as expected leaves the old picture and is tried again, ever later."""
        failures = 0
        while True:
            asked_at = monotonic()
            try:
                picture = await self._thread.ask(lambda source: take_picture(source, self.settings.thresholds))
            except GpumonError as error:
                failures += 1
                wait = wait_after(failures)
                self._lose(error, wait)
                await self._rest(partial(float, monotonic() + wait))
            else:
                failures = 0
                self._show(picture)
                await self._rest(partial(self._due, asked_at, monotonic()))
            self._forget_retry()

    @work(exclusive=True, group="history")
    async def fetch_history(self) -> None:
        """Asks for what the chart shows."""
        try:
            points = await self._thread.ask(lambda source: source.utilization_history(CLUSTER_SECONDS, _HISTORY_POINTS))
        except GpumonError as error:
            self.history = History(reason=error.message)
        else:
            self.history = History(points, "" if points else "The source holds no history of utilization.")

    def on_overview_history_wanted(self) -> None:
        """The chart came into sight or grew old."""
        self.fetch_history()

    @work(exclusive=True, group="gpu-history")
    async def fetch_gpu_history(self, questions: tuple[HistoryQuestion, ...]) -> None:
        """Asks for what the charts of a screen about one thing show, one after the other."""
        for question in questions:
            self.gpu_history = await self._thread.ask(partial(answer, question))

    def on_detail_screen_history_wanted(self, event: DetailScreen.HistoryWanted) -> None:
        """Such charts came into sight, changed or grew old."""
        self.fetch_gpu_history(event.questions)

    @on(JobChosen)
    def show_job(self, event: JobChosen) -> None:
        """Opens the screen of one job."""
        from gpumon_tui.screens.job import JobScreen

        job = self.snapshot.job_by_id.get(event.job)
        name = event.job if job is None else job.shown_id
        self._open_detail(JobScreen(self.settings, self._thread.source.label, event.job, self._trail_to(name)))

    @on(NodeChosen)
    def show_node(self, event: NodeChosen) -> None:
        """Opens the screen of one node."""
        from gpumon_tui.screens.node import NodeScreen

        trail = self._trail_to(event.node)
        self._open_detail(NodeScreen(self.settings, self._thread.source.label, event.node, trail))

    @on(GpuChosen)
    def show_gpu(self, event: GpuChosen) -> None:
        """Opens the screen of one GPU."""
        from gpumon_tui.screens.gpu import GpuScreen

        gpu = self.snapshot.gpu_by_key.get(event.gpu)
        name = event.gpu if gpu is None else f"{gpu.node} GPU {gpu.device.number}"
        self._open_detail(GpuScreen(self.settings, self._thread.source.label, event.gpu, self._trail_to(name)))

    async def action_open_view(self, number: int) -> None:
        """Opens a view of the cluster by its number key, from whatever screen."""
        while isinstance(self.screen, FramedScreen) and not isinstance(self.screen, ClusterScreen):
            await self.pop_screen()
        if isinstance(self.screen, ClusterScreen):
            await self.screen.open_view(number - 1)

    async def action_quit(self) -> None:
        """Leaves, and remembers how everything was."""
        self._keep()
        await super().action_quit()

    def action_pause(self) -> None:
        """Holds the picture, or lets it go on at once."""
        self.is_paused = not self.is_paused
        self._is_wanted_now = not self.is_paused
        self._wake.set()

    def action_refresh_now(self) -> None:
        """Asks now, even while paused."""
        self._is_wanted_now = True
        self._wake.set()

    def action_interval(self, step: int) -> None:
        """Refreshes more or less often."""
        longer = [seconds for seconds in _INTERVALS if seconds > self.interval]
        shorter = [seconds for seconds in _INTERVALS if seconds < self.interval]
        self.refresh_every((longer or _INTERVALS[-1:])[0] if step > 0 else (shorter or _INTERVALS[:1])[-1])

    def refresh_every(self, seconds: float | None) -> None:
        """Refreshes that often from now on; None for the source's own pace."""
        self._asked_interval = seconds
        if self.connection.interval_seconds is not None:
            self.connection = structs.replace(self.connection, interval_seconds=self.interval)
        self._wake.set()

    def action_copy(self) -> None:
        """Copies the name of what is chosen; the terminal does it."""
        from gpumon_tui.widgets.lines import Lines

        text = self.screen.copied if isinstance(self.screen, FramedScreen) else ""
        text = text or (self.focused.copied if isinstance(self.focused, Lines) else "")
        if text:
            self.copy_to_clipboard(text)
            self.notify(f"Copied {shown(text, 60)}", markup=False, timeout=2.0)

    async def on_command_line_entered(self, event: CommandLine.Entered) -> None:
        """Does what was typed, or says why not."""
        from gpumon_tui.commands import NotACommand, parse_command
        from gpumon_tui.doing import do_command

        if not event.text.strip():
            await event.line.leave()
            return
        try:
            command = parse_command(event.text)
            await do_command(self, command)
        except NotACommand as error:
            event.line.say_wrong(str(error))
        else:
            await event.line.leave()

    def action_help(self) -> None:
        """Shows the keys that are valid here."""
        from gpumon_tui.screens.help import HelpScreen

        bindings = self.screen.active_bindings.values()
        self.push_screen(HelpScreen(bindings, is_simulated=self.snapshot.is_simulated))

    def action_turn_theme(self) -> None:
        """Goes to the next of our themes."""
        self.theme = next_theme(self.theme)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the palette offers beside Textual's own."""
        yield from super().get_system_commands(screen)
        yield from commands_of(screen)
        yield SystemCommand("Next theme", "Dark, light, colour-blind safe, monochrome", self.action_turn_theme)

    def _keep(self) -> None:
        """Remembers how everything is arranged, if that has changed: a terminal that is closed says no farewell."""
        kept = structs.replace(self._cluster.kept, theme=self.theme, configured_theme=self.settings.theme)
        if self._memory is not None and kept != self._kept:
            self._kept = kept
            self._memory.keep(kept)

    def _trail_to(self, name: str) -> tuple[str, ...]:
        return (*(self.screen.path if isinstance(self.screen, FramedScreen) else ()), name)

    def _open_detail(self, screen: DetailScreen) -> None:
        self.push_screen(
            screen.data_bind(
                GpumonApp.picture, GpumonApp.connection, GpumonApp.is_paused, gpu_history=GpumonApp.gpu_history
            )
        )

    def _show(self, picture: Picture) -> None:
        is_first = self.picture.is_empty
        with self.batch_update():
            self.picture = picture
            self.connection = Connection(
                Phase.LIVE,
                answered_at=monotonic(),
                interval_seconds=self.interval,
            )
        self._keep()
        if is_first:
            self._settle()

    def _settle(self) -> None:
        """All is loaded; nothing has been collected since the start."""
        if not self.is_headless:
            self.call_after_refresh(garbage.settle)

    def _lose(self, error: GpumonError, wait: float) -> None:
        retry_at = None if self.is_paused else monotonic() + wait
        self.connection = structs.replace(
            self.connection, phase=Phase.LOST, reason=error.message, advice=error.advice, retry_at=retry_at
        )
        if self.picture.is_empty:
            self._settle()

    def _forget_retry(self) -> None:
        if self.connection.retry_at is not None:
            self.connection = structs.replace(self.connection, retry_at=None)

    def _due(self, asked_at: float, answered_at: float) -> float:
        """When the source is asked again: the interval may be changed meanwhile."""
        return max(answered_at + _SHORTEST_INTERVAL_SECONDS, asked_at + self.interval)

    async def _rest(self, until: Callable[[], float]) -> None:
        """Waits until it is time, or until somebody wants an answer now; a held picture waits for that alone."""
        while not self._is_wanted_now:
            left = None if self.is_paused else until() - monotonic()
            if left is not None and left <= 0:
                break
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), left)
            except asyncio.TimeoutError:
                break
        self._is_wanted_now = False

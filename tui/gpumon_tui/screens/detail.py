"""What every screen about one thing has: the way back, and the history of its GPUs over a range that keys change."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var

from gpumon.settings import Settings
from gpumon_tui.history import FIRST_RANGE, FRESH_SECONDS, MOST_GPUS, RANGES, GpuHistory, HistoryQuestion
from gpumon_tui.picture import Picture
from gpumon_tui.screens.framed import FramedScreen
from gpumon_tui.widgets.history_chart import METRICS, GpuHistoryChart
from gpumon_tui.widgets.tabs import TITLES


class DetailScreen(FramedScreen):
    """Opened over the cluster and closed with Esc; its chart asks for history when it is opened, changed or old."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", key_display="Esc", id="detail.back", tooltip="Go back"),
        Binding("left_square_bracket", "range(-1)", "Shorter", key_display="[", id="chart.shorter",
                tooltip="Shorter history"),
        Binding("right_square_bracket", "range(1)", "Longer", key_display="]", id="chart.longer",
                tooltip="Longer history"),
        *(
            Binding(f"{n}", f"app.open_view({n})", title, show=False, id=f"detail.{n}", tooltip=f"Open {title}")
            for n, title in enumerate(TITLES, 1)
        ),
        Binding("i", f"app.open_view({len(TITLES)})", "Idle", show=False, id="detail.i", tooltip="Open Idle"),
        Binding("m", "metric", "Metric", id="chart.metric", tooltip="History of another number"),
    ]  # fmt: skip

    gpu_history: var[GpuHistory] = var(GpuHistory)

    @dataclass
    class HistoryWanted(Message):
        """The chart is seen, and what it shows is old or something else is wanted."""

        question: HistoryQuestion

    def __init__(self, settings: Settings, label: str, trail: tuple[str, ...]) -> None:
        super().__init__(settings, label)
        self.set_reactive(FramedScreen.trail, trail)
        self.chart = GpuHistoryChart(settings.units)
        self._range = FIRST_RANGE
        self._metric = 0
        self._asked: HistoryQuestion | None = None
        self._asked_at = 0.0

    @property
    @abstractmethod
    def charted(self) -> tuple[str, ...]:
        """Keys of the GPUs whose history is shown; () when there is none to show."""

    @property
    def is_over(self) -> bool:
        """True when it is gone, so that its history does not grow any more."""
        return False

    @abstractmethod
    def show(self, picture: Picture) -> None:
        """Puts a picture on the screen's parts."""

    def on_mount(self) -> None:
        """What is known already is shown at once."""
        self._set_chart()
        self.watch_picture(self.picture)

    def watch_picture(self, picture: Picture) -> None:
        """A new picture is shown at once; history only when the last one is old."""
        if self.chart.is_attached:
            self.show(picture)
            self._want_history()

    def watch_gpu_history(self, history: GpuHistory) -> None:
        """Only an answer to the last question is shown."""
        if history.question is not None and history.question == self._asked:
            self.chart.history = history

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Where there is no chart, there is nothing to ask of it."""
        return action not in ("range", "metric") or bool(self.charted)

    def action_back(self) -> None:
        """Goes back to where one came from."""
        self.dismiss()

    def action_range(self, step: int) -> None:
        """Another range; the shortest and the longest are ends."""
        self._range = max(0, min(self._range + step, len(RANGES) - 1))
        self._set_chart()
        self._want_history()

    def action_metric(self) -> None:
        """Another number."""
        self._metric = (self._metric + 1) % len(METRICS)
        self._set_chart()
        self._want_history()

    def _set_chart(self) -> None:
        self.chart.range, self.chart.metric = RANGES[self._range], METRICS[self._metric]

    def _want_history(self) -> None:
        keys = self.charted[:MOST_GPUS]
        question = HistoryQuestion(keys, METRICS[self._metric].field, RANGES[self._range].seconds)
        is_fresh = question == self._asked and (self.is_over or monotonic() - self._asked_at < FRESH_SECONDS)
        if keys and not is_fresh:
            self._asked, self._asked_at = question, monotonic()
            self.post_message(self.HistoryWanted(question))

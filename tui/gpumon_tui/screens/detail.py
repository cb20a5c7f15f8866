"""What every screen about one thing has: the way back, and the history of its GPUs over a range that keys change."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var

from gpumon.settings import Settings
from gpumon_tui.history import FRESH_SECONDS, MOST_GPUS, RANGES, GpuHistory, HistoryQuestion
from gpumon_tui.picture import Picture
from gpumon_tui.screens.framed import FramedScreen
from gpumon_tui.widgets.charts import GpuCharts
from gpumon_tui.widgets.history_chart import METRICS, Metric
from gpumon_tui.widgets.tabs import TITLES


class DetailScreen(FramedScreen):
    """Opened over the cluster and closed with Esc; its charts ask for history when they are opened, changed or old."""

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

    metrics: ClassVar[Sequence[Metric]] = METRICS
    """What its charts can show."""
    gpu_history: var[GpuHistory] = var(GpuHistory)

    @dataclass
    class HistoryWanted(Message):
        """Charts are seen, and what they show is old or something else is wanted."""

        questions: tuple[HistoryQuestion, ...]

    def __init__(self, settings: Settings, label: str, trail: tuple[str, ...]) -> None:
        super().__init__(settings, label)
        self.set_reactive(FramedScreen.trail, trail)
        self.charts = GpuCharts(settings.units, self.metrics)
        self._asked: tuple[HistoryQuestion, ...] = ()
        self._asked_at = 0.0

    @property
    @abstractmethod
    def charted(self) -> tuple[str, ...]:
        """Keys of the GPUs whose history is shown; () when there is none to show."""

    @property
    def charted_nodes(self) -> tuple[str, ...]:
        """Names of the nodes whose own history is shown."""
        return ()

    @property
    def is_over(self) -> bool:
        """True when it is gone, so that its history does not grow any more."""
        return False

    @abstractmethod
    def show(self, picture: Picture) -> None:
        """Puts a picture on the screen's parts."""

    def on_mount(self) -> None:
        """What is known already is shown at once."""
        self.watch_picture(self.picture)

    def watch_picture(self, picture: Picture) -> None:
        """A new picture is shown at once; history only when the last one is old."""
        if self.charts.is_attached:
            self.show(picture)
            self._want_history()

    def watch_gpu_history(self, history: GpuHistory) -> None:
        """Only an answer to the last questions is shown."""
        if history.question in self._asked:
            self.charts.take(history)

    @on(GpuCharts.Arranged)
    def ask_again(self) -> None:
        """Another number of charts has room."""
        self._want_history()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Where there is no chart, there is nothing to ask of it; where all are shown, there is no other."""
        if action not in ("range", "metric"):
            return True
        seen = len(self.charts.seen) if self.charted or self.charted_nodes else 0
        return seen > 0 and (action == "range" or seen < len(self.charts.charts))

    def action_back(self) -> None:
        """Goes back to where one came from."""
        self.dismiss()

    def action_range(self, step: int) -> None:
        """Another range."""
        self.charts.turn_range(step)
        self._want_history()

    def action_metric(self) -> None:
        """Another number."""
        self.charts.turn_metric()
        self._want_history()

    def _want_history(self) -> None:
        questions = tuple(question for chart in self.charts.seen if (question := self._question(chart.metric)).keys)
        is_fresh = questions == self._asked and (self.is_over or monotonic() - self._asked_at < FRESH_SECONDS)
        if questions and not is_fresh:
            self._asked, self._asked_at = questions, monotonic()
            self.post_message(self.HistoryWanted(questions))

    def _question(self, metric: Metric) -> HistoryQuestion:
        keys = self.charted_nodes if metric.is_of_node else self.charted[:MOST_GPUS]
        return HistoryQuestion(keys, metric.field, RANGES[self.charts.range].seconds, metric.is_of_node)

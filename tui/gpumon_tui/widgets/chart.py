"""Mean utilization of all GPUs over the last half hour."""

from __future__ import annotations

from rich.text import Text
from textual.color import Color
from textual.reactive import reactive

from gpumon.text import shown
from gpumon_tui.history import CLUSTER_SECONDS
from gpumon_tui.picture import History
from gpumon_tui.widgets.row import Line


class UtilizationChart(Line):
    """A line of history, drawn anew only when there is new history or another size."""

    history: reactive[History] = reactive(History)

    def render(self) -> Text:
        """The chart, or why there is none."""
        width, height = self.size
        title = Text("Mean utilization, last 30 minutes", style=f"bold {self.ink('quiet')}")
        if not self.history.points:
            reason = shown(self.history.reason) or "No history yet."
            return Text("\n").join([title, Text(reason, style=self.ink("quiet"))])
        if width < 20 or height < 6:
            return title
        from gpumon_tui.charts import SHARES, Curve, Span, draw_curves

        points = self.history.points
        curve = Curve(points, Color.parse(self.app.theme_variables["heat-7"]).rgb)
        drawn = draw_curves((curve,), SHARES, Span(CLUSTER_SECONDS, points[-1].at), width, height - 1)
        chart = Text.from_ansi(drawn)
        chart.no_wrap = True
        return Text("\n").join([title, chart])

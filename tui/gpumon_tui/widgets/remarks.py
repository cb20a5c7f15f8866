"""What is wrong with one part of the picture, said where that part is shown."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from gpumon.model import Problem, Severity
from gpumon.text import shown
from gpumon_tui.tones import SEVERITY_SIGNS
from gpumon_tui.widgets.row import Line

_COLOURS = {Severity.NOTE: "quiet", Severity.WARNING: "warm", Severity.ERROR: "hot"}


class PartRemarks(Line):
    """One line per problem, two at most with the number of the others; absent while there is none."""

    DEFAULT_CSS = "PartRemarks { height: 0; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._problems: tuple[Problem, ...] = ()

    def put(self, problems: Sequence[Problem]) -> None:
        """Shows problems, the worst first."""
        worst = tuple(sorted(problems, key=lambda each: -list(Severity).index(each.severity)))
        if worst != self._problems:
            self._problems = worst
            self.styles.height = min(2, len(worst))
            self.refresh()

    def render(self) -> Text:
        """The lines."""
        lines = [self._line(problem) for problem in self._problems[:2]]
        others = len(self._problems) - 2
        if others > 0:
            more = f"  +{others} more (5 Alerts)"
            lines[-1].truncate(max(0, self.size.width - len(more)), overflow="ellipsis")
            lines[-1].append(more, style=self.ink("quiet"))
        return Text("\n", no_wrap=True).join(lines)

    def _line(self, problem: Problem) -> Text:
        line = Text(
            f"{SEVERITY_SIGNS[problem.severity]} {shown(problem.text)}", style=self.ink(_COLOURS[problem.severity])
        )
        if problem.advice:
            line.append(f" {shown(problem.advice)}", style=self.ink("quiet"))
        line.truncate(self.size.width, overflow="ellipsis")
        return line

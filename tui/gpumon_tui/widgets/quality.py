"""How good the data is: which exporters were found in which spelling, what they lack, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from gpumon import units
from gpumon.model import ClusterSnapshot, Dialect, Problem, Severity
from gpumon.text import shown
from gpumon_tui.picture import Picture
from gpumon_tui.tones import SEVERITY_SIGNS, SEVERITY_TONES
from gpumon_tui.widgets.folding import fold
from gpumon_tui.widgets.lines import Lines, joined

_LONG_AGO_SECONDS = 300.0


class DataQuality(Lines, can_focus=True):
    """Problems first, then each source with what it lacks; folded to the width, scrolled by line."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"quality--{part}" for part in ("head", "good", "warn", "bad", "quiet")}
    DEFAULT_CSS = """
    DataQuality {
        .quality--head { color: $quiet; text-style: bold; }
        .quality--good { color: $success; }
        .quality--warn { color: $warm; }
        .quality--bad { color: $hot; }
        .quality--quiet { color: $quiet; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "Down", show=False, id="quality.down"),
        Binding("up,k", "scroll_up", "Up", show=False, id="quality.up"),
        Binding("home,g", "scroll_home", "Top", show=False, id="quality.first"),
        Binding("end,G", "scroll_end", "Bottom", show=False, id="quality.last"),
    ]
    head_height = 1

    def __init__(self) -> None:
        super().__init__()
        self._picture = Picture()
        self._lines: tuple[tuple[str, str], ...] = ()

    def put(self, picture: Picture) -> None:
        """Shows the quality of a picture's data."""
        self._picture = picture
        self._fold()

    def on_resize(self) -> None:
        """Another width folds otherwise."""
        self._fold()
        self.redraw_all()

    def draw_head(self) -> Strip:
        """The title."""
        return joined([("DATA QUALITY", self.style("quality--head"))])

    def draw(self, number: int) -> Strip:
        """One folded line."""
        if number >= len(self._lines):
            return Strip([])
        text, tone = self._lines[number]
        return joined([(text, self._ink(tone))])

    def _ink(self, tone: str) -> Style:
        return self.style(f"quality--{tone}") if tone else self.style()

    def _fold(self) -> None:
        width = self.inner_width
        told = ((line, tone) for text, tone in sentences(self._picture) for line in fold(text, width))
        self._lines = tuple(told) if width else ()
        self.extend_to(width, len(self._lines))
        self.redraw()


def sentences(picture: Picture) -> Iterator[tuple[str, str]]:
    """Everything that is to be said, with its tone; what is indented stays so when it is folded."""
    if picture.is_empty:
        yield "Waiting for the first data…", "quiet"
        return
    snapshot = picture.snapshot
    for problem in sorted(snapshot.problems, key=lambda each: -list(Severity).index(each.severity)):
        yield from _of_problem(problem)
    for dialect in snapshot.dialects:
        yield from _of_dialect(dialect, snapshot)
    if not snapshot.dialects:
        yield "No exporter was recognized.", "bad"
    if snapshot.queries:
        yield (
            f"Read {snapshot.tier.value}; {snapshot.queries} requests in {snapshot.read_seconds * 1000:.0f} ms.",
            "quiet",
        )


def _of_problem(problem: Problem) -> Iterator[tuple[str, str]]:
    yield f"{SEVERITY_SIGNS[problem.severity]} {problem.part}: {shown(problem.text)}", SEVERITY_TONES[problem.severity]
    if problem.advice:
        yield f"  {shown(problem.advice)}", "quiet"


def _of_dialect(dialect: Dialect, snapshot: ClusterSnapshot) -> Iterator[tuple[str, str]]:
    seconds = None if dialect.newest_at is None else max(0.0, snapshot.taken_at - dialect.newest_at)
    variant = f" ({shown(dialect.variant)})" if dialect.variant else ""
    targets = f", {dialect.targets} target{'' if dialect.targets == 1 else 's'}" if dialect.targets is not None else ""
    is_old = seconds is not None and seconds > _LONG_AGO_SECONDS
    newest = "" if seconds is None else f", newest sample {units.age(seconds)} old"
    said = f"{dialect.part}: {shown(dialect.name)}{variant}{targets}{newest}"
    yield (f"! {said}", "warn") if is_old else (f"✓ {said}", "good")
    for lack in dialect.lacks:
        yield f"  – {shown(lack.metric)} is not exported: no {shown(lack.disables)}", ""
        if lack.remedy:
            yield f"    {shown(lack.remedy)}", "quiet"

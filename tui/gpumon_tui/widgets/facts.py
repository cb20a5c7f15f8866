"""What is known about one thing, as labelled facts that flow into as many lines as they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec
from rich.text import Text

from gpumon.units import MISSING
from gpumon_tui.widgets.bar import bar
from gpumon_tui.widgets.row import Line

_GAP = "   "
_BAR = 24
_STEP = 4
"""Facts begin at multiples of it, so that they stay where they are when the numbers before them grow by a digit."""


class Fact(msgspec.Struct, frozen=True):
    """One thing that is known."""

    label: str
    """May be empty."""
    value: str
    """For people, without control characters."""
    tone: str = "foreground"
    """Theme variable of the value's colour."""
    share: float | None = None
    """Drawn as a bar before the value; None for no bar."""
    is_loud: bool = False
    """Drawn as a badge: light on the tone's colour."""


FactLine: TypeAlias = "Sequence[Fact]"
"""Facts that belong together; they begin on a line of their own."""


def known(label: str, value: str, tone: str = "foreground") -> Fact:
    """A fact, or a quiet dash when it is not known."""
    is_known = bool(value) and not value.startswith(MISSING)
    return Fact(label, value or MISSING, tone if is_known else "quiet")


class Facts(Line):
    """Facts line by line; what does not fit on a line goes on to the next."""

    DEFAULT_CSS = "Facts { height: auto; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._lines: Sequence[FactLine] = ()

    def put(self, lines: Sequence[FactLine]) -> None:
        """Shows facts."""
        if lines != self._lines:
            self._lines = lines
            self.refresh(layout=True)

    def get_content_height(self, container: object, viewport: object, width: int) -> int:  # noqa: ARG002 - Textual's
        """As many lines as the facts take."""
        return sum(1 for _ in self._flowing(width))

    def render(self) -> Text:
        """The lines."""
        return Text("\n", no_wrap=True, end="").join(self._flowing(self.size.width))

    def _flowing(self, width: int) -> Iterator[Text]:
        for facts in self._lines:
            line = Text(no_wrap=True, end="")
            for fact in facts:
                piece = self._piece(fact)
                if line.cell_len and line.cell_len + len(_GAP) + _STEP - 1 + piece.cell_len > width:
                    yield line
                    line = Text(no_wrap=True, end="")
                if line.cell_len:
                    line.append(" " * (len(_GAP) + -(line.cell_len + len(_GAP)) % _STEP))
                piece.truncate(max(1, width), overflow="ellipsis")
                line.append_text(piece)
            yield line

    def _piece(self, fact: Fact) -> Text:
        piece, colour = Text(no_wrap=True, end=""), self.ink(fact.tone)
        if fact.label:
            piece.append(f"{fact.label} ", style=self.ink("quiet"))
        if fact.share is not None:
            piece.append(bar(fact.share, _BAR), style=f"{colour} on {self.ink('track')}")
            piece.append(" ")
        if fact.is_loud:
            piece.append(f" {fact.value} ", style=f"bold {self.ink('background')} on {colour}")
        else:
            piece.append(fact.value, style=colour if fact.tone == "quiet" else f"bold {colour}")
        return piece

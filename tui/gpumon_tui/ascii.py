"""The screen for terminals that know nothing but ASCII: every other character as one that resembles it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_POOR_TERMINALS = ("linux", "dumb", "vt100", "vt102", "vt220", "ansi", "cons25")
_LOOKALIKES = {
    **dict.fromkeys("█▉▊▋▌▇▆▅▄", "#"),
    **dict.fromkeys("▍▎▏▃▂▁", " "),
    **dict.fromkeys("─━—╌", "-"),
    **dict.fromkeys("│┃", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰", "+"),
    **dict.fromkeys("·•", "."),
    **dict.fromkeys("×✗", "x"),
    "–": "-", "…": "~", "›": ">", "●": "*", "✓": "v", "▲": "^", "▼": "v", "▸": "+", "▾": "-", "⏎": "<", "°": "'",
}  # fmt: skip
_TABLE = str.maketrans(_LOOKALIKES)


class AsciiFilter(LineFilter):
    """Changes what is written, not what is shown: no screen knows of it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's
        """The same line in ASCII, cell for cell."""
        return [
            segment if segment.control or segment.text.isascii() else Segment(in_ascii(segment.text), segment.style)
            for segment in segments
        ]


def in_ascii(text: str) -> str:
    """`text` in as many cells of ASCII: dots of a chart as stars, letters that are not known as question marks."""
    told = text.translate(_TABLE)
    return told if told.isascii() else "".join(letter if letter.isascii() else _plain(letter) for letter in told)


def is_poor(environ: Mapping[str, str], encoding: str | None) -> bool:
    """True for a terminal that draws no blocks and dots: by its name, or because it does not speak UTF-8."""
    terminal = environ.get("TERM", "")
    return terminal in _POOR_TERMINALS or (encoding or "utf-8").lower().replace("-", "") not in ("utf8", "utf8sig")


def _plain(letter: str) -> str:
    if "\u2800" <= letter <= "\u28ff":
        return " " if letter == "\u2800" else "*"
    return "?" * cell_len(letter)

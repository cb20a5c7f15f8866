"""Sentences folded to a width at their blanks."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import chop_cells

from gpumon_tui.widgets.fitting import width_of


def fold(text: str, width: int) -> Iterator[str]:
    """The lines of `text` within `width` cells; further lines are indented like the first one, and two more."""
    if width < 4:
        return
    indent = " " * (len(text) - len(text.lstrip()))
    line, started = indent, False
    deeper = indent + "  " if len(indent) + 12 < width else ""
    for word in text.split():
        if started and width_of(line) + 1 + width_of(word) > width:
            yield line
            line, started = deeper, False
        line = f"{line} {word}" if started else line + word
        started = True
        while width_of(line) > width:
            first, *_ = chop_cells(line, width)
            yield first
            line = deeper + line[len(first) :]
    if started:
        yield line

"""The colours of the heatmap's cells, straight from the theme: a hundred component classes would slow each start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rich.style import Style
from textual.color import Color

from gpumon_tui.heat import LEVELS
from gpumon_tui.owners import COLOURS
from gpumon_tui.scales import SCALES


class CellLook(NamedTuple):
    """The theme's variables that a cell is drawn with."""

    text: str
    ground: str
    is_bold: bool = False


CELL_LOOKS: Mapping[str, CellLook] = {
    **{
        scale.cells[level][1]: CellLook(f"{scale.ramp}-text-{level}", f"{scale.ramp}-{level}")
        for scale in SCALES
        for level in range(LEVELS)
    },
    **{f"owner--{number}": CellLook("owner-text", f"owner-{number}") for number in range(COLOURS)},
    **{f"owner--idle-{number}": CellLook(f"owner-{number}", "surface") for number in range(COLOURS)},
    "owner--shared": CellLook("background", "foreground"),
    "owner--idle-shared": CellLook("foreground", "surface"),
    "heat--free": CellLook("quiet", "surface"),
    "heat--idle": CellLook("idle-held-text", "idle-held", is_bold=True),
    "heat--alarm": CellLook("alarm-text", "alarm", is_bold=True),
    "heat--lost": CellLook("lost-text", "lost"),
    "heat--unknown": CellLook("quiet", "surface"),
}
"""By the names that cells carry."""


def cell_style(look: CellLook, variables: Mapping[str, str]) -> Style:
    """A look in a theme, whose variables these are."""
    text, ground = (Color.parse(variables[name]).rich_color for name in (look.text, look.ground))
    return Style(color=text, bgcolor=ground, bold=look.is_bold or None)

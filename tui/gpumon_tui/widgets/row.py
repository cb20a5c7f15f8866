"""One line of the screen with pieces at both ends, and things to click in it."""

from __future__ import annotations

from functools import lru_cache

from rich.text import Text
from textual.color import Color
from textual.widget import Widget

from gpumon_tui.widgets.fitting import width_of


class Line(Widget):
    """One line of text, made anew when what it says changes."""

    DEFAULT_CSS = "Line { height: 1; }"

    def ink(self, name: str) -> str:
        """The colour that the theme gives a variable, for a rich style."""
        return rich_colour(self.app.theme_variables[name])

    def on_mount(self) -> None:
        """Another theme has other colours."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())


@lru_cache(maxsize=256)
def rich_colour(value: str) -> str:
    """A theme's colour in Rich's spelling; themes of the terminal's own colours speak of "ansi_blue"."""
    colour = Color.parse(value)
    if colour.ansi is None:
        return colour.hex6
    return "default" if colour.ansi < 0 else f"color({colour.ansi})"


def justified(left: Text, right: Text, width: int) -> Text:
    """`left` and `right` at the ends of a line; what does not fit is cut from the left piece."""
    room = width - width_of(right.plain) - (1 if right.plain else 0)
    left.truncate(max(0, room), overflow="ellipsis", pad=False)
    line = Text(no_wrap=True, end="")
    line.append_text(left)
    line.append(" " * max(0, width - width_of(left.plain) - width_of(right.plain)))
    line.append_text(right)
    return line

"""One line of the screen with pieces at both ends, and things to click in it."""

from __future__ import annotations

from rich.text import Text
from textual.widget import Widget

from gpumon_tui.widgets.fitting import width_of


class Line(Widget):
    """One line of text, made anew when what it says changes."""

    DEFAULT_CSS = "Line { height: 1; }"

    def ink(self, name: str) -> str:
        """The colour that the theme gives a variable, for a rich style."""
        return self.app.theme_variables.get(name, "default")

    def on_mount(self) -> None:
        """Another theme has other colours."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.refresh())


def justified(left: Text, right: Text, width: int) -> Text:
    """`left` and `right` at the ends of a line; what does not fit is cut from the left piece."""
    room = width - width_of(right.plain) - (1 if right.plain else 0)
    left.truncate(max(0, room), overflow="ellipsis", pad=False)
    line = Text(no_wrap=True, end="")
    line.append_text(left)
    line.append(" " * max(0, width - width_of(left.plain) - width_of(right.plain)))
    line.append_text(right)
    return line

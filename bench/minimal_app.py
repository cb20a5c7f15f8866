"""The floor of a screen: a Textual app with one line, which a key changes."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Minimal(App[None]):
    """Says that it is there, and how many keys were pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed = 0

    def compose(self) -> ComposeResult:
        """The line."""
        yield Static("ready here")

    def on_key(self) -> None:
        """Counts."""
        self.pressed += 1
        self.query_one(Static).update(f"pressed #{self.pressed}#", layout=False)


if __name__ == "__main__":
    Minimal().run()

"""The line where a filter is typed, with the count of what it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from gpumon.errors import FilterError
from gpumon.text import shown


class FilterLine(Horizontal):
    """Filters while one types; Enter keeps the filter and goes back to the rows, Esc clears it and then closes."""

    DEFAULT_CSS = """
    FilterLine { height: 1; display: none; background: $surface; padding: 0 1; }
    FilterLine.-open { display: block; layout: horizontal; }
    FilterLine #slash { width: 2; color: $primary; text-style: bold; }
    FilterLine Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    FilterLine Input:focus { border: none; }
    FilterLine #count { width: auto; min-width: 12; max-width: 60%; text-align: right; color: $quiet; }
    FilterLine #count.-wrong { color: $hot; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear", id="filter.clear", tooltip="Clear the filter; once more closes the line"),
        Binding("enter", "keep", "Keep", id="filter.keep", tooltip="Keep the filter and go back", priority=True),
        Binding("down", "keep", "Keep", show=False, id="filter.down"),
    ]

    @dataclass
    class Changed(Message):
        """Another filter is wanted."""

        text: str

    @dataclass
    class Left(Message):
        """The line is done with; the rows have the keys again."""

    def compose(self) -> ComposeResult:
        """The prompt, the text, the count."""
        yield Static("/", id="slash", markup=False)
        yield Input(placeholder="text  user:ann  util<10  !text  /regex/", compact=True, select_on_focus=False)
        yield Static("", id="count", markup=False)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.query_one(Input).value

    @property
    def is_open(self) -> bool:
        """True while the line is on the screen."""
        return self.has_class("-open")

    def open(self, text: str) -> None:
        """Shows the line with a filter to go on with."""
        self.put(text)
        self.add_class("-open")
        self.query_one(Input).focus()

    def put(self, text: str) -> None:
        """Shows a filter without taking the keys: the line is there as long as there is a filter."""
        self.set_class(bool(text), "-open")
        typed = self.query_one(Input)
        with typed.prevent(Input.Changed):
            typed.value = text

    def say_count(self, count: int, total: int) -> None:
        """Says how many rows are left."""
        said = self.query_one("#count", Static)
        said.remove_class("-wrong")
        said.update(Text(f"{count:,} of {total:,}"))

    def say_wrong(self, error: FilterError) -> None:
        """Says why the text is not a filter."""
        said = self.query_one("#count", Static)
        said.add_class("-wrong")
        said.update(Text(f"at {error.position + 1}: {shown(error.reason)}", no_wrap=True, overflow="ellipsis"))

    def action_clear(self) -> None:
        """Clears the text, or closes the line when there is none."""
        if self.text:
            self.query_one(Input).value = ""
        else:
            self.remove_class("-open")
            self.post_message(self.Left())

    def action_keep(self) -> None:
        """Gives the keys back to the rows, unless the text has to be put right first."""
        if self.query_one("#count").has_class("-wrong"):
            return
        self.set_class(bool(self.text), "-open")
        self.post_message(self.Left())

    @on(Input.Changed)
    def tell(self, event: Input.Changed) -> None:
        """Each letter counts."""
        event.stop()
        self.post_message(self.Changed(event.value))

"""The line where a command is typed behind a colon, with how it may go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static


class CommandLine(Horizontal):
    """Enter runs the command, the right arrow takes the suggestion, Esc leaves; the keys go back to who had them."""

    DEFAULT_CSS = """
    CommandLine { height: 1; background: $surface; padding: 0 1; }
    CommandLine #colon { width: 2; color: $primary; text-style: bold; }
    CommandLine Input { width: 1fr; height: 1; border: none; padding: 0; background: $surface; }
    CommandLine Input:focus { border: none; }
    CommandLine #said { width: auto; max-width: 60%; text-align: right; color: $hot; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", id="command.leave", tooltip="Leave the command line"),
        Binding("tab", "complete", "Complete", id="command.complete", tooltip="Take the suggestion", priority=True),
    ]

    @dataclass
    class Entered(Message):
        """A command was typed."""

        line: CommandLine
        text: str

    def __init__(self, continuations: Callable[[str], Sequence[str]], came_from: Widget | None) -> None:
        super().__init__()
        self._continuations = continuations
        self._came_from = came_from

    def compose(self) -> ComposeResult:
        """The prompt, the text, what is wrong with it."""
        yield Static(":", id="colon", markup=False)
        yield Input(
            placeholder="jobs ann   node gpu1   theme light   sort util",
            suggester=_Continuing(self._continuations),
            compact=True,
        )
        yield Static("", id="said", markup=False)

    def on_mount(self) -> None:
        """It has the keys."""
        self.query_one(Input).focus()

    async def leave(self) -> None:
        """Goes away; the keys go back to who had them."""
        if self.has_focus_within and self._came_from is not None and self._came_from.is_attached:
            self._came_from.focus()
        await self.remove()

    def say_wrong(self, reason: str) -> None:
        """Says why the text is no command."""
        self.query_one("#said", Static).update(Text(reason, no_wrap=True, overflow="ellipsis"))

    async def action_leave(self) -> None:
        """Leaves without a command."""
        await self.leave()

    def action_complete(self) -> None:
        """Takes the suggestion."""
        typed = self.query_one(Input)
        likely = next(iter(self._continuations(typed.value)), "")
        if likely:
            typed.value = likely
            typed.cursor_position = len(likely)

    @on(Input.Changed)
    def forgive(self, event: Input.Changed) -> None:
        """What is being typed is not wrong yet."""
        event.stop()
        self.say_wrong("")

    @on(Input.Submitted)
    def tell(self, event: Input.Submitted) -> None:
        """Enter was pressed."""
        event.stop()
        self.post_message(self.Entered(self, event.value))


class _Continuing(Suggester):
    """Shows the most likely way to go on behind the cursor."""

    def __init__(self, continuations: Callable[[str], Sequence[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._continuations = continuations

    async def get_suggestion(self, value: str) -> str | None:
        """That, or nothing."""
        return next(iter(self._continuations(value)), None)

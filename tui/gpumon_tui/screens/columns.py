"""The list in which one chooses the columns of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import SelectionList, Static
from textual.widgets.selection_list import Selection


class ColumnPicker(ModalScreen[tuple[str, ...]]):
    """Space chooses, Enter shows what is chosen, Esc leaves the table as it is; none chosen means the usual ones."""

    DEFAULT_CSS = """
    ColumnPicker { align: center middle; }
    ColumnPicker Vertical {
        width: 44; max-width: 95%; height: auto; max-height: 90%;
        background: $surface; border: round $primary; padding: 0 2;
    }
    ColumnPicker SelectionList { height: auto; max-height: 1fr; padding: 0; background: $surface; }
    ColumnPicker SelectionList, ColumnPicker SelectionList:focus { border: none; }
    ColumnPicker Static { height: 1; color: $quiet; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "show", "Show", priority=True, id="columns.show", tooltip="Show the columns that are chosen"),
        Binding("escape,q", "leave", "Leave", id="columns.leave", tooltip="Leave the table as it is"),
    ]

    def __init__(self, columns: Sequence[tuple[str, str]], chosen: Sequence[str]) -> None:
        """`columns` are keys with their titles."""
        super().__init__()
        known = dict(columns)
        self._keys = [*chosen, *(key for key in known if key not in chosen)]
        self._titles, self._chosen = known, chosen

    def compose(self) -> ComposeResult:
        """The list, and how it is used."""
        rows = [Selection(Text(self._titles[key]), key, key in self._chosen) for key in self._keys]
        with Vertical():
            yield SelectionList[str](*rows)
            yield Static("Space chooses, Enter shows, Esc leaves", markup=False)

    def action_show(self) -> None:
        """Those that are chosen, in the order of the list."""
        chosen = set(self.query_one(SelectionList[str]).selected)
        self.dismiss(tuple(key for key in self._keys if key in chosen))

    def action_leave(self) -> None:
        """Nothing is changed."""
        self.dismiss(tuple(self._chosen))

"""The keys that are valid here, made from the bindings themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from gpumon_tui.widgets.row import rich_colour

_KEY_WIDTH = 20
_LEGEND = """
Cells     0-9 from low to high        · free   z held, but idle
          ! XID, failed row remap, dangerously hot
          × silent or missing         ? unknown
          o: A works for, a idles for whom the legend names
          & shared by several         + further holders
Filters   text   user:ann   util<10   !text   /regex/
          user:- where it is not known
Commands  jobs user:ann   node gpu1   job 4711   gpu gpu1 3
          sort util   metric power   theme light   interval 30"""


class HelpScreen(ModalScreen[None]):
    """A sheet over the screen; Esc, ?, q or Enter close it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen VerticalScroll {
        width: 72; max-width: 95%; height: auto; max-height: 90%;
        background: $surface; border: round $primary; padding: 0 2;
    }
    HelpScreen Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss", "Close", id="help.close"),
    ]

    def __init__(self, bindings: Iterable[ActiveBinding], *, is_simulated: bool) -> None:
        super().__init__()
        self._active = tuple(bindings)
        self._is_simulated = is_simulated

    def compose(self) -> ComposeResult:
        """The sheet."""
        with VerticalScroll():
            yield Static(self._sheet(), markup=False)

    def _sheet(self) -> Text:
        sheet = Text()
        if self._is_simulated:
            sheet.append(" DEMO ", style="bold reverse")
            sheet.append(" Everything on the screen is simulated.\n\n")
        colour = rich_colour(self.app.theme_variables["primary"])
        for keys, binding in self._rows():
            sheet.append(f"{keys:<{_KEY_WIDTH}}", style=f"bold {colour}")
            sheet.append(f"{binding.tooltip or binding.description}\n")
        sheet.append(_LEGEND)
        return sheet

    def _rows(self) -> Iterator[tuple[str, Binding]]:
        """Each action of ours once, with all its keys; what the widget in focus does comes first."""
        keys: dict[str, list[str]] = {}
        bindings: dict[str, Binding] = {}
        for active in self._active:
            binding = active.binding
            if active.enabled and (binding.id or binding.action == "command_palette"):
                keys.setdefault(binding.action, []).append(self.app.get_key_display(binding))
                bindings.setdefault(binding.action, binding)
        for action, binding in bindings.items():
            yield ", ".join(dict.fromkeys(keys[action])), binding

"""The line at the bottom: the keys that are valid here; a click presses one."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.keys import key_to_character
from textual.reactive import var
from textual.screen import Screen

from gpumon_tui.widgets.row import Line

_LAST = ("app.help", "app.quit")
"""They stand at the end, and are there however narrow the line is: what is left out is told by the help."""


class KeyLine(Line):
    """Made from the bindings of whatever has the focus, so it is never wrong."""

    DEFAULT_CSS = "KeyLine { background: $panel; padding: 0 1; }"

    _places: var[tuple[tuple[int, str], ...]] = var(())

    def on_mount(self) -> None:
        """Another focus, other keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._change)

    def _change(self, screen: Screen[object]) -> None:  # noqa: ARG002 - what a signal hands over
        self.refresh()

    def render(self) -> Text:
        """The line."""
        line, places = Text(no_wrap=True, end=""), list[tuple[int, str]]()
        said = [(key, self._said(binding), binding.id in _LAST) for key, binding in self._valid()]
        left = self.size.width - sum(text.cell_len for _, text, is_last in said if is_last)
        for key, text, is_last in [*(each for each in said if not each[2]), *(each for each in said if each[2])]:
            if is_last or line.cell_len + text.cell_len <= left:
                line.append_text(text)
                places.append((line.cell_len, key))
        self.set_reactive(KeyLine._places, tuple(places))
        return line

    def _said(self, binding: Binding) -> Text:
        text = Text(self.app.get_key_display(binding), style=f"bold {self.ink('primary')}", end="")
        return text.append(f" {binding.description}  ", style=f"not bold {self.ink('quiet')}")

    def on_click(self, event: events.Click) -> None:
        """Presses the key under the mouse."""
        at = event.x - 1
        key = next((key for end, key in self._places if at < end), None)
        if key is not None:
            self.app.simulate_key(key)

    def _is_typed(self, key: str) -> bool:
        """True when the key is a letter for the text that is being typed."""
        focused = self.screen.focused
        return focused is not None and focused.check_consume_key(key, key_to_character(key))

    def _valid(self) -> list[tuple[str, Binding]]:
        """The bindings to show, each action once, the focused widget's first."""
        seen: dict[str, tuple[str, Binding]] = {}
        for key, active in self.screen.active_bindings.items():
            if active.binding.show and active.enabled and not self._is_typed(key):
                seen.setdefault(active.binding.action, (key, active.binding))
        return list(seen.values())

"""The line at the bottom: the keys that are valid here; a click presses one."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.keys import key_to_character
from textual.reactive import var
from textual.screen import Screen

from gpumon_tui.widgets.row import Line


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
        for key, binding in self._valid():
            line.append(self.app.get_key_display(binding), style=f"bold {self.ink('primary')}")
            line.append(f" {binding.description}  ", style=self.ink("quiet"))
            places.append((line.cell_len, key))
        self.set_reactive(KeyLine._places, tuple(places))
        return line

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

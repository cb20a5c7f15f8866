"""The palette's commands: every key that says in a tooltip what it does, made from the bindings themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.app import SystemCommand
from textual.binding import ActiveBinding
from textual.screen import Screen


def commands_of(screen: Screen[object]) -> Iterator[SystemCommand]:
    """One command for each action that is valid on `screen` with what has the focus there."""
    seen = set[str]()
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.id and active.tooltip and binding.action not in seen:
            seen.add(binding.action)
            yield SystemCommand(binding.description, active.tooltip, _doing(active, screen))


def _doing(active: ActiveBinding, screen: Screen[object]) -> Callable[[], None]:
    def do() -> None:
        screen.call_later(screen.app.run_action, active.binding.action, active.node)

    return do

"""Writes docs/keys.md from the dashboard's own bindings (`make picture`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from textual.binding import Binding

from gpumon_tui.bindings import PLACES, bindings_of

WHERE = Path(__file__).parent.parent / "docs" / "keys.md"
HEAD = """\
# Keys of the dashboard

Made from the bindings by `make picture`. The footer names the most important keys of where one is, `?` all that are
valid there, `Ctrl+P` finds them by words. The mouse works too: tabs, rows, column heads, keys of the footer, the wheel.

Every key can be changed in the [configuration](../config.example.toml), by the name in the last column:

```toml
[tui.keys]
app.quit = "f10"
table.down = "down,n"
```
"""
_NAMES = {
    "question_mark": "?", "slash": "/", "colon": ":", "plus": "+", "minus": "-", "left_square_bracket": "[",
    "right_square_bracket": "]", "down": "↓", "up": "↑", "left": "←", "right": "→", "pagedown": "PgDn",
    "pageup": "PgUp", "home": "Home", "end": "End", "enter": "Enter", "escape": "Esc", "tab": "Tab", "space": "Space",
}  # fmt: skip


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_tables()])


def _tables() -> Iterator[str]:
    for place, owners in PLACES.items():
        yield f"## {place}\n"
        yield "| key | what it does | name |\n| --- | --- | --- |"
        yield from (_row(binding) for binding in bindings_of(*owners))
        yield ""


def _row(binding: Binding) -> str:
    keys = " ".join(f"`{_named(key.strip())}`" for key in binding.key.split(","))
    return f"| {keys} | {binding.tooltip or binding.description} | `{binding.id}` |"


def _named(key: str) -> str:
    """As it stands on a keyboard: "ctrl+d" -> "Ctrl+D", "f5" -> "F5"; single letters as they are typed."""
    *held, last = key.split("+")
    is_alone = not held and len(last) == 1
    return "+".join([*(each.title() for each in held), _NAMES.get(last, last if is_alone else last.upper())])


if __name__ == "__main__":
    WHERE.write_text(page(), encoding="utf-8")

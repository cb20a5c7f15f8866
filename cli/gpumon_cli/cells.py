"""How many terminal cells a text takes, and how it is cut and padded to a width."""

from __future__ import annotations

from unicodedata import category, east_asian_width

_MARKS = ("Mn", "Me")
"""Characters that sit on the one before them."""


def width(text: str) -> int:
    """The cells `text` takes: two for a wide East Asian character or emoji, none for a combining mark."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` cells, with an ellipsis where something is left out."""
    if width(text) <= limit:
        return text
    kept: list[str] = []
    taken = 0
    for character in text:
        taken += _cells(character)
        if taken > limit - 1:
            break
        kept.append(character)
    return "".join(kept) + "…"


def pad(text: str, cells: int, *, right: bool = False) -> str:
    """`text` filled up with blanks to `cells`; `right` aligns it at the right edge."""
    blanks = " " * (cells - width(text))
    return blanks + text if right else text + blanks


def _cells(character: str) -> int:
    if category(character) in _MARKS:
        return 0
    return 2 if east_asian_width(character) in "WF" else 1

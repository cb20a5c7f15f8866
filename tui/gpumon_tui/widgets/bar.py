"""A share as a bar of characters, to an eighth of a cell."""

from __future__ import annotations

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float | None, width: int) -> str:
    """A bar of exactly `width` cells; blank when the share is unknown."""
    eighths = round(max(0.0, min(1.0, share or 0.0)) * width * 8)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (_EIGHTHS[rest] if rest else "")
    return text.ljust(width)

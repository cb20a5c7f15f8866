"""How wide the columns of a table are drawn in the room there is."""

from __future__ import annotations

from collections.abc import Sequence

GROWS_FROM = 10
"""Narrower columns hold words that fit."""
_LEAST_TEXT = 4


def spread(widths: Sequence[int], may_grow: Sequence[bool], room: int) -> tuple[int, ...]:
    """Widths with the room that is left given to those that may grow: each by half, a last column by the rest."""
    left = room - sum(widths) - (len(widths) - 1)
    result = list(widths)
    for index, grows in enumerate(may_grow):
        if grows and left > 0 and widths[index] >= GROWS_FROM:
            extra = left if index == len(widths) - 1 else min(widths[index] // 2, left)
            result[index] += extra
            left -= extra
    return tuple(result)


def starts_of(widths: Sequence[int]) -> tuple[int, ...]:
    """Where each column begins, with a blank between two."""
    return tuple(sum(widths[:index]) + index for index in range(len(widths)))


def seen_widths(widths: Sequence[int], may_be_cut: Sequence[bool], right: int) -> tuple[int, ...]:
    """Widths of the columns that are drawn up to cell `right`; a number that would be cut is not drawn at all.

    Half a number reads as another number; half a text ends in an ellipsis.
    """
    seen: list[int] = []
    at = 0
    for width, is_text in zip(widths, may_be_cut, strict=True):
        room = right - at
        if width > room:
            if is_text and room >= _LEAST_TEXT:
                seen.append(room)
            break
        seen.append(width)
        at += width + 1
    return tuple(seen)

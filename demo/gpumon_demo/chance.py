"""Numbers that look random and are a pure function of what they are drawn for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")

_MASK = (1 << 64) - 1


def draw(*keys: int) -> float:
    """A number from 0 (included) to 1 (excluded) that depends on `keys` alone, whatever the Python."""
    mixed = 0x9E3779B97F4A7C15
    for key in keys:
        mixed = ((mixed ^ (key & _MASK)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed ^= mixed >> 29
    mixed = (mixed * 0x94D049BB133111EB) & _MASK
    return (mixed ^ (mixed >> 32)) / (_MASK + 1)


def whole(most: int, *keys: int) -> int:
    """A whole number from 0 to below `most`."""
    return int(draw(*keys) * most)


def among(items: Sequence[Item], *keys: int) -> Item:
    """One of `items`, each as likely as the others."""
    return items[int(draw(*keys) * len(items))]


def early(items: Sequence[Item], *keys: int) -> Item:
    """One of `items`, the first ones far more often than the last."""
    return items[int(draw(*keys) ** 2.2 * len(items))]

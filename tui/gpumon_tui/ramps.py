"""Colour scales: ten steps between given colours, each with a text colour that is legible on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from textual.color import Color

_DARK_TEXT, _LIGHT_TEXT = Color.parse("#0c0c0c"), Color.parse("#f6f6f6")


def ramp(name: str, colours: Sequence[str], levels: int = 10) -> Mapping[str, str]:
    """Theme variables of a scale through `colours`: "name-0" for the lowest, "name-text-0" for what stands on it."""
    steps = blended(colours, levels)
    variables = {f"{name}-{level}": step.hex6 for level, step in enumerate(steps)}
    return variables | {f"{name}-text-{level}": legible_on(step).hex6 for level, step in enumerate(steps)}


def blended(colours: Sequence[str], levels: int) -> Sequence[Color]:
    """Evenly spaced colours on the way through `colours`."""
    stops = [Color.parse(colour) for colour in colours]
    legs = list(pairwise(stops))
    steps: list[Color] = []
    for level in range(levels):
        at = level * len(legs) / (levels - 1)
        leg = min(int(at), len(legs) - 1)
        steps.append(legs[leg][0].blend(legs[leg][1], at - leg))
    return steps


def legible_on(colour: Color) -> Color:
    """A dark or a light text colour, whichever differs more from `colour`."""
    return max((_DARK_TEXT, _LIGHT_TEXT), key=lambda text: contrast(text, colour))


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour.rgb)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

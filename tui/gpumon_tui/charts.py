"""History as a chart of characters; the only place that knows plotext."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from gpumon.source import Point

_LARGEST_STEPS = 3.5
"""A pause of more steps than this is a gap, and no line is drawn across it."""


class Curve(msgspec.Struct, frozen=True):
    """One line of a chart."""

    points: Sequence[Point]
    """Oldest first."""
    colour: tuple[int, int, int]


class Scale(msgspec.Struct, frozen=True):
    """The upright axis: from zero to `top`, with what stands at its marks."""

    top: float
    marks: tuple[tuple[float, str], ...]
    """Values, and how people read them."""


SHARES = Scale(1.0, ((0.0, "0%"), (0.5, "50%"), (1.0, "100%")))
"""Of shares from 0 to 1."""


class Span(msgspec.Struct, frozen=True):
    """The level axis: the last `seconds` before `until`."""

    seconds: float
    until: float


def draw_curves(curves: Sequence[Curve], scale: Scale, span: Span, width: int, height: int) -> str:
    """Curves as ANSI text of exactly `width` x `height` cells; a later curve lies over the earlier ones."""
    import plotext  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # it ships no types

    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    for curve in curves:
        for piece in _pieces(curve.points):
            plotext.plot(
                [point.at - span.until for point in piece],
                [point.value for point in piece],
                marker="braille",
                color=curve.colour,
            )
    plotext.ylim(0, scale.top)
    plotext.yticks([value for value, _ in scale.marks], [text for _, text in scale.marks])
    plotext.xlim(-span.seconds, 0)
    plotext.xticks([-span.seconds, -span.seconds / 2, 0], [*_moments(span.seconds), "now"])
    plotext.frame(False)
    return str(plotext.build())  # pyright: ignore[reportUnknownArgumentType]  # it ships no types


def _pieces(points: Sequence[Point]) -> Iterator[Sequence[Point]]:
    """The points between gaps: where nothing was measured, nothing is drawn."""
    if not points:
        yield ()
        return
    steps = sorted(later.at - earlier.at for earlier, later in pairwise(points))
    longest = steps[len(steps) // 2] * _LARGEST_STEPS if steps else 0.0
    first = 0
    for place in range(1, len(points)):
        if points[place].at - points[place - 1].at > longest:
            yield points[first:place]
            first = place
    yield points[first:]


def _moments(seconds: float) -> tuple[str, str]:
    """The beginning and the middle in words: "-6h", "-3h"."""
    size, letter = next((size, letter) for size, letter in ((86_400, "d"), (3600, "h"), (60, "m")) if seconds >= size)
    if seconds == size:
        size, letter = {86_400: (3600, "h"), 3600: (60, "m")}.get(size, (size, letter))
    return f"-{seconds / size:g}{letter}", f"-{seconds / size / 2:g}{letter}"

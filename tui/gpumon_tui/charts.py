"""History as a chart of characters; the only place that knows plotext."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon.source import Point


def draw_shares(points: Sequence[Point], width: int, height: int, seconds: float, colour: tuple[int, int, int]) -> str:
    """Shares from 0 to 100 % over the last `seconds` as ANSI text of exactly `width` x `height` cells."""
    import plotext  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # it ships no types

    now = points[-1].at if points else 0.0
    plotext.clear_figure()
    plotext.limit_size(False, False)
    plotext.plot_size(width, height)
    plotext.theme("clear")
    plotext.plot(
        [(point.at - now) / 60 for point in points],
        [point.value * 100 for point in points],
        marker="braille",
        color=colour,
    )
    plotext.ylim(0, 100)
    plotext.yticks([0, 50, 100], ["0%", "50%", "100%"])
    minutes = seconds / 60
    plotext.xlim(-minutes, 0)
    plotext.xticks([-minutes, -minutes / 2, 0], [f"-{minutes:.0f}m", f"-{minutes / 2:.0f}m", "now"])
    plotext.frame(False)
    return str(plotext.build())  # pyright: ignore[reportUnknownArgumentType]  # it ships no types

"""How each view looks, as text that can be read in a diff: letters once, colours for each theme in runs.

`PYTHONPATH=tests python tests/tui_pictures.py` draws them anew (`make picture`).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.pilot import Pilot

from clusters import NOW, queued, troubled
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.source import Point
from gpumon_tui.app import GpumonApp
from gpumon_tui.themes import DARK, LIGHT, MONO
from gpumon_tui.widgets.tabs import TITLES
from tui_scripted import ScriptedSource, first_picture, until

WHERE = Path(__file__).parent / "tui" / "pictures"
SIZES = ((80, 24), (120, 40), (200, 50))
THEMES = (DARK, LIGHT, MONO)
VIEWS = tuple(title.lower() for title in TITLES)
_CLUSTERS: dict[str, Callable[[], ClusterSnapshot]] = {"jobs": queued, "idle": queued}
_HISTORY = tuple(Point(NOW - 1800 + 15 * step, 0.5 + (step % 40) / 100) for step in range(120))
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def path_of(view: str, size: tuple[int, int]) -> Path:
    """Where the picture of a view is kept."""
    return WHERE / f"{view}-{size[0]}x{size[1]}.txt"


async def draw(view: str, size: tuple[int, int]) -> str:
    """The picture of a view, in all themes."""
    source = ScriptedSource(_CLUSTERS.get(view, troubled)(), history=_HISTORY)
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        await pilot.press(str(VIEWS.index(view) + 1))
        await until(pilot, lambda: view != "overview" or size[0] < 150 or bool(app.history.points))
        pieces = ["\n".join(_text_of(_lines_of(app)))]
        for theme in THEMES:
            await _turn(pilot, theme.name)
            pieces.append("\n".join([f"== {theme.name}", *_colours_of(_lines_of(app))]))
    return "\n".join([*pieces, ""])


async def _turn(pilot: Pilot[None], theme: str) -> None:
    pilot.app.theme = theme
    await pilot.pause()
    await pilot.pause()


def _lines_of(app: GpumonApp) -> Sequence[Sequence[Segment]]:
    strips = app.screen._compositor.render_strips()  # pyright: ignore[reportPrivateUsage]  # the only way to the text
    return [list(strip) for strip in strips]


def _text_of(lines: Sequence[Sequence[Segment]]) -> Iterator[str]:
    """Without the one number that depends on how busy the machine is."""
    for line in lines:
        yield re.sub(r"[ \d]\ds old", " 0s old", "".join(segment.text for segment in line)).rstrip()


def _colours_of(lines: Sequence[Sequence[Segment]]) -> Iterator[str]:
    """A letter for each look, and behind that for each line how many cells have which."""
    known: dict[str, str] = {}
    runs: list[str] = []
    for line in lines:
        cells = [(str(segment.style or Style.null()), segment.cell_length) for segment in line if segment.cell_length]
        letters: list[str] = []
        for look, group in groupby(cells, lambda cell: cell[0]):
            letter = known.setdefault(look, _LETTERS[len(known) % len(_LETTERS)] + "'" * (len(known) // len(_LETTERS)))
            letters.append(f"{sum(width for _, width in group)}{letter}")
        runs.append(" ".join(letters))
    yield from (f"{letter} {look}" for look, letter in known.items())
    yield from runs


async def _draw_all() -> None:
    WHERE.mkdir(exist_ok=True)
    for view in VIEWS:
        for size in SIZES:
            path_of(view, size).write_text(await draw(view, size), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_draw_all())

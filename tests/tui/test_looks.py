"""Themes, terminals without colour and terminals without more than ASCII."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.theme import Theme

from clusters import healthy, queued
from gpumon.settings import Settings
from gpumon_tui.app import GpumonApp
from gpumon_tui.ascii import AsciiFilter, in_ascii, is_poor
from gpumon_tui.heat import LEVELS
from gpumon_tui.ramps import contrast
from gpumon_tui.scales import SCALES
from gpumon_tui.themes import COLOUR_BLIND, DARK, MONO, THEMES, next_theme, theme_name
from tui_scripted import ScriptedSource, dashboard, first_picture, seen

LEGIBLE = 3.0
"""The least contrast of large or bold text by WCAG 2; cells are single large signs."""


def colour(theme: Theme, name: str) -> Color:
    return Color.parse(theme.variables[name])


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: str(theme.name))
def test_every_cell_is_legible_in_every_theme(theme: Theme) -> None:
    for scale in SCALES:
        for level in range(LEVELS):
            below, text = (colour(theme, f"{scale.ramp}{part}-{level}") for part in ("", "-text"))
            assert contrast(below, text) >= LEGIBLE, (scale.name, level)
    for name in ("alarm", "lost", "demo", "idle-held"):
        assert contrast(colour(theme, name), colour(theme, f"{name}-text")) >= LEGIBLE, name


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: str(theme.name))
def test_words_are_legible_on_the_background(theme: Theme) -> None:
    ground = Color.parse(theme.background or "")
    for name in ("quiet", "warm", "hot", "cool", "memory", "power"):
        assert contrast(ground, colour(theme, name)) >= LEGIBLE, name


def test_without_colour_there_are_only_greys() -> None:
    colours = [Color.parse(value) for value in MONO.variables.values()]
    assert all(each.r == each.g == each.b for each in colours)
    assert theme_name("dark", has_colour=False) == theme_name("light", has_colour=False) == MONO.name


def test_lightness_alone_orders_the_scale_of_the_colour_blind() -> None:
    brightness = [colour(COLOUR_BLIND, f"heat-{level}").brightness for level in range(LEVELS)]
    assert brightness == sorted(brightness)


def test_an_unknown_look_is_the_dark_one() -> None:
    assert theme_name("nord") == DARK.name
    assert next_theme("nord") == DARK.name


async def test_no_color_means_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        assert app.theme == MONO.name


@pytest.mark.parametrize(
    ("terminal", "encoding", "poor"),
    [
        ("xterm-256color", "utf-8", False),
        ("xterm-256color", "UTF8", False),
        ("xterm-256color", None, False),
        ("linux", "utf-8", True),
        ("xterm", "ISO-8859-1", True),
        ("dumb", "utf-8", True),
    ],
)
def test_a_poor_terminal_is_known_by_its_name_or_its_encoding(terminal: str, encoding: str | None, poor: bool) -> None:
    assert is_poor({"TERM": terminal}, encoding) == poor


@pytest.mark.parametrize(
    ("text", "plain"),
    [("██▌ 43%", "### 43%"), ("⣀⠤⠀", "** "), ("▸ 200 ×2 …", "+ 200 x2 ~"), ("é 宽", "? ??"), ("55°C", "55'C")],
)
def test_everything_has_as_many_cells_in_ascii(text: str, plain: str) -> None:
    assert in_ascii(text) == plain
    assert cell_len(plain) == cell_len(text)


def test_control_segments_pass_as_they_are() -> None:
    told = AsciiFilter().apply([Segment("█"), Segment("plain")], Color(0, 0, 0))
    assert [segment.text for segment in told] == ["#", "plain"]


@pytest.mark.parametrize("keys", ["1", "2", "3", "4", "5", "6", "1\n", "4\nj\n"])
async def test_a_poor_terminal_gets_ascii_alone_from_every_screen(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    app = GpumonApp(ScriptedSource(queued()), Settings(), interval=3600.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press(*("enter" if key == "\n" else key for key in keys))
        await pilot.pause()
        written = "".join(in_ascii(line) for line in seen(app).splitlines())
        assert written.isascii()
        assert any(isinstance(each, AsciiFilter) for each in app.get_line_filters())

"""Cells, gauges and bars: what each sign means, and that they are legible without colour."""

from __future__ import annotations

import re

import pytest

from clusters import NOW, gpu, healthy, mig, node, of_gpus
from gpumon.model import ClusterSnapshot, Gpu, NodeSlurm
from gpumon.settings import Thresholds
from gpumon_tui.heat import ALARM, FREE, IDLE_HELD, LEVELS, LOST, SIGNS, STYLES, UNKNOWN, unseen
from gpumon_tui.scales import SCALES, UTILIZATION
from gpumon_tui.widgets.bar import bar
from gpumon_tui.widgets.cell_looks import CELL_LOOKS
from gpumon_tui.widgets.heatmap import GpuHeatmap
from tui_scripted import SIZES, dashboard, first_picture, next_picture, seen, seen_of


@pytest.mark.parametrize(
    ("card", "level"),
    [
        (gpu("n", 0, utilization=0.0, jobs=()), FREE),
        (gpu("n", 0, utilization=0.0, jobs=("1",)), IDLE_HELD),
        (gpu("n", 0, utilization=0.0, jobs=None), 0),
        (gpu("n", 0, utilization=0.55, jobs=("1",)), 5),
        (gpu("n", 0, utilization=0.55, jobs=()), 5),
        (gpu("n", 0, utilization=1.0, jobs=("1",)), 9),
        (gpu("n", 0, utilization=7.0, jobs=("1",)), 9),
        (gpu("n", 0, utilization=None), UNKNOWN),
        (gpu("n", 0, utilization=0.9, is_stale=True), LOST),
        (gpu("n", 0, utilization=0.9, xid=79), ALARM),
        (gpu("n", 0, utilization=0.9, xid=79, xid_recent=0), 9),
        (gpu("n", 0, utilization=0.9, row_remap_failed=True), ALARM),
        (gpu("n", 0, utilization=None, temperature_celsius=95.0), ALARM),
        (gpu("n", 0, utilization=0.9, temperature_celsius=86.0), 9),
        (gpu("n", 0, utilization=0.9, xid=79, is_stale=True), LOST),
    ],
)
def test_a_cell_says_what_matters_most_about_a_gpu(card: Gpu, level: int) -> None:
    assert UTILIZATION.levels_of((card,), of_gpus(card), Thresholds()) == [level]


def test_every_level_has_its_own_sign_and_style() -> None:
    assert len(SIGNS) == len(STYLES) == len(set(SIGNS)) == len(set(STYLES)) == UNKNOWN + 1 <= 16


def test_cards_that_slurm_has_and_nobody_sees_are_lost_cells() -> None:
    cards = (gpu("n", 0),)
    here = node("n", cards, slurm=NodeSlurm(state="idle", gpus_total=4))
    assert unseen(here, len(cards)) == 3


def test_slices_beyond_the_cards_that_slurm_counts_are_all_shown() -> None:
    cards = tuple(mig("n", 0, str(number)) for number in range(7))
    here = node("n", cards, slurm=NodeSlurm(state="idle", gpus_total=1))
    assert unseen(here, len(cards)) == 0


async def test_the_mean_of_a_node_leaves_out_what_is_old_or_unknown() -> None:
    some = of_gpus(gpu("n", 0, utilization=0.4), gpu("n", 1, utilization=None), gpu("n", 2, is_stale=True))
    assert " n  40% " in (await heatmap_lines(some, (80, 24)))[1]
    assert " n    – " in (await heatmap_lines(of_gpus(gpu("n", 0, utilization=None)), (80, 24)))[1]


def test_every_number_has_a_scale_of_its_own_with_all_its_styles() -> None:
    assert len({style for scale in SCALES for _, style in scale.cells[:LEVELS]}) == len(SCALES) * LEVELS
    assert {style for scale in SCALES for _, style in scale.cells} <= CELL_LOOKS.keys()
    assert [scale.name for scale in SCALES] == ["utilization", "memory", "power", "temperature", "idle time"]


@pytest.mark.parametrize(
    ("name", "card", "level"),
    [
        ("memory", gpu("n", 0), 5),
        ("memory", gpu("n", 0, memory_used_bytes=None), UNKNOWN),
        ("power", gpu("n", 0), 2),
        ("power", gpu("n", 0, power_watts=5000.0), 9),
        ("temperature", gpu("n", 0), 4),
        ("temperature", gpu("n", 0, temperature_celsius=3.0), 0),
        ("temperature", gpu("n", 0, temperature_celsius=None), UNKNOWN),
        ("temperature", gpu("n", 0, xid=79), ALARM),
        ("idle time", gpu("n", 0, jobs=("1",)), 0),
        ("idle time", gpu("n", 0, utilization=0.0), FREE),
        ("idle time", gpu("n", 0, utilization=0.0, jobs=("1",)), IDLE_HELD),
        ("idle time", gpu("n", 0, utilization=0.0, jobs=("1",), idle_since=NOW - 30), 0),
        ("idle time", gpu("n", 0, utilization=0.0, jobs=("1",), idle_since=NOW - 4000), 5),
        ("idle time", gpu("n", 0, utilization=0.0, jobs=("1",), idle_since=NOW - 90_000), 9),
        ("idle time", gpu("n", 0, is_stale=True), LOST),
    ],
)
def test_other_numbers_have_levels_too(name: str, card: Gpu, level: int) -> None:
    scale = next(scale for scale in SCALES if scale.name == name)
    assert scale.levels_of((card,), of_gpus(card), Thresholds()) == [level]


@pytest.mark.parametrize(
    ("presses", "legend", "row"),
    [
        pytest.param(1, "memory:", ["n1", "50%", "50", "50"], marks=pytest.mark.thorough),
        pytest.param(2, "power:", ["n1", "500W", "250", "250"], marks=pytest.mark.thorough),
        pytest.param(3, "temperature:", ["n1", "55°", "55", "55"], marks=pytest.mark.thorough),
        (4, "idle time:", ["n1", "2h", "2h", "0"]),
        pytest.param(5, "utilization:", ["n1", "50%", "50", "50"], marks=pytest.mark.thorough),
    ],
)
async def test_a_key_goes_through_the_numbers(presses: int, legend: str, row: list[str]) -> None:
    cards = (gpu("n1", 0, jobs=("1",), idle_since=NOW - 7200), gpu("n1", 1, jobs=("1",)))
    lines = await heatmap_lines(of_gpus(*cards), (120, 40), *["m"] * presses)
    assert legend in lines[0]
    assert lines[1].split() == row


async def test_from_owners_the_key_goes_back_to_the_number_that_was_shown() -> None:
    assert "memory:" in (await heatmap_lines(healthy(), (120, 40), "m", "o", "m"))[0]


def large(nodes: int, cards: int) -> ClusterSnapshot:
    return of_gpus(*(gpu(f"gpu{number:04}", index) for number in range(nodes) for index in range(cards)))


async def heatmap_lines(snapshot: ClusterSnapshot, size: tuple[int, int], *keys: str) -> list[str]:
    app = dashboard(snapshot)
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        await pilot.press(*keys)
        await pilot.pause()
        return seen_of(app, GpuHeatmap)


@pytest.mark.parametrize("size", SIZES)
async def test_a_small_cluster_is_one_line_for_each_node(size: tuple[int, int]) -> None:
    lines = await heatmap_lines(healthy(), size)
    assert [line.split()[0] for line in lines[1:5]] == ["gpu1", "gpu2", "gpu10", "gpu11"]


async def test_wide_cells_tell_percents_and_narrow_ones_tenths() -> None:
    wide = await heatmap_lines(healthy(), (200, 50))
    assert wide[1].split() == ["gpu1", "85%", "90", "80"]
    narrow = await heatmap_lines(large(200, 8), (80, 24))
    assert narrow[1].split()[:4] == ["gpu0000", "55555555", "gpu0001", "55555555"], "more nodes instead of means"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("cards", "size"), [(1, (80, 24)), (8, (80, 24)), (16, (80, 24)), (72, (80, 24)), (72, (200, 50))]
)
async def test_large_clusters_scroll_to_their_last_node(cards: int, size: tuple[int, int]) -> None:
    lines = await heatmap_lines(large(300, cards), size, "G")
    assert any("gpu0299" in line for line in lines)


async def test_cells_change_their_colours_with_the_theme() -> None:
    app = dashboard(large(200, 8))
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        heatmap = app.screen.query_one(GpuHeatmap)
        dark = heatmap.draw(1)
        app.theme = "gpumon-light"
        await pilot.pause()
        assert [each.text for each in heatmap.draw(1)] == [each.text for each in dark]
        assert not {each.style for each in heatmap.draw(1)} & {each.style for each in dark}


async def test_neighbours_of_one_colour_are_one_piece_for_the_terminal() -> None:
    app = dashboard(large(200, 8))
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        heatmap = app.screen.query_one(GpuHeatmap)
        assert [each.text.strip() for each in heatmap.draw(1)][:2] == ["gpu0004", "55555555"]


async def test_more_cells_than_fit_are_marked() -> None:
    lines = await heatmap_lines(large(2, 72), (80, 24))
    assert lines[1].rstrip().endswith("+")


async def test_the_cursor_walks_over_nodes_and_stays_on_its_node() -> None:
    app = dashboard(large(300, 8), large(299, 8))
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        heatmap = app.screen.query_one(GpuHeatmap)
        await pilot.press("l", "l", "l", "h")
        assert heatmap.cursor == 2
        await pilot.press("j", "j", "k")
        chosen = heatmap.selected
        assert chosen is not None
        place = heatmap.scroll_offset
        await next_picture(pilot)
        assert heatmap.selected is not None
        assert heatmap.selected.name == chosen.name
        assert heatmap.scroll_offset == place
        await pilot.press("G", "g", "pagedown", "ctrl+u", "home", "k", "h")
        assert heatmap.cursor == 0


async def test_a_click_chooses_a_node() -> None:
    app = dashboard(large(300, 8))
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        heatmap = app.screen.query_one(GpuHeatmap)
        lines = seen(app).splitlines()
        y = next(index for index, line in enumerate(lines) if "gpu0003" in line)
        x = lines[y].index("gpu0003")
        await pilot.click(offset=(x + 2, y))
        assert heatmap.selected is not None
        assert heatmap.selected.name == "gpu0003"


async def test_only_lines_that_changed_are_drawn_again() -> None:
    app = dashboard(large(40, 8))
    async with app.run_test(size=(200, 50)) as pilot:
        await first_picture(pilot)
        heatmap = app.screen.query_one(GpuHeatmap)
        drawn: list[int] = []
        heatmap.refresh_line = drawn.append  # type: ignore[method-assign, assignment]  # a spy
        await next_picture(pilot)
        assert drawn == []


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(None, "    "), (0.0, "    "), (0.5, "██  "), (1.0, "████"), (2.0, "████"), (-1.0, "    "), (0.03, "▏   ")],
)
def test_a_bar_is_exactly_as_wide_as_it_should(share: float | None, drawn: str) -> None:
    assert bar(share, 4) == drawn


async def test_gauges_say_who_holds_a_gpu() -> None:
    app = dashboard(healthy())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        assert "ann 100" in seen(app)
        await pilot.press("j")
        await pilot.pause()
        assert re.search(r"(W|%) +free", seen(app))

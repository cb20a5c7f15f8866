"""The table: the cursor stays on its row, scroll stays where it was, and cost does not follow the row count."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from clusters import NOW, gpu
from gpumon.columns import GPU_COLUMNS, by_key
from gpumon.errors import FilterError
from gpumon.model import ClusterSnapshot, Gpu
from gpumon_tui.widgets.fitting import fit, width_of
from gpumon_tui.widgets.listing import Rows
from gpumon_tui.widgets.ordering import Order
from gpumon_tui.widgets.table import RowTable
from gpumon_tui.widgets.widths import seen_widths, spread, starts_of
from tui_scripted import seen

SNAPSHOT = ClusterSnapshot(taken_at=NOW)
COLUMNS = tuple(by_key(GPU_COLUMNS)[key] for key in ("node", "gpu", "util", "temp", "user"))


class TableApp(App[None]):
    def __init__(self, rows: Sequence[Gpu]) -> None:
        super().__init__()
        self.table = RowTable(Rows(COLUMNS, lambda row: row.key, {}, lambda row: row.is_stale), empty="nothing there")
        self.first = rows
        self.chosen: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        from gpumon_tui.themes import DEFAULTS

        return dict(DEFAULTS)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.put(self.first, SNAPSHOT)
        self.table.focus()

    def on_row_table_chosen(self, event: RowTable.Chosen) -> None:
        self.chosen.append(event.key)

    async def put(self, pilot: Pilot[None], rows: Sequence[Gpu]) -> None:
        self.table.put(rows, SNAPSHOT)
        await pilot.pause()

    @property
    def selected(self) -> str:
        row = self.table.selected
        assert row is not None
        return row.device.node

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in seen(self).splitlines()]


def rows(*numbers: int) -> tuple[Gpu, ...]:
    return tuple(gpu(f"n{number:03}", 0, utilization=(number * 37 % 100) / 100) for number in numbers)


async def test_the_cursor_stays_on_its_row_when_others_come_and_go() -> None:
    app = TableApp(rows(*range(10)))
    async with app.run_test() as pilot:
        await pilot.press("j", "j", "j")
        assert app.selected == "n003"
        await app.put(pilot, rows(3, 4, 5))
        assert app.selected == "n003"
        await app.put(pilot, rows(*range(20)))
        assert (app.selected, app.table.listing.cursor) == ("n003", 3)


@pytest.mark.thorough
async def test_when_its_row_is_gone_the_cursor_stays_where_it_was() -> None:
    app = TableApp(rows(*range(10)))
    async with app.run_test() as pilot:
        await pilot.press("j", "j", "j")
        await app.put(pilot, rows(0, 1, 2, 4, 5))
        assert app.selected == "n004"
        await app.put(pilot, rows(0))
        assert app.selected == "n000"
        await app.put(pilot, ())
        assert app.table.selected is None
        assert "nothing there" in app.lines
        await pilot.press("j", "enter", "G", "s")
        await app.put(pilot, rows(1, 2))
        assert app.table.selected is not None


async def test_a_cursor_that_nobody_moved_stays_at_the_top() -> None:
    app = TableApp(rows(5, 6))
    async with app.run_test() as pilot:
        await app.put(pilot, rows(1, 5, 6))
        assert app.table.listing.cursor == 0


@pytest.mark.thorough
async def test_scroll_stays_through_a_refresh() -> None:
    app = TableApp(rows(*range(200)))
    async with app.run_test(size=(80, 24)) as pilot:
        app.table.scroll_to(y=100, animate=False)
        await pilot.pause()
        before = app.lines
        await app.put(pilot, rows(*range(200)))
        assert app.lines == before
        assert "n100" in before[1]


async def test_the_cursor_is_kept_in_sight_when_its_row_moves() -> None:
    app = TableApp(rows(*range(200)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("j")
        await app.put(pilot, (*rows(*range(100, 200)), *rows(*range(100))))
        assert app.selected == "n001"
        assert any(line.startswith("n001") for line in app.lines)


@pytest.mark.parametrize(
    ("keys", "row"),
    [
        (("G",), "n199"),
        (("G", "g"), "n000"),
        (("end", "up"), "n198"),
        (("pagedown",), "n022"),
        (("ctrl+d", "ctrl+u"), "n000"),
        (("down", "j", "k"), "n001"),
        (("k",), "n000"),
        (("G", "j"), "n199"),
    ],
)
async def test_keys_that_fingers_expect_move_the_cursor(keys: tuple[str, ...], row: str) -> None:
    app = TableApp(rows(*range(200)))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert app.selected == row
        assert any(line.startswith(row) for line in app.lines), "it is in sight"


@pytest.mark.thorough
async def test_s_sorts_column_by_column_and_back_to_how_the_rows_come() -> None:
    app = TableApp(rows(*range(20)))
    async with app.run_test() as pilot:
        await pilot.press("s", "s", "s")
        await pilot.pause()
        assert "UTIL▼" in app.lines[0]
        shares = [row.utilization or 0.0 for row in app.table.listing.shown]
        assert shares == sorted(shares, reverse=True)
        await pilot.press("S")
        await pilot.pause()
        assert "UTIL▲" in app.lines[0]
        await pilot.press("s", "s", "s")
        assert [row.device.node for row in app.table.listing.shown] == [row.device.node for row in rows(*range(20))]


@pytest.mark.thorough
async def test_a_click_on_a_title_sorts_and_a_second_one_turns_round() -> None:
    app = TableApp(rows(*range(20)))
    async with app.run_test() as pilot:
        await pilot.pause()
        place = seen(app).splitlines()[0].index("UTIL")
        await pilot.click(RowTable, offset=(place + 1, 0))
        assert app.table.listing.order == Order(COLUMNS, "util", is_descending=True)
        await pilot.click(RowTable, offset=(place + 1, 0))
        assert app.table.listing.order == Order(COLUMNS, "util", is_descending=False)


async def test_a_click_on_a_row_moves_there_and_a_double_click_chooses() -> None:
    app = TableApp(rows(*range(20)))
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.click(RowTable, offset=(3, 5))
        assert app.selected == "n004"
        await pilot.click(RowTable, offset=(3, 5), times=2)
        await pilot.pause()
        assert app.chosen == ["GPU-n004-0"]
        await pilot.click(RowTable, offset=(3, 23))
        assert app.selected == "n004", "there is no row"


async def test_enter_chooses_the_row_under_the_cursor() -> None:
    app = TableApp(rows(*range(20)))
    async with app.run_test() as pilot:
        await pilot.press("j", "enter")
        await pilot.pause()
        assert app.chosen == ["GPU-n001-0"]


async def test_the_cursor_follows_its_row_through_sorting_and_filtering() -> None:
    app = TableApp(rows(*range(50)))
    async with app.run_test() as pilot:
        await pilot.press("j", "j", "s", "s", "s")
        assert app.selected == "n002"
        app.table.set_filter("n002")
        assert app.selected == "n002"
        assert app.table.counts == (1, 50)
        app.table.set_filter("")
        await pilot.pause()
        assert app.selected == "n002"


async def test_a_wrong_filter_leaves_the_rows_as_they_were() -> None:
    app = TableApp(rows(1, 2))
    async with app.run_test():
        app.table.set_filter("n001")
        with pytest.raises(FilterError):
            app.table.set_filter("nope:1")
        assert app.table.counts == (1, 2)


async def test_columns_that_do_not_fit_are_reached_with_the_arrows() -> None:
    app = TableApp(rows(*range(5)))
    async with app.run_test(size=(24, 10)) as pilot:
        await pilot.pause()
        assert "TEMP" not in app.lines[0]
        await pilot.press("right", "right")
        await pilot.pause()
        assert "UTIL" in app.lines[0]
        assert "NODE" not in app.lines[0]
        assert "›" in app.lines[0]
        await pilot.press("l", "l", "l", "h", "h", "h", "h", "h")
        await pilot.pause()
        assert "NODE" in app.lines[0]


async def test_missing_values_are_dashes() -> None:
    app = TableApp((gpu("n1", 0, utilization=None, temperature_celsius=None, jobs=None),))
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.lines[1].split() == ["n1", "0", "–", "–", "–"]


async def test_old_and_missing_and_chosen_rows_look_different() -> None:
    old, fresh = gpu("n1", 0, is_stale=True), gpu("n2", 0, utilization=None)
    app = TableApp((old, fresh, gpu("n3", 0)))
    async with app.run_test() as pilot:
        await pilot.press("G")
        strips = [app.table.draw(number) for number in range(3)]
        looks = [{str(segment.style) for segment in strip if segment.text.strip()} for strip in strips]
        assert looks[0].isdisjoint(looks[2])
        assert len(looks[1]) == 2


async def test_only_lines_that_changed_are_drawn_again() -> None:
    app = TableApp(rows(*range(20)))
    async with app.run_test() as pilot:
        await pilot.pause()
        drawn: list[int] = []
        refresh_line = app.table.refresh_line

        def note(y: int) -> None:
            drawn.append(y)
            refresh_line(y)

        app.table.refresh_line = note  # type: ignore[method-assign]  # a spy
        await app.put(pilot, rows(*range(20)))
        assert drawn == []
        changed = list(rows(*range(20)))
        changed[7] = gpu("n007", 0, utilization=0.99)
        await app.put(pilot, changed)
        assert drawn == [8]


async def test_only_visible_rows_are_drawn_whatever_their_number() -> None:
    texts = 0

    def count(row: Gpu, _: ClusterSnapshot, __: object) -> str:
        nonlocal texts
        texts += 1
        return row.device.node

    counted = replace(COLUMNS[0], text=count)
    app = TableApp(())
    app.table = RowTable(Rows((counted,), lambda row: row.key, {}))
    app.first = rows(*range(20_000))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        texts = 0
        await app.put(pilot, rows(*range(20_000)))
        assert texts <= 2 * 24


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 5, "abcd…"),
        ("宽宽宽", 5, "宽宽…"),
        ("宽宽宽", 4, "宽 …"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("", 2, "  "),
        ("e\u0301", 3, "e\u0301  "),
    ],
)
def test_a_text_fits_exactly(text: str, width: int, fitted: str) -> None:
    assert fit(text, width) == fitted
    assert width_of(fit(text, width)) == width


def test_numbers_stand_on_the_right() -> None:
    assert fit("7%", 5, right=True) == "   7%"


@pytest.mark.parametrize(
    ("widths", "grows", "room", "result"),
    [
        ((10, 5, 10), (True, False, True), 27, (10, 5, 10)),
        ((10, 5, 10), (True, False, True), 20, (10, 5, 10)),
        ((10, 5, 10), (True, False, True), 47, (15, 5, 25)),
        ((10, 5), (True, False), 100, (15, 5)),
        ((4, 5), (True, False), 100, (4, 5)),
    ],
)
def test_text_columns_share_the_room_that_is_left(
    widths: tuple[int, ...], grows: tuple[bool, ...], room: int, result: tuple[int, ...]
) -> None:
    assert spread(widths, grows, room) == result


def test_columns_begin_one_cell_behind_the_one_before() -> None:
    assert starts_of((3, 4, 5)) == (0, 4, 9)
    assert starts_of(()) == ()


@pytest.mark.parametrize(
    ("right", "seen_as"),
    [
        (20, (5, 4, 6)),
        (17, (5, 4, 6)),
        (16, (5, 4, 5)),
        (14, (5, 4)),
        (10, (5, 4)),
        (9, (5,)),
        (5, (5,)),
        (4, (4,)),
        (3, ()),
    ],
)
def test_a_number_is_drawn_whole_or_not_at_all(right: int, seen_as: tuple[int, ...]) -> None:
    assert seen_widths((5, 4, 6), (True, False, True), right) == seen_as


@pytest.mark.thorough
async def test_no_number_is_ever_cut_at_the_edge() -> None:
    card = gpu("n1", 0, utilization=0.97, temperature_celsius=84.0)
    for width in range(8, 60):
        app = TableApp((card,))
        async with app.run_test(size=(width, 10)) as pilot:
            await pilot.pause()
            words = set(app.lines[1].replace("…", "").split())
            assert words <= {"n1", "0", "97%", "84°C", "–"}

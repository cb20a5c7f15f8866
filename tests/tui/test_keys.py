"""Keys, mouse, filter, pause, help, themes and sizes, as a user meets them."""

from __future__ import annotations

from typing import cast

import pytest
from msgspec.structs import replace
from textual.binding import Binding
from textual.pilot import Pilot

from clusters import healthy, troubled
from gpumon.model import Target
from gpumon.settings import THEMES as LOOKS
from gpumon.settings import Settings
from gpumon_tui.app import GpumonApp
from gpumon_tui.bindings import PLACES
from gpumon_tui.screens.cluster import ClusterScreen
from gpumon_tui.screens.help import HelpScreen
from gpumon_tui.themes import DEFAULTS, THEMES
from gpumon_tui.widgets.keys import KeyLine
from gpumon_tui.widgets.table import RowTable
from gpumon_tui.widgets.tabs import ViewTabs
from tui_scripted import SIZES, ScriptedSource, dashboard, first_picture, next_picture, seen, until

pytestmark = pytest.mark.thorough  # each test plays on a whole screen


def screen_of(app: GpumonApp) -> ClusterScreen:
    assert isinstance(app.screen, ClusterScreen)
    return app.screen


async def type_filter(pilot: Pilot[None], text: str) -> None:
    await pilot.press("slash")
    await pilot.press(*("slash" if letter == "/" else "space" if letter == " " else letter for letter in text))
    await pilot.pause()


@pytest.mark.parametrize(("key", "index"), [("1", 0), ("2", 1), ("3", 2), ("4", 3), ("5", 4), ("6", 5)])
async def test_number_keys_open_views(key: str, index: int) -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await pilot.press("5" if key != "5" else "1", key)
        assert screen_of(app).current == index


async def test_tab_goes_round_both_ways() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await pilot.press("tab", "tab")
        assert screen_of(app).current == 2
        await pilot.press("shift+tab", "shift+tab", "shift+tab")
        assert screen_of(app).current == 5
        await pilot.press("tab")
        assert screen_of(app).current == 0


async def test_keys_that_come_before_the_views_choose_one_and_break_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(screen: ClusterScreen) -> None:
        """Views that take long to come."""

    come = ClusterScreen.have_views
    monkeypatch.setattr(ClusterScreen, "have_views", never)
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await pilot.press("4", "slash", "I", "escape", "m", "s", "y", "r")
        for command in ("filter x", "sort job", "metric power"):
            await pilot.press("colon", *("space" if letter == " " else letter for letter in command), "enter", "escape")
        await pilot.press("4", "tab")
        screen = screen_of(app)
        screen.call_later(come, screen)
        await until(pilot, lambda: screen.is_ready)
        assert screen.current == 4
        assert "✓ No alert." in seen(app)
        await pilot.press("question_mark", "escape", "q")
    assert app.return_code == 0


async def test_a_click_on_a_tab_opens_its_view() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        place = app.screen.query_one(ViewTabs).region
        line = seen(app).splitlines()[place.y]
        await pilot.click(ViewTabs, offset=(line.index("Nodes"), 0))
        assert screen_of(app).current == 2
        await pilot.click(ViewTabs, offset=(line.index("GPUs"), 0))
        assert screen_of(app).current == 1


async def test_a_click_on_a_key_presses_it() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        line = seen(app).splitlines()[app.screen.query_one(KeyLine).region.y]
        await pilot.click(KeyLine, offset=(line.index("Pause"), 0))
        await pilot.pause()
        assert app.is_paused


async def test_pause_holds_the_picture_until_it_is_released_or_asked_anew() -> None:
    source = ScriptedSource(healthy())
    app = GpumonApp(source, Settings(), interval=1.0)
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("p")
        assert "PAUSED" in seen(app)
        asked = source.asked
        await pilot.pause(1.3)
        assert source.asked <= asked + 1, "at most the question that was already on its way"
        asked = source.asked
        await pilot.press("r")
        await until(pilot, lambda: source.asked == asked + 1)
        await pilot.press("p")
        await until(pilot, lambda: source.asked > asked + 1)
        assert "PAUSED" not in seen(app)


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quitting_keys_quit(key: str) -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert not app.is_running or app._exit  # pyright: ignore[reportPrivateUsage]  # the app says it nowhere else


async def test_quitting_works_while_the_source_is_gone_and_from_the_help() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("question_mark", "ctrl+c")
        await pilot.pause()
        assert app._exit  # pyright: ignore[reportPrivateUsage]  # the app says it nowhere else


@pytest.mark.parametrize("size", SIZES)
async def test_help_lists_the_keys_that_are_valid_here(size: tuple[int, int]) -> None:
    app = dashboard(replace(healthy(), is_simulated=True))
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        await pilot.press("2", "question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        screen = seen(app)
        for words in ("j", "Next row", "Sort by the next column", "DEMO"):
            assert words in screen
        await pilot.press("escape")
        assert isinstance(app.screen, ClusterScreen)


async def test_f1_opens_help_too_and_q_closes_it() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await pilot.press("f1")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("q")
        assert isinstance(app.screen, ClusterScreen)


@pytest.mark.parametrize("key", "123456")
@pytest.mark.parametrize("size", SIZES)
async def test_every_view_says_demo_when_simulated_and_only_then(key: str, size: tuple[int, int]) -> None:
    app = dashboard(replace(troubled(), is_simulated=True), troubled())
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        await pilot.press(key)
        assert " DEMO " in seen(app).splitlines()[0]
        await next_picture(pilot)
        assert "DEMO" not in seen(app)


async def test_a_long_source_never_hides_the_badges() -> None:
    app = dashboard(replace(healthy(), is_simulated=True, source="http://" + "long-" * 60))
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        await pilot.press("p")
        line = seen(app).splitlines()[0]
        assert " DEMO " in line
        assert " PAUSED " in line
        assert "s old" in line


async def test_the_footer_names_only_keys_that_are_valid_here() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        assert "Sort" not in seen(app).splitlines()[-1]
        await pilot.press("2")
        await pilot.pause()
        line = seen(app).splitlines()[-1]
        for word in ("s Sort", "/ Filter", "p Pause", "r Refresh", "? Help", "q Quit"):
            assert word in line


async def test_a_filter_filters_letter_by_letter_and_counts() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("2")
        await type_filter(pilot, "gpu10")
        screen = seen(app)
        assert "4 of 10" in screen
        assert " gpu2 " not in screen
        await pilot.press("backspace", "backspace")
        await pilot.pause()
        assert "10 of 10" in seen(app)


async def test_letters_that_are_keys_elsewhere_are_letters_in_a_filter() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("2")
        await type_filter(pilot, "qpr?123")
        assert "Quit" not in seen(app).splitlines()[-1]
        assert "? Help" not in seen(app).splitlines()[-1]
        assert not app.is_paused
        assert screen_of(app).current == 1
        assert "Nothing matches the filter." in seen(app)


async def test_escape_clears_the_filter_and_then_closes_its_line() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("2")
        await type_filter(pilot, "gpu10")
        await pilot.press("escape")
        await pilot.pause()
        assert "10 of 10" in seen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert " of 10" not in seen(app)
        await pilot.press("j")
        assert app.focused is not None
        assert app.focused.id != "filter"


async def test_a_kept_filter_stays_with_its_view_and_through_refreshes() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("2")
        await type_filter(pilot, "util<50")
        await pilot.press("enter")
        await next_picture(pilot)
        assert "6 of 10" in seen(app)
        await pilot.press("3")
        await pilot.pause()
        assert "of 10" not in seen(app)
        assert " gpu1 " in seen(app)
        await pilot.press("2")
        await pilot.pause()
        assert "6 of 10" in seen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert " of 10" not in seen(app)


async def test_a_term_that_is_none_is_explained_and_can_be_put_right() -> None:
    app = dashboard(healthy())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("2")
        await type_filter(pilot, "utl<50")
        assert "there is no column 'utl'; did you mean util?" in seen(app)
        assert " gpu1 " in seen(app), "nothing is filtered meanwhile"
        await pilot.press("enter")
        await pilot.pause()
        assert "utl" in seen(app), "it can be put right"
        await pilot.press("left", "left", "left", "left", "i", "enter")
        await pilot.pause()
        assert "6 of 10" in seen(app)


async def test_the_overview_filters_nodes() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await type_filter(pilot, "gpu10")
        screen = seen(app)
        assert "1 of 4" in screen
        assert "gpu2 " not in screen


@pytest.mark.parametrize("key", "3456")
async def test_every_view_can_be_filtered(key: str) -> None:
    app = dashboard(troubled())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press(key)
        await type_filter(pilot, "nosuchthing")
        assert "0 of " in seen(app)


@pytest.mark.parametrize("size", [(59, 24), (80, 15), (20, 5), (5, 2), (1, 1)])
async def test_a_tiny_terminal_is_told_what_is_needed_and_recovers(size: tuple[int, int]) -> None:
    app = dashboard(healthy())
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        if size[0] > 40:
            assert "gpumon needs 60 columns and 16 lines" in seen(app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "GPUs 10" in seen(app)
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert "GPUs 10" not in seen(app)


@pytest.mark.thorough
@pytest.mark.parametrize("key", "123456")
async def test_any_size_is_drawn_while_data_comes(key: str) -> None:
    app = dashboard(healthy(), troubled())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press(key)
        for size in ((200, 50), (60, 16), (300, 20), (61, 100), (80, 24), (149, 31), (150, 32)):
            await pilot.resize_terminal(*size)
            await next_picture(pilot)
            lines = seen(app).splitlines()
            assert len(lines) == size[1]


@pytest.mark.parametrize("look", LOOKS)
async def test_the_look_is_the_one_of_the_settings_and_can_be_turned(look: str) -> None:
    app = dashboard(healthy(), settings=Settings(theme=look))
    async with app.run_test() as pilot:
        await first_picture(pilot)
        assert app.theme == f"gpumon-{look}"
        for following in (*LOOKS, *LOOKS)[LOOKS.index(look) + 1 :][: len(LOOKS)]:
            app.action_turn_theme()
            await pilot.pause()
            assert app.theme == f"gpumon-{following}"
            assert "GPUs 10" in seen(app)


async def test_a_theme_of_textual_does_no_harm() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        for theme in ("nord", "textual-ansi", "ansi-dark", "dracula"):
            if theme in app.available_themes:
                app.theme = theme
                await pilot.pause()
                assert "GPUs 10" in seen(app)


def test_every_theme_knows_every_colour() -> None:
    assert all(set(theme.variables) == set(DEFAULTS) for theme in THEMES)
    assert [theme.name for theme in THEMES] == [f"gpumon-{look}" for look in LOOKS]


async def test_the_palette_offers_views_and_commands() -> None:
    app = dashboard(healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        assert {"Overview", "GPUs", "Nodes", "Jobs", "Alerts", "Filter", "Pause", "Refresh"} <= set(commands)
        commands["Jobs"].callback()
        await pilot.pause()
        assert screen_of(app).current == 3
        commands["Filter"].callback()
        await pilot.pause()
        await pilot.press("z")
        await pilot.pause()
        assert " of 5" in seen(app)


def test_every_binding_has_an_id_of_its_own_and_a_description() -> None:
    bindings = [each for owners in PLACES.values() for owner in owners for each in owner.BINDINGS]
    assert all(isinstance(each, Binding) and each.id and each.description for each in bindings)
    ids = [each.id for each in bindings if isinstance(each, Binding)]
    assert len(ids) == len(set(ids))


async def test_a_click_hits_the_line_it_was_aimed_at_below_a_border() -> None:
    targets = tuple(Target(f"job{number}", f"n{number}:9100", f"n{number}", "down", "refused") for number in range(5))
    app = dashboard(replace(troubled(), targets=targets))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("5")
        await pilot.pause()
        lines = seen(app).splitlines()
        y = next(number for number, line in enumerate(lines) if "job3" in line)
        await pilot.click(offset=(lines[y].index("job3"), y))
        table = cast("RowTable[Target]", app.screen.query_one("#targets"))
        assert table.listing.key == "job3\0n3:9100"
        head = next(number for number, line in enumerate(lines) if "INSTANCE" in line)
        await pilot.click(offset=(lines[head].index("INSTANCE"), head))
        await pilot.pause()
        assert "INSTANCE▲" in seen(app)

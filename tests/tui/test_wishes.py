"""Keys and columns of a user's own."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from clusters import healthy, queued
from gpumon.errors import ConfigError
from gpumon.settings import Settings, TuiSettings
from gpumon_tui.app import GpumonApp
from gpumon_tui.screens.columns import ColumnPicker
from gpumon_tui.views.gpus import GpusView
from gpumon_tui.views.overview import Overview
from gpumon_tui.widgets.table import RowTable
from gpumon_tui.wishes import check, own_columns
from tui_scripted import ScriptedSource, dashboard, first_picture, next_picture, seen, seen_of


def wanting(keys: dict[str, str] | None = None, **columns: tuple[str, ...]) -> Settings:
    tui = TuiSettings(keys=tuple((keys or {}).items()), columns=tuple(columns.items()))
    return Settings(tui=tui, file=Path("/etc/my.toml"))


def mistakes(settings: Settings) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        check(settings)
    return caught.value.mistakes


def focused_table(app: GpumonApp) -> RowTable[object]:
    return cast("RowTable[object]", app.focused)


def test_every_wish_that_cannot_be_met_is_told_with_the_nearest_that_can() -> None:
    wrong = wanting({"app.qit": "f10", "zzz": "n", "app.help": "ctrl+nokey,f2"}, gpu=("node",), jobs=("job", "usr"))
    assert mistakes(wrong) == (
        '/etc/my.toml: tui.keys: nothing is called "app.qit"; did you mean app.quit?',
        '/etc/my.toml: tui.keys: nothing is called "zzz"; docs/keys.md lists the names.',
        '/etc/my.toml: tui.keys.app.help: found "ctrl+nokey"; expected a key such as "f10", "ctrl+x" or "n".',
        '/etc/my.toml: tui.columns: no table is called "gpu"; did you mean gpus?',
        '/etc/my.toml: tui.columns.jobs: no column is called "usr"; did you mean user?',
    )


def test_a_wish_without_anything_near_names_what_there_is() -> None:
    (line,) = mistakes(wanting(nodes=("quark",)))
    assert "known are node, state, " in line


@pytest.mark.parametrize("keys", ["f10", "n,down", "?", "question_mark", "ctrl+x", "shift+f3", "+", "alt+minus", "ü"])
def test_every_key_that_a_terminal_sends_can_be_wanted(keys: str) -> None:
    check(wanting({"table.down": keys}))


def test_who_wants_nothing_waits_for_nothing() -> None:
    check(Settings())
    assert own_columns(Settings(), "gpus") == ()


@pytest.mark.thorough
async def test_another_key_does_it_and_the_old_one_does_not() -> None:
    app = dashboard(healthy(), settings=wanting({"view.nodes": "N", "app.quit": "f10", "table.down": "n,down"}))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("3", "q")
        assert app.screen.query_one(Overview).display
        await pilot.press("N", "n")
        await pilot.pause()
        assert focused_table(app).listing.cursor == 1
        assert "f10 Quit" in seen(app)
        await pilot.press("f10")
    assert app.return_code == 0


async def test_columns_of_the_configuration_are_shown_in_its_order() -> None:
    app = dashboard(healthy(), settings=wanting(gpus=("user", "node", "gpu", "account")))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("2")
        await pilot.pause()
        assert seen_of(app, GpusView)[0].split() == ["USER", "NODE", "GPU", "ACCOUNT"]


async def pick(app: GpumonApp, *keys: str) -> list[str]:
    """The head of the table of GPUs after these keys in the list of columns."""
    async with app.run_test(size=(200, 50)) as pilot:
        await first_picture(pilot)
        await pilot.press("2", "c")
        await pilot.pause()
        assert isinstance(app.screen, ColumnPicker)
        await pilot.press(*keys)
        await pilot.pause()
        await next_picture(pilot)
        return seen_of(app, GpusView)[0].split()


@pytest.mark.thorough
async def test_columns_are_chosen_in_a_list_and_stay_through_refreshes() -> None:
    usual = await pick(dashboard(healthy()), "escape")
    assert await pick(dashboard(healthy()), "down", "down", "space", "escape") == usual
    assert await pick(dashboard(healthy()), "down", "down", "space", "enter") == [
        each for each in usual if each != "UTIL"
    ]


@pytest.mark.thorough
async def test_a_table_of_no_columns_has_the_usual_ones() -> None:
    app = dashboard(healthy(), settings=wanting(gpus=("node", "gpu")))
    assert (await pick(app, "space", "down", "space", "enter"))[:3] == ["NODE", "GPU", "UTIL"]


@pytest.mark.thorough
async def test_a_column_that_is_not_shown_can_still_be_sorted_and_filtered_by() -> None:
    app = GpumonApp(ScriptedSource(queued()), wanting(jobs=("job", "gpus", "user")), interval=3600.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "slash", *"state:pending", "enter", "colon", *"sort", "space", *"rank", "enter")
        await pilot.pause()
        assert "4 of 10" in seen(app)
        assert focused_table(app).listing.order.key == "rank"

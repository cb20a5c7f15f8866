"""What is typed behind a colon, the interval, copying, and sorting, as a user meets them."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from clusters import hostile, queued
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon_tui.app import GpumonApp
from gpumon_tui.commands import WORDS, Command, NotACommand, continuations, gpu_key, job_key, parse_command
from gpumon_tui.connection import Phase
from gpumon_tui.screens.cluster import ClusterScreen
from gpumon_tui.screens.detail import DetailScreen
from gpumon_tui.screens.help import HelpScreen
from gpumon_tui.widgets.heatmap import GpuHeatmap
from tui_scripted import ScriptedSource, dashboard, first_picture, seen, until

pytestmark = pytest.mark.thorough  # each starts a whole program or plays on a whole screen


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("jobs", Command("jobs")),
        ("  jobs  user:ann util<10 ", Command("jobs", "user:ann util<10")),
        ("JOBS", Command("jobs")),
        ("ov", Command("overview")),
        ("q", Command("quit")),
        ("node gpu 1", Command("node", "gpu 1")),
        ("theme light", Command("theme", "light")),
    ],
)
def test_a_command_is_a_word_and_what_it_is_about(text: str, command: Command) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("jbos", "no command jbos; did you mean jobs?"),
        ("zzz", "no command zzz"),
        ("node", "node needs the name of a node"),
        ("quit now", "quit stands alone"),
        ("no", "no could be nodes or node"),
        ("\x1b[31m", "no command \\e[31m"),
    ],
)
def test_what_is_no_command_is_explained(text: str, reason: str) -> None:
    with pytest.raises(NotACommand) as caught:
        parse_command(text)
    assert str(caught.value) == reason


def test_words_and_names_are_completed() -> None:
    told = queued()
    assert list(continuations("j", told, ())) == ["jobs", "job"]
    assert list(continuations("node gpu", told, ())) == ["node gpu1", "node gpu2"]
    assert list(continuations("gpu gpu2 ", told, ()))[:2] == ["gpu gpu2 0", "gpu gpu2 1"]
    assert "job 200_1" in continuations("job 20", told, ())
    assert list(continuations("sort wa", told, ("user", "wasted"))) == ["sort wasted"]
    assert list(continuations("theme co", told, ())) == ["theme colour-blind"]
    assert list(continuations("metric p", told, ())) == ["metric power"]
    assert not list(continuations("", told, ()))
    assert not list(continuations("filter x", told, ()))


def test_names_that_cannot_be_shown_are_not_offered() -> None:
    assert all("\x1b" not in text for text in continuations("node ", hostile(), ()))


def test_jobs_and_gpus_are_found_by_the_names_people_know() -> None:
    told = queued()
    assert job_key("200_1", told) == job_key("201", told) == "201"
    assert gpu_key("gpu2 1", told) == gpu_key("GPU-gpu2-1", told) == "GPU-gpu2-1"
    for find in (job_key, gpu_key):
        with pytest.raises(NotACommand):
            find("nothing such", ClusterSnapshot())


async def command(pilot: Pilot[None], text: str) -> None:
    await pilot.press("colon")
    pilot.app.screen.query_one("CommandLine Input", Input).value = text
    await pilot.press("enter")
    await pilot.pause()


async def test_commands_open_views_with_a_filter() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await command(pilot, "jobs user:bob")
        assert isinstance(app.screen, ClusterScreen)
        assert app.screen.current == 3
        assert "3 of 10" in seen(app)
        await command(pilot, "filter user:eve")
        assert "2 of 10" in seen(app)
        await command(pilot, "sort gpus")
        assert "GPU▼" in seen(app)


@pytest.mark.parametrize(
    ("text", "words"), [("node gpu2", "› gpu2"), ("job 210", "› 210"), ("gpu gpu1 3", "› gpu1 GPU 3")]
)
async def test_commands_open_things(text: str, words: str) -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await command(pilot, text)
        await until(pilot, lambda: isinstance(app.screen, DetailScreen))
        assert words in seen(app).splitlines()[0]
        await command(pilot, "idle")
        assert isinstance(app.screen, ClusterScreen)
        assert app.screen.current == 5


async def test_commands_turn_the_look_the_interval_and_the_map() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await command(pilot, "theme mono")
        assert app.theme == "gpumon-mono"
        await command(pilot, "theme nord")
        assert app.theme == "nord"
        await command(pilot, "interval 30")
        assert "every 30s" in seen(app)
        await command(pilot, "interval auto")
        assert "every 15s" in seen(app)
        await command(pilot, "metric mem")
        assert app.screen.query_one(GpuHeatmap).scale.name == "memory"
        await command(pilot, "pause")
        assert app.is_paused
        await command(pilot, "refresh")
        await command(pilot, "help")
        assert isinstance(app.screen, HelpScreen)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("jbos", "did you mean jobs?"),
        ("job 99", "no job 99 is in the queue"),
        ("node nowhere", "no node nowhere is known"),
        ("gpu x 1", "no GPU x 1 is known"),
        ("sort pink", "no column pink"),
        ("filter utl<5", "there is no column 'utl'"),
        ("theme pink", "no theme pink"),
        ("interval soon", "interval needs whole seconds"),
        ("metric love", "known are utilization, memory"),
    ],
)
async def test_a_command_that_cannot_be_done_says_why_and_can_be_put_right(text: str, reason: str) -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await command(pilot, text)
        assert reason in seen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert reason not in seen(app)
        assert isinstance(app.focused, GpuHeatmap)


async def test_rows_are_filtered_and_sorted_only_where_there_are_some() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await command(pilot, "node gpu1")
        await until(pilot, lambda: isinstance(app.screen, DetailScreen))
        await command(pilot, "sort util")
        assert "there are no rows to filter or sort here" in seen(app)


async def test_tab_takes_the_suggestion_and_an_empty_command_does_nothing() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("colon", "g", "p", "tab")
        assert app.screen.query_one("CommandLine Input", Input).value == "gpus"
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert isinstance(app.screen, ClusterScreen)
        assert app.screen.current == 1
        await pilot.press("colon", "enter", "j")
        await pilot.pause()
        assert not app.screen.query("CommandLine")


async def test_letters_that_are_keys_elsewhere_are_letters_in_a_command() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("colon", "q", "2", "p", "plus", "colon")
        assert app.screen.query_one("CommandLine Input", Input).value == "q2p+:"
        assert not app.is_paused


async def test_quit_quits() -> None:
    app = dashboard(queued())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("colon", "q", "enter")
        await pilot.pause()
        assert app._exit  # pyright: ignore[reportPrivateUsage]  # the app says it nowhere else


async def test_two_keys_change_the_interval_at_once() -> None:
    source = ScriptedSource(queued())
    app = GpumonApp(source, Settings(), interval=15.0)
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("plus")
        await pilot.pause()
        assert "every 30s" in seen(app)
        await pilot.press("minus", "minus", "minus")
        await pilot.pause()
        assert "every 5s" in seen(app)
        await pilot.press(*["minus"] * 5)
        assert app.interval == 1.0
        await until(pilot, lambda: source.asked >= 2)
        await pilot.press(*["plus"] * 12)
        assert app.interval == 600.0


async def test_the_interval_can_be_changed_while_nobody_answers() -> None:
    app = dashboard(queued())
    async with app.run_test() as pilot:
        await pilot.press("plus")
        await first_picture(pilot)
        assert app.connection.phase is Phase.LIVE
        assert app.connection.interval_seconds == app.interval


@pytest.mark.parametrize(
    ("keys", "copied"),
    [
        (("1", "j"), "gpu2"),
        (("2", "j"), "GPU-gpu1-1"),
        (("3",), "gpu1"),
        (("4", "j"), "210"),
        (("6",), "210"),
        (("4", "j", "enter"), "210"),
        (("2", "enter"), "GPU-gpu1-0"),
        (("1", "enter"), "gpu1"),
    ],
)
async def test_a_key_copies_the_name_of_what_is_chosen(keys: tuple[str, ...], copied: str) -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await first_picture(pilot)
        await pilot.press(*keys)
        await pilot.pause()
        await pilot.press("y")
        await pilot.pause()
        assert app.clipboard == copied
        assert f"Copied {copied}" in seen(app)


async def test_a_hostile_name_is_copied_as_it_is_and_shown_without_harm() -> None:
    app = dashboard(hostile())
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await first_picture(pilot)
        await pilot.press("1", "j", "y")
        await pilot.pause()
        assert "\x1b" in app.clipboard
        assert "\x1b" not in seen(app)


async def test_enter_on_a_user_shows_the_jobs_of_that_user() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "w", "w", "j", "enter")
        await pilot.pause()
        assert 'user="bob"' in seen(app)
        assert "3 of 10" in seen(app)


def test_every_word_can_be_typed_whole() -> None:
    for word in WORDS:
        assert parse_command(f"{word} x" if word not in ("pause", "refresh", "help", "quit") else word).word == word

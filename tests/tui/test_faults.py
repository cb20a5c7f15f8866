"""What happens when the source fails: the old picture stays, the reason is said, and it comes back by itself."""

from __future__ import annotations

import asyncio
import re
import time
from functools import partial

import pytest
from textual.worker import WorkerFailed

from clusters import healthy
from gpumon.errors import GpumonError, HistoryError, Refused, TimedOut
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.source import ClusterSource
from gpumon_tui.app import GpumonApp
from gpumon_tui.connection import Phase, wait_after
from gpumon_tui.deferred import DeferredSource
from gpumon_tui.source_thread import SourceThread
from tui_scripted import ScriptedSource, dashboard, first_picture, next_picture, seen, until

REFUSED = Refused("Prometheus at http://head:9090 refused the connection.", advice="Is it running?")


async def test_the_old_picture_stays_dimmed_with_its_age_and_the_reason() -> None:
    app = dashboard(healthy(), REFUSED)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await next_picture(pilot)
        screen = seen(app)
        assert "Prometheus at http://head:9090 refused the connection. Is it running?" in screen
        assert "Next try in" in screen
        assert "✗" in screen
        assert re.search(r"[0-9]s old", screen)
        assert "GPUs 10" in screen, "the old picture is still there"
        assert app.screen.has_class("-lost")


async def test_the_picture_is_bright_again_after_the_source_came_back() -> None:
    app = dashboard(healthy(), REFUSED, healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await next_picture(pilot)
        assert app.screen.has_class("-lost")
        await next_picture(pilot)
        assert app.connection.phase is Phase.LIVE
        assert not app.screen.has_class("-lost")
        assert "refused" not in seen(app)


@pytest.mark.thorough
async def test_it_comes_back_by_itself() -> None:
    app = dashboard(healthy(), REFUSED, healthy())
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await next_picture(pilot)
        await until(pilot, lambda: app.connection.phase is Phase.LIVE)


async def test_a_source_that_never_answered_gives_a_reason_and_no_numbers() -> None:
    app = dashboard(REFUSED)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.connection.phase is Phase.LOST)
        screen = seen(app)
        assert "refused the connection" in screen
        assert "no data" in screen
        assert "GPUs –" in screen or "Waiting for the first data" in screen


@pytest.mark.thorough
async def test_another_reason_replaces_the_first() -> None:
    app = dashboard(healthy(), REFUSED, TimedOut("No answer within 10 s."))
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await next_picture(pilot)
        await next_picture(pilot)
        assert "No answer within 10 s." in seen(app)
        assert "refused" not in seen(app)


async def test_what_a_server_says_is_shown_without_its_control_characters() -> None:
    app = dashboard(Refused("\x1b[31mred\x1b[0m [bold]text[/bold] [/nothing]\nnext line"))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.connection.phase is Phase.LOST)
        assert "\\e[31mred\\e[0m [bold]text[/bold] [/nothing]\\nnext line" in seen(app)


async def test_a_bug_crashes_loudly() -> None:
    app = dashboard(ZeroDivisionError("a bug"))
    with pytest.raises(WorkerFailed, match="a bug"):
        async with app.run_test() as pilot:
            await until(pilot, lambda: app.return_code is not None)


async def test_keys_answer_while_the_source_does_not() -> None:
    source = ScriptedSource(healthy())
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test() as pilot:
        await first_picture(pilot)
        source.gate.clear()
        await pilot.press("r", "3", "j")
        await pilot.pause()
        assert "gpu2  mixed" in seen(app)
        source.gate.set()


async def test_leaving_does_not_wait_for_an_answer() -> None:
    source = ScriptedSource(healthy())
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test() as pilot:
        await first_picture(pilot)
        source.gate.clear()
        await pilot.press("r")
        began = time.monotonic()
        await pilot.press("q")
    assert time.monotonic() - began < 5.0
    source.gate.set()


async def test_the_source_is_closed_at_the_end() -> None:
    source = ScriptedSource(healthy())
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test() as pilot:
        await first_picture(pilot)
    assert source.is_closed


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (100, 30), (9999, 30)]
)
def test_tries_become_rarer_up_to_half_a_minute(failures: int, seconds: float) -> None:
    assert wait_after(failures) == seconds


@pytest.mark.parametrize(
    ("asked", "set_to", "scraped", "seconds"),
    [(None, None, None, 15), (None, None, 30, 30), (None, 7, 30, 7), (3, 7, 30, 3), (0.01, None, None, 1)],
)
async def test_the_interval_is_what_was_asked_for_else_that_of_the_scrapes(
    asked: float | None, set_to: float | None, scraped: float | None, seconds: float
) -> None:
    source = ScriptedSource(ClusterSnapshot(taken_at=1.0, scrape_interval_seconds=scraped))
    app = GpumonApp(source, Settings(interval_seconds=set_to), interval=asked)
    async with app.run_test() as pilot:
        await first_picture(pilot)
        assert app.interval == seconds
        assert f"every {seconds}s" in seen(app)


async def test_it_asks_again_by_itself() -> None:
    source = ScriptedSource(healthy())
    app = GpumonApp(source, Settings(), interval=1.0)
    async with app.run_test() as pilot:
        await until(pilot, lambda: source.asked >= 2)


async def test_a_source_is_made_when_it_is_first_asked() -> None:
    made: list[ScriptedSource] = []

    def make() -> ScriptedSource:
        made.append(ScriptedSource(healthy()))
        return made[-1]

    deferred = DeferredSource(make)
    assert not made
    assert deferred.label == ""
    deferred.close()
    deferred.snapshot()
    deferred.utilization_history(60.0, 10)
    deferred.close()
    assert len(made) == 1
    assert made[0].is_closed
    assert deferred.label == "http://head:9090"


async def test_a_source_that_cannot_be_made_is_tried_again() -> None:
    script: list[GpumonError | ScriptedSource] = [Refused("no token file"), ScriptedSource(healthy())]

    def make() -> ScriptedSource:
        told = script.pop(0)
        if isinstance(told, GpumonError):
            raise told
        return told

    app = GpumonApp(DeferredSource(make), Settings(), interval=3600.0)
    async with app.run_test() as pilot:
        await until(pilot, lambda: app.connection.phase is Phase.LOST)
        assert "no token file" in seen(app)
        await pilot.press("r")
        await first_picture(pilot)


def _note(order: list[int], number: int, source: ClusterSource) -> int:
    order.append(number)
    return number


async def test_questions_are_answered_one_after_the_other_with_what_they_raise() -> None:
    thread = SourceThread(ScriptedSource(healthy()))
    thread.start()

    def fail(_: object) -> None:
        raise HistoryError("none")

    order: list[int] = []
    questions = [partial(_note, order, number) for number in range(20)]
    answers = await asyncio.gather(*(thread.ask(question) for question in questions))
    assert answers == order == list(range(20))
    with pytest.raises(HistoryError):
        await thread.ask(fail)
    thread.stop()


async def test_a_question_nobody_waits_for_any_more_does_no_harm() -> None:
    source = ScriptedSource(healthy())
    thread = SourceThread(source)
    thread.start()
    source.gate.clear()
    asked = asyncio.ensure_future(thread.ask(lambda source: source.snapshot()))
    await asyncio.sleep(0)
    asked.cancel()
    source.gate.set()
    assert await thread.ask(lambda _: "still there") == "still there"
    thread.stop()

"""The screen of one job: what it is and does, why it waits and behind whom, its history, and how one leaves it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest
from msgspec.structs import replace

from clusters import NOW, queued
from gpumon.attributions import WORDS
from gpumon.errors import HistoryError
from gpumon.model import Attribution, ClusterSnapshot, Problem, Severity
from gpumon.settings import Settings
from gpumon.source import Point
from gpumon_tui.app import GpumonApp
from gpumon_tui.history import RANGES, envelope_of
from gpumon_tui.messages import JobChosen
from gpumon_tui.screens.cluster import ClusterScreen
from gpumon_tui.screens.job import JobScreen
from tui_scripted import SIZES, ScriptedSource, dashboard, first_picture, next_picture, seen, until

pytestmark = pytest.mark.thorough  # each starts a whole program or plays on a whole screen

LINE = tuple(Point(NOW - 3600 + 60 * step, 0.5 + step / 200) for step in range(60))


async def job_screen(number: int, snapshot: ClusterSnapshot | None = None, size: tuple[int, int] = (120, 40)) -> str:
    app = dashboard(snapshot or queued())
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        app.screen.post_message(JobChosen(str(number)))
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        return seen(app)


@pytest.mark.parametrize("size", SIZES)
async def test_a_running_job_shows_what_it_is_and_each_of_its_gpus(size: tuple[int, int]) -> None:
    screen = await job_screen(211, size=size)
    for words in ("RUNNING", "wide", "user eve", "partition gpu", "GPUs 2", "gpu2 0", "gpu2 1", "70%", "power 500 W"):
        assert words in screen
    assert f"known {WORDS[Attribution.INDEX]}" in screen


@pytest.mark.parametrize("size", SIZES)
async def test_a_waiting_job_says_why_when_and_behind_whom(size: tuple[int, int]) -> None:
    screen = await job_screen(220, size=size)
    for words in ("PENDING", "jobs with a higher priority are before it", "(Priority)", "in 30m", "8 of 9 in gpu"):
        assert words in screen
    assert "GPUs asked for before it 14" in screen
    assert "221" in screen.split("PLACE")[1]


async def test_a_job_without_a_plan_is_not_promised_a_start() -> None:
    screen = await job_screen(222)
    assert "Slurm has made no plan for it" in screen
    assert "held by its user" in screen


async def test_a_job_whose_priority_is_not_told_has_no_place() -> None:
    jobs = tuple(msgspec.structs.replace(each, priority=None) for each in queued().jobs or ())
    assert "place in the queue – (its priority is not told)" in await job_screen(220, replace(queued(), jobs=jobs))


async def test_an_idle_job_says_since_when_and_what_it_wasted() -> None:
    screen = await job_screen(210)
    assert "idle all GPUs for 1h" in screen
    assert "wasted 3.0 GPU-hours" in screen


async def test_a_shared_gpu_names_the_other_job() -> None:
    assert "shared with 213" in await job_screen(212)


async def test_unknown_gpus_are_explained() -> None:
    jobs = tuple(msgspec.structs.replace(each, held=()) for each in queued().jobs or ())
    assert "Which GPUs it holds is not known" in await job_screen(211, replace(queued(), jobs=jobs))


async def test_a_job_that_asked_for_no_gpu_says_so() -> None:
    jobs = tuple(msgspec.structs.replace(each, held=(), gpus=0.0) for each in queued().jobs or ())
    assert "It has asked for no GPU." in await job_screen(211, replace(queued(), jobs=jobs))


async def test_every_way_to_know_a_holder_is_said() -> None:
    for way in Attribution:
        gpus = tuple(msgspec.structs.replace(gpu, held_by=way) for gpu in queued().gpus)
        assert f"known {WORDS[way]}" in await job_screen(211, replace(queued(), gpus=gpus))


async def test_a_job_that_leaves_the_queue_stays_as_it_was_last_seen() -> None:
    without = replace(queued(), taken_at=NOW + 15, jobs=tuple(each for each in queued().jobs or () if each.id != "211"))
    app = dashboard(queued(), without)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(JobChosen("211"))
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        await next_picture(pilot)
        assert "LEFT THE QUEUE" in seen(app)
        assert "user eve" in seen(app)


async def test_a_queue_that_cannot_be_read_is_not_a_job_that_left() -> None:
    problem = Problem("jobs", "The query for jobs failed.", "", Severity.ERROR)
    app = dashboard(queued(), replace(queued(), taken_at=NOW + 15, jobs=None, problems=(problem,)))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(JobChosen("211"))
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        await next_picture(pilot)
        assert "LEFT THE QUEUE" not in seen(app)
        assert "The query for jobs failed." in seen(app)


async def test_a_job_that_nobody_knows_is_said() -> None:
    assert "No job 9999 is in the queue." in await job_screen(9999)


async def test_escape_and_number_keys_lead_back() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "G", "enter")
        await pilot.pause()
        assert isinstance(app.screen, JobScreen)
        await pilot.press("g", "enter")
        await pilot.pause()
        assert "Jobs › 222 › 221" in seen(app).splitlines()[0]
        await pilot.press("escape")
        await pilot.pause()
        assert "Jobs › 222 " in seen(app).splitlines()[0]
        await pilot.press("2")
        await pilot.pause()
        assert isinstance(app.screen, ClusterScreen)
        assert app.screen.current == 1


async def test_history_is_asked_for_the_jobs_gpus_and_drawn() -> None:
    source = ScriptedSource(queued(), gpu_history={"GPU-gpu2-0": LINE, "GPU-gpu2-1": LINE})
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(JobChosen("211"))
        await until(pilot, lambda: "mean  ━ lowest" in seen(app))
        assert source.questions[0] == (("GPU-gpu2-0", "GPU-gpu2-1"), "utilization", 3600.0)
        assert "-60m" in seen(app)
        await until(pilot, lambda: len(source.questions) == 2)
        await next_picture(pilot)
        assert len(source.questions) == 2, "what is fresh is not asked for again"


async def test_keys_change_the_range_and_the_number() -> None:
    source = ScriptedSource(queued(), gpu_history={"GPU-gpu2-0": LINE})
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(JobChosen("211"))
        await until(pilot, lambda: len(source.questions) == 2)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "last 6 hours" in seen(app))
        await pilot.press("left_square_bracket", "left_square_bracket", "m")
        await until(pilot, lambda: "Memory, last 15 minutes" in seen(app))
        await pilot.press(*["right_square_bracket"] * len(RANGES))
        await until(pilot, lambda: "last 7 days" in seen(app))
        await until(pilot, lambda: ("memory_used_bytes", 7 * 86_400.0) in [asked[1:] for asked in source.questions])


@pytest.mark.parametrize(
    ("told", "words"),
    [(HistoryError("range queries are off"), "range queries are off"), ({}, "holds no history of this: utilization")],
)
async def test_history_that_fails_or_is_not_held_is_said(
    told: Mapping[str, tuple[Point, ...]] | HistoryError, words: str
) -> None:
    app = GpumonApp(ScriptedSource(queued(), gpu_history=told), Settings(), interval=3600.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(JobChosen("211"))
        await until(pilot, lambda: words in seen(app))


async def test_a_waiting_job_offers_no_chart_keys() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(JobChosen("220"))
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        assert "Longer" not in seen(app)


@pytest.mark.parametrize("size", [(59, 24), (20, 5)])
async def test_a_terminal_that_is_too_small_says_so_here_too(size: tuple[int, int]) -> None:
    app = dashboard(queued())
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(JobChosen("211"))
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert "user eve" not in seen(app)
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert "user eve" in seen(app)


def test_an_envelope_holds_the_mean_and_both_ends_of_those_that_tell() -> None:
    lines = ((Point(1.0, 0.2), Point(2.0, 0.4)), (Point(1.0, 0.6),))
    told = envelope_of(lines)
    assert told.mean == (Point(1.0, 0.4), Point(2.0, 0.4))
    assert told.lowest == (Point(1.0, 0.2), Point(2.0, 0.4))
    assert told.highest == (Point(1.0, 0.6), Point(2.0, 0.4))

"""What is held for nothing: a number on the Overview, a view of its own, a filter."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from clusters import healthy, queued
from gpumon.settings import Thresholds
from gpumon_tui.app import GpumonApp
from gpumon_tui.idleness import idleness_of
from gpumon_tui.views.idle import IdleView
from gpumon_tui.widgets.job_table import JobTable
from tui_scripted import SIZES, dashboard, first_picture, seen


def jobs_of(app: GpumonApp) -> list[str]:
    return [row.id for row in app.screen.query_one(IdleView).query_one(JobTable).listing.shown]


def test_what_idles_is_what_somebody_holds_and_hardly_uses_the_longest_first() -> None:
    idle = idleness_of(queued(), Thresholds())
    assert [gpu.key for gpu in idle.gpus] == ["GPU-gpu1-2", "GPU-gpu1-3"]
    assert [job.id for job in idle.jobs] == ["210"]
    assert idle.wasted_gpu_seconds == 3 * 3600


def test_a_silent_gpu_is_not_known_to_idle() -> None:
    silent = tuple(msgspec.structs.replace(gpu, is_stale=True) for gpu in queued().gpus)
    assert not idleness_of(replace(queued(), gpus=silent), Thresholds()).gpus


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_leads_to_what_is_held_for_nothing(size: tuple[int, int]) -> None:
    app = dashboard(queued())
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        assert "6 Idle 2" in seen(app)
        await pilot.press("i")
        await pilot.pause()
        screen = seen(app)
        for words in ("2 of 7 held GPUs work less than 5%", "3.0 GPU-hours", "WASTED▼", "bob", "210", "gpu1", "2h"):
            assert words in screen


async def test_jobs_that_wasted_most_come_first() -> None:
    told = queued()
    other = msgspec.structs.replace(told.gpus[0], utilization=0.0, idle_since=told.taken_at - 60)
    app = dashboard(replace(told, gpus=(other, *told.gpus[1:])))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("i")
        await pilot.pause()
        assert jobs_of(app) == ["210", "201"]
        await pilot.press("S")
        await pilot.pause()
        assert jobs_of(app) == ["201", "210"]


async def test_enter_leads_to_the_job_and_back() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("i", "enter")
        await pilot.pause()
        assert "Idle › 210" in seen(app).splitlines()[0]
        await pilot.press("escape", "w", "enter")
        await pilot.pause()
        assert "Idle › gpu1 GPU 2" in seen(app).splitlines()[0]


async def test_since_when_is_a_dash_where_history_was_not_read() -> None:
    told = queued()
    unread = tuple(msgspec.structs.replace(gpu, idle_since=None) for gpu in told.gpus)
    app = dashboard(replace(told, gpus=unread))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("i")
        await pilot.pause()
        assert "wasted so far – (since when they idle is not known)" in seen(app)
        assert jobs_of(app) == ["210"]


@pytest.mark.thorough
async def test_that_nothing_is_wasted_is_said_and_that_nobody_knows_too() -> None:
    app = dashboard(replace(healthy(), jobs=None))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("i")
        await pilot.pause()
        assert "✓ No GPU is held for nothing." in seen(app)
    unknown = tuple(msgspec.structs.replace(gpu, jobs=None) for gpu in healthy().gpus)
    app = dashboard(replace(healthy(), jobs=None, gpus=unknown))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("i")
        await pilot.pause()
        assert "Who holds which GPU is not known" in seen(app)


async def test_without_single_jobs_the_gpus_are_listed_all_the_same() -> None:
    app = dashboard(replace(queued(), jobs=None))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("i")
        await pilot.pause()
        assert "Single jobs are not known" in seen(app)
        assert "gpu1" in seen(app)


@pytest.mark.thorough
async def test_a_filter_leaves_only_gpus_that_idle() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("2", "I")
        await pilot.pause()
        assert "2 of 8" in seen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "of 8" not in seen(app)


async def test_the_palette_leads_there_too() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        commands = {command.title: command for command in app.get_system_commands(app.screen)}
        commands["Idle"].callback()
        await pilot.pause()
        assert jobs_of(app) == ["210"]

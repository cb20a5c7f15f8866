"""The queue as a user reads it: what jobs do, why they wait, arrays as one row, and jobs under whom they belong to."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from clusters import NOW, pending, queued
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon_tui.app import GpumonApp
from gpumon_tui.views.jobs import JobsView
from gpumon_tui.widgets.job_table import JobTable
from tui_scripted import SIZES, ScriptedSource, dashboard, first_picture, next_picture, seen, seen_of

pytestmark = pytest.mark.thorough  # each test plays on a whole screen

WIDE = (200, 50)


async def rows(*keys: str, snapshot: ClusterSnapshot | None = None, size: tuple[int, int] = WIDE) -> list[str]:
    """The lines of the table of jobs after some keys."""
    app = dashboard(snapshot or queued())
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        await pilot.press("4", *keys)
        await pilot.pause()
        return [line.strip() for line in seen_of(app, JobTable)[1:] if line.strip()]


def _without_limits() -> ClusterSnapshot:
    jobs = queued().jobs or ()
    return replace(
        queued(), jobs=tuple(msgspec.structs.replace(each, time_limit_seconds=None, ends_at=None) for each in jobs)
    )


def table_of(app: GpumonApp) -> JobTable:
    return app.screen.query_one(JobsView).query_one(JobTable)


@pytest.mark.parametrize("size", SIZES)
async def test_a_running_job_shows_its_time_and_what_its_gpus_do(size: tuple[int, int]) -> None:
    row = next(line for line in await rows(size=size) if line.startswith("210"))
    for word in ("bob", "running", "2", "4h", "0%", "note"):
        assert word in row


@pytest.mark.parametrize("size", SIZES)
async def test_a_waiting_job_says_why_in_words_and_since_when(size: tuple[int, int]) -> None:
    row = next(line for line in await rows(size=size) if line.startswith("221"))
    for word in ("eve", "pending", "waits 2h", "next in line: waits"):
        assert word in row


async def test_the_bar_of_time_is_as_long_as_the_part_of_the_limit_that_is_used() -> None:
    half = next(line for line in await rows() if line.startswith("210"))
    assert "████           4h" in half
    unlimited = next(line for line in await rows(snapshot=_without_limits()) if line.startswith("210"))
    assert "█" not in unlimited


async def test_tasks_of_an_array_are_one_row_for_each_state_and_open() -> None:
    folded = await rows()
    assert any(line.startswith("▸ 200 ×2") and "80%" in line for line in folded)
    assert any(line.startswith("200 ×6") and "its array already runs" in line for line in folded)
    opened = await rows("space")
    place = next(number for number, line in enumerate(opened) if line.startswith("▾ 200 ×2"))
    assert [line.split()[0] for line in opened[place + 1 : place + 3]] == ["200_1", "200_2"]


async def test_enter_opens_an_array_and_a_job_of_it() -> None:
    app = dashboard(queued())
    async with app.run_test(size=WIDE) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "enter", "j", "enter")
        await pilot.pause()
        assert "Jobs › 200_1" in seen(app).splitlines()[0]


async def test_all_arrays_open_and_close_at_once() -> None:
    assert any(line.startswith("200_2") for line in await rows("z"))
    assert not any(line.startswith("200_2") for line in await rows("z", "z"))


async def test_the_queue_lists_what_runs_and_then_who_is_next() -> None:
    order = [line.split()[0] for line in await rows("z")]
    assert order == ["▾", "200_1", "200_2", "210", "211", "212", "213", "221", "200", "220", "222"]


@pytest.mark.parametrize(
    ("presses", "heads"),
    [(1, ["bob", "eve", "ann", "dan"]), (2, ["physics", "chemistry"]), (3, ["gpu", "shared"]), (4, [])],
)
async def test_jobs_are_grouped_by_user_account_and_partition_in_turn(presses: int, heads: list[str]) -> None:
    lines = await rows(*["b"] * presses, "z")
    assert sorted(line.split()[1] for line in lines if line.startswith("▸") and "×" not in line) == sorted(heads)


async def test_a_group_says_how_many_of_its_jobs_run_and_wait() -> None:
    head = next(line for line in await rows("b") if line.startswith("▾ bob"))
    assert "2 pending, 1 running" in head or "1 running, 2 pending" in head


async def test_the_cursor_stays_on_its_job_while_groups_open_and_numbers_change() -> None:
    app = dashboard(queued(), replace(queued(), taken_at=NOW + 15))
    async with app.run_test(size=WIDE) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "j", "j", "j")
        table = table_of(app)
        chosen = table.listing.key
        await pilot.press("b")
        await next_picture(pilot)
        assert table.listing.key == chosen


async def test_sorting_sorts_jobs_inside_their_groups_and_the_groups_too() -> None:
    app = dashboard(queued())
    async with app.run_test(size=WIDE) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "b", "s", "s", "s", "s")
        listing = table_of(app).listing
        assert listing.order.key == "gpus"
        heads = [row.gpus for row in listing.shown if row.id not in listing.depths]
        assert heads == [10.0, 8.0, 7.0, 2.0]
        assert [row.id for row in listing.shown[:3]][1:] == ["221", "211"]


async def test_a_filter_looks_at_tasks_and_not_at_folds() -> None:
    app = dashboard(queued())
    async with app.run_test(size=WIDE) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "slash", *"user:ann")
        await pilot.pause()
        assert "3 of 10" in seen(app)
        table = table_of(app)
        assert [row.user for row in table.listing.shown] == ["ann", "ann"]


async def test_only_jobs_that_idle_are_one_key_away() -> None:
    app = dashboard(queued())
    async with app.run_test(size=WIDE) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "I")
        await pilot.pause()
        assert [row.id for row in table_of(app).listing.shown] == ["210"]
        assert "1 of 10" in seen(app)
        await pilot.press("I")
        await pilot.pause()
        assert len(table_of(app).listing.shown) > 1


async def test_twenty_thousand_jobs_are_listed_like_ten() -> None:
    many = tuple(pending(number, priority=float(number), array_job_id=str(number // 10), array_task_id=str(number % 10))
                 for number in range(20_000))  # fmt: skip
    app = dashboard(replace(queued(), jobs=many))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("4", "b", "z", "z", "G", "slash", *"user:bob", "enter")
        await pilot.pause()
        assert "20,000 of 20,000" in seen(app)


async def test_a_job_whose_gpus_are_not_known_shows_a_dash() -> None:
    unknown = tuple(msgspec.structs.replace(each, held=()) for each in queued().jobs or ())
    row = next(line for line in await rows(snapshot=replace(queued(), jobs=unknown)) if line.startswith("211"))
    assert "–" in row
    assert "%" not in row


async def test_the_footer_always_names_help_and_quit() -> None:
    app = GpumonApp(ScriptedSource(queued()), Settings(), interval=3600.0)
    async with app.run_test(size=(60, 20)) as pilot:
        await first_picture(pilot)
        await pilot.press("4")
        await pilot.pause()
        assert "? Help  q Quit" in seen(app).splitlines()[-1]


async def test_a_job_with_a_part_of_a_gpu_shows_what_that_does_and_one_without_says_so() -> None:
    jobs = tuple(
        msgspec.structs.replace(each, gpus=0.0, held=each.held if each.id == "212" else ())
        for each in queued().jobs or ()
    )
    listed = await rows(snapshot=replace(queued(), jobs=jobs))
    assert "50%" in next(line for line in listed if line.startswith("212"))
    assert "no GPU" in next(line for line in listed if line.startswith("213"))

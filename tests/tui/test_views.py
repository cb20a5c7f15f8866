"""Each view at each size: what a user must find there, and what is said where nothing is known."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cli_handmade import NOW, cluster, gpu, node
from clusters import gpu as card
from clusters import of_gpus, troubled
from gpumon.errors import SourceError
from gpumon.model import Alert, ClusterSnapshot, NodeSlurm, Problem, Queue, Severity, Target
from gpumon.settings import Settings
from gpumon.source import Point
from gpumon_tui.app import GpumonApp
from gpumon_tui.views.idle import IdleView
from gpumon_tui.widgets.attention import AttentionList
from gpumon_tui.widgets.tabs import ViewTabs
from tui_scripted import SIZES, ScriptedSource, dashboard, first_picture, seen, seen_of, until

pytestmark = pytest.mark.thorough  # each test plays on a whole screen

EMPTY = ClusterSnapshot(taken_at=NOW, source="http://head:9090")


async def view(key: str, snapshot: ClusterSnapshot, size: tuple[int, int] = (80, 24)) -> str:
    app = dashboard(snapshot)
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        await pilot.press(key)
        await pilot.pause()
        return seen(app)


@pytest.mark.parametrize("size", SIZES)
async def test_the_overview_shows_totals_every_gpu_node_and_the_gauges_of_one(size: tuple[int, int]) -> None:
    screen = await view("1", cluster(), size)
    for word in ("GPUs 4", "util", "nodes 1/2 up", "jobs 1 run 1 wait", "alerts 1", "NEEDS A LOOK", "http://head:9090"):
        assert word in screen
    assert "gpu1 " in screen
    assert "gpu10" in screen
    assert "A100-SXM4-80GB" in screen
    assert "40.0 GiB" in screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_table_of_gpus_shows_who_holds_what(size: tuple[int, int]) -> None:
    screen = await view("2", cluster(), size)
    row = next(line for line in screen.splitlines() if "90%" in line)
    for word in ("gpu1", "50%", "71°C", "250 W", "ann", "100"):
        assert word in row


@pytest.mark.parametrize("size", SIZES)
async def test_the_table_of_nodes_shows_state_and_reason(size: tuple[int, int]) -> None:
    screen = await view("3", cluster(), size)
    assert "idle+drain" in screen
    assert "CPU" in screen
    assert "fan" in screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_view_of_jobs_shows_queue_jobs_partitions_users_and_accounts(size: tuple[int, int]) -> None:
    screen = await view("4", cluster(), size)
    for word in ("1 pending", "1 running", "next in line", "bob", "PARTITION", "USER", "ACCOUNT", "physics"):
        assert word in screen


@pytest.mark.parametrize("size", SIZES)
async def test_the_view_of_alerts_shows_alerts_broken_targets_and_data_quality(size: tuple[int, int]) -> None:
    screen = await view("5", cluster(), size)
    for word in ("GpuHot", "critical", "gpu10:9400", "connection refused", "DATA QUALITY", "dcgm-exporter"):
        assert word in screen
    assert "gpu1:9400" not in screen, "a target that is up is no news"


@pytest.mark.parametrize("key", "123456")
@pytest.mark.parametrize("size", SIZES)
async def test_an_empty_cluster_is_said_in_words(key: str, size: tuple[int, int]) -> None:
    screen = await view(key, EMPTY, size)
    said = {
        "1": "no GPU exporter found",
        "2": "no GPU exporter found",
        "3": "no node_exporter found",
        "4": "no Slurm exporter found",
        "5": "No exporter was recognized",
        "6": "no exporter tells of jobs",
    }
    assert said[key] in screen


async def test_unknown_totals_are_dashes_and_not_zeros() -> None:
    screen = await view("1", EMPTY)
    for word in ("alloc –", "busy –", "idle –", "util    –", "– run – wait", "alerts –", "power       –"):
        assert word in screen


async def test_without_single_jobs_the_view_says_which_exporter_is_needed() -> None:
    screen = await view("4", cluster(jobs=None), (120, 40))
    assert "gpumon-slurm-exporter" in screen
    assert "physics" in screen


async def test_a_problem_stands_with_its_part() -> None:
    problem = Problem("gpus", "the query for temperatures failed", "Try again.", Severity.ERROR)
    snapshot = cluster(problems=(problem,))
    for key in "125":
        assert "the query for temperatures failed" in await view(key, snapshot, (120, 40))


async def test_gpus_that_slurm_has_and_nobody_sees_are_cells_too() -> None:
    lost = node("gpu3", gpus=(), slurm=NodeSlurm(state="down", gpus_total=4))
    screen = await view("1", cluster(nodes=(lost,), gpus=()), (120, 40))
    assert screen.count("×") == 5, "four cells and the legend"
    assert "Slurm has 4 GPUs here, but no exporter tells of them." in screen


async def test_old_rows_say_their_age() -> None:
    row = next(
        line
        for line in (await view("2", cluster(), (200, 50))).splitlines()
        if line.startswith(" gpu10") and "3m" in line
    )
    assert "3m" in row


async def test_the_most_urgent_alert_comes_first() -> None:
    alerts = (
        Alert("Later", "pending", "critical"),
        Alert("Minor", "firing", "warning"),
        Alert("Worst", "firing", "critical"),
    )
    lines = (await view("5", cluster(alerts=alerts))).splitlines()
    order = [name for line in lines for name in ("Later", "Minor", "Worst") if name in line]
    assert order == ["Worst", "Minor", "Later"]


async def test_all_is_well_is_said_too() -> None:
    targets = (Target("dcgm", "gpu1:9400", "gpu1", "up"),)
    screen = await view("5", cluster(alerts=(), targets=targets))
    assert "✓ No alert." in screen
    assert "✓ All 1 targets are up." in screen


async def test_a_source_without_alerts_does_not_claim_that_there_are_none() -> None:
    screen = await view("5", cluster(alerts=None, targets=None))
    assert "does not tell of alerts" in screen
    assert "does not list its targets" in screen


async def test_lacks_come_with_what_they_disable_and_the_remedy() -> None:
    screen = await view("5", cluster(), (200, 50))
    assert "DCGM_FI_PROF_SM_ACTIVE is not exported: no SM activity" in screen
    assert "DCGM_FI_PROF_SM_ACTIVE, gauge, SM activity." in screen


async def test_the_cursor_of_the_node_table_chooses_the_gauges() -> None:
    app = dashboard(cluster())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("3", "j")
        await pilot.pause()
        assert "gpu10  idle+drain: fan broken" in seen(app)


async def test_the_cursor_of_the_heatmap_chooses_the_gauges() -> None:
    app = dashboard(cluster())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("j")
        await pilot.pause()
        assert "gpu10  idle+drain: fan broken" in seen(app)


async def test_a_large_terminal_shows_the_last_half_hour() -> None:
    points = tuple(Point(NOW - 1800 + 15 * step, 0.5) for step in range(120))
    app = GpumonApp(ScriptedSource(cluster(), history=points), Settings(), interval=3600)
    async with app.run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: bool(app.history.points))
        assert "-30m" in seen(app)
        assert "100%" in seen(app)


async def test_history_that_fails_takes_only_its_own_place() -> None:
    app = GpumonApp(ScriptedSource(cluster(), history=SourceError("range queries are off")), Settings(), interval=3600)
    async with app.run_test(size=(200, 50)) as pilot:
        await until(pilot, lambda: bool(app.history.reason))
        assert "range queries are off" in seen(app)
        assert "GPUs 4" in seen(app)


async def test_a_small_terminal_asks_for_no_history() -> None:
    app = GpumonApp(ScriptedSource(cluster(), history=AssertionError("asked")), Settings(), interval=3600)
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        await pilot.pause()
        assert not app.history.points


@pytest.mark.parametrize("key", "123456")
async def test_ten_thousand_gpus_are_shown_like_four(key: str) -> None:
    names = [f"gpu{number:04}" for number in range(1250)]
    gpus = tuple(gpu(name, index) for name in names for index in range(8))
    nodes = tuple(node(name, gpus=tuple(f"GPU-{name}-{index}" for index in range(8))) for name in names)
    app = dashboard(cluster(gpus=gpus, nodes=nodes))
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        await pilot.press(key, "G")
        await pilot.pause()
        assert "10,000" in seen(app)
        if key in "123":
            assert "gpu1249" in seen(app)


@pytest.mark.parametrize("part", ["alerts", "targets"])
async def test_alerts_that_could_not_be_read_are_not_called_absent(part: str) -> None:
    problem = Problem(part, f"/api/v1/{part} answered 503", "", Severity.ERROR)
    screen = await view("5", cluster(alerts=None, targets=None, problems=(problem,)), (120, 40))
    assert f"! /api/v1/{part} answered 503" in screen


async def test_a_concern_leads_to_its_node() -> None:
    app = dashboard(troubled())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        concerns = app.screen.query_one(AttentionList)
        place = next(index for index, concern in enumerate(concerns.listing.shown) if concern.node == "gpu2")
        concerns.focus()
        await pilot.press(*["j"] * place, "enter")
        await pilot.pause()
        assert "gpu2  idle+drain: fan broken" in seen(app)


async def test_w_gives_the_keys_to_the_next_part() -> None:
    app = dashboard(troubled())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        first = app.focused
        await pilot.press("w")
        assert app.focused is not first


async def test_a_legend_is_never_cut_within_a_word() -> None:
    screen = await view("1", cluster(), (60, 24))
    heads = [line.rstrip() for line in screen.splitlines() if "utilization" in line]
    assert heads
    assert all(line.endswith(("lost", "see to it", "busy 0-9", "unknown", "memory", "utilization")) for line in heads)


async def test_the_tabs_of_a_large_cluster_fit_into_the_smallest_terminal_and_can_be_clicked() -> None:
    crowd = tuple(card(f"n{number:04}", 0) for number in range(1250))
    large = replace(of_gpus(*crowd), queue=Queue(by_state={"running": 2898.0, "pending": 89_365.0}))
    app = dashboard(large)
    async with app.run_test(size=(80, 24)) as pilot:
        await first_picture(pilot)
        tabs = seen_of(app, ViewTabs)[0]
        assert tabs.split() == ["1", "Overview", "2", "GPUs", "1,250", "3", "Nodes", "1,250", "4", "Jobs", "92,263",
                                "5", "Alerts", "6", "Idle", "0"]  # fmt: skip
        await pilot.click(ViewTabs, offset=(tabs.index("Idle"), 0))
        await pilot.pause()
        assert app.screen.query_one(IdleView).display

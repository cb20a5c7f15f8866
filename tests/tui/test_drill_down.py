"""From the cluster down to one node and one GPU and back, and what is said when little is known."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from clusters import NOW, cluster, gpu, healthy, hostile, mig, node, of_gpus, queued, troubled
from gpumon.model import ClusterSnapshot, Lack, NodeSlurm
from gpumon.model import Dialect as Exporters
from gpumon.settings import Settings
from gpumon.source import Point
from gpumon_tui.app import GpumonApp
from gpumon_tui.messages import GpuChosen, NodeChosen
from gpumon_tui.screens.cluster import ClusterScreen
from gpumon_tui.screens.gpu import GpuScreen
from gpumon_tui.screens.job import JobScreen
from gpumon_tui.screens.node import NodeScreen
from gpumon_tui.widgets.charts import GpuCharts
from gpumon_tui.widgets.node_gauges import NodeGauges
from tui_scripted import SIZES, ScriptedSource, dashboard, first_picture, next_picture, seen, until

pytestmark = pytest.mark.thorough  # each starts a whole program or plays on a whole screen

LINE = tuple(Point(NOW - 3600 + 60 * step, 0.4 + step / 120) for step in range(60))


async def node_screen(name: str, snapshot: ClusterSnapshot, size: tuple[int, int] = (120, 40)) -> str:
    app = dashboard(snapshot)
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        app.screen.post_message(NodeChosen(name))
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        return seen(app)


async def gpu_screen(key: str, snapshot: ClusterSnapshot, size: tuple[int, int] = (120, 40)) -> str:
    app = dashboard(snapshot)
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        app.screen.post_message(GpuChosen(key))
        await until(pilot, lambda: isinstance(app.screen, GpuScreen))
        return seen(app)


@pytest.mark.parametrize("size", SIZES)
async def test_a_node_shows_how_it_stands_and_each_of_its_gpus(size: tuple[int, int]) -> None:
    screen = await node_screen("gpu1", queued(), size)
    for words in ("MIXED", "CPU", "25% of 64 cores", "load 16.0 15.0 14.0", "50% of 512 GiB", "/scratch", "1.0 MiB/s",
                  "✓ dcgm gpu1:9400", "4 × A100-SXM4-80GB", "bob 210 idle 2h"):  # fmt: skip
        assert words in screen


async def test_a_node_that_is_out_of_use_says_why_and_since_when() -> None:
    screen = await node_screen("gpu2", troubled())
    for words in ("IDLE+DRAIN", "fan broken (root)", "2h ago"):
        assert words in screen


async def test_a_silent_exporter_is_named_on_its_node() -> None:
    assert "✗ silent: dcgm gpu11:9400" in await node_screen("gpu11", troubled())


async def test_a_node_of_which_little_is_known_says_so() -> None:
    bare = node("n1", (), slurm=None, filesystems=(), cpu_share=None, exporters=(), load1=None, load5=None, load15=None)
    screen = await node_screen("n1", ClusterSnapshot(taken_at=NOW, nodes=(bare,)))
    for words in ("Slurm –", "CPU", "–", "No exporter tells of a GPU here."):
        assert words in screen


async def test_a_node_that_vanishes_leaves_its_last_picture() -> None:
    app = dashboard(queued(), ClusterSnapshot(taken_at=NOW + 15))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(NodeChosen("gpu1"))
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        await next_picture(pilot)
        assert "Nothing tells of a node gpu1 now." in seen(app)
        assert "bob 210" in seen(app)


@pytest.mark.parametrize("size", [(120, 40), (200, 50)])
async def test_gauges_are_as_large_as_there_is_room(size: tuple[int, int]) -> None:
    lines = (await node_screen("gpu1", queued(), size)).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(" 0 "))
    second = next(number for number, line in enumerate(lines) if line.startswith(" 1 "))
    assert second - first == 3
    assert "40.0 GiB" in lines[first + 1]


@pytest.mark.parametrize("size", SIZES)
async def test_a_gpu_shows_who_holds_it_and_how_it_is(size: tuple[int, int]) -> None:
    screen = await gpu_screen("GPU-gpu1-0", queued(), size)
    for words in ("A100-SXM4-80GB", "GPU-gpu1-0", "held by job 200_1", "user ann", "by index", "90%", "55°C", "250 W",
                  "40.0 GiB of 80.0 GiB", "last XID none"):  # fmt: skip
        assert words in screen


async def test_an_idle_gpu_says_for_how_long() -> None:
    assert "IDLE FOR 2h" in await gpu_screen("GPU-gpu1-2", queued())


async def test_a_gpu_that_two_jobs_share_names_both() -> None:
    screen = await gpu_screen("GPU-gpu2-2", queued())
    assert "held by job 212" in screen
    assert "held by job 213" in screen


async def test_a_free_gpu_and_one_of_which_nobody_knows_differ() -> None:
    assert "nobody: it is free" in await gpu_screen("GPU-gpu2-3", queued())
    unknown = of_gpus(gpu("n", 0, jobs=None))
    assert "held by – (no exporter tells of jobs)" in await gpu_screen("GPU-n-0", unknown)


async def test_trouble_is_loud() -> None:
    bad = gpu("n", 0, xid=79, row_remap_failed=True, row_remap_pending=True, throttle_reasons=("power cap",),
              ecc_uncorrected=3.0, is_stale=True, sampled_at=NOW - 300)  # fmt: skip
    screen = await gpu_screen("GPU-n-0", of_gpus(bad))
    for words in ("SILENT FOR 5m", "last XID 79", "ROW REMAP FAILED", "waits for a reset", "held down by power cap",
                  "ECC uncorrected 3"):  # fmt: skip
        assert words in screen


async def test_what_is_missing_is_named_with_its_reason() -> None:
    lack = Lack(("sm_active",), "DCGM_FI_PROF_SM_ACTIVE", "SM activity")
    told = of_gpus(gpu("n", 0), dialects=(Exporters("gpus", "dcgm-exporter", lacks=(lack,)),))
    assert "DCGM_FI_PROF_SM_ACTIVE is not exported by dcgm-exporter" in await gpu_screen("GPU-n-0", told)


async def test_a_slice_says_that_it_is_one() -> None:
    card = mig("n", 0, "7")
    assert "MIG 1g.10gb" in await gpu_screen(card.key, of_gpus(card))


async def test_a_gpu_that_nobody_tells_of_is_said() -> None:
    assert "Nothing tells of GPU GPU-gone now." in await gpu_screen("GPU-gone", healthy())


async def test_enter_leads_down_and_escape_up_again() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        await pilot.press("j", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, GpuScreen))
        assert "Overview › gpu1 › gpu1 GPU 2" in seen(app).splitlines()[0]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))
        assert "gpu1 GPU 2 › 210" in seen(app).splitlines()[0]
        await pilot.press("escape", "escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, ClusterScreen))
        await pilot.press("2", "enter")
        await until(pilot, lambda: isinstance(app.screen, GpuScreen))
        await pilot.press("3")
        await until(pilot, lambda: isinstance(app.screen, ClusterScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))


async def test_the_cursor_of_the_gauges_stays_on_its_gpu() -> None:
    one_less = replace(queued(), gpus=queued().gpus[1:], nodes=tuple(
        msgspec.structs.replace(each, gpus=each.gpus[each.name == "gpu1":]) for each in queued().nodes))  # fmt: skip
    app = dashboard(queued(), one_less)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(NodeChosen("gpu1"))
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        gauges = app.screen.query_one(NodeGauges)
        await pilot.press("j", "j", "G", "k")
        assert gauges.selected is not None
        chosen = gauges.selected.key
        await next_picture(pilot)
        assert gauges.selected.key == chosen
        await pilot.press("g", "pagedown", "pageup", "home")
        assert gauges.cursor == 0


async def test_a_click_chooses_a_gauge_and_a_second_one_opens_it() -> None:
    app = dashboard(queued())
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(NodeChosen("gpu1"))
        await until(pilot, lambda: isinstance(app.screen, NodeScreen))
        y = next(number for number, line in enumerate(seen(app).splitlines()) if line.startswith(" 2 "))
        await pilot.click(offset=(4, y))
        await pilot.click(offset=(4, y), times=2)
        await until(pilot, lambda: isinstance(app.screen, GpuScreen))
        assert "gpu1 GPU 2" in seen(app).splitlines()[0]


@pytest.mark.parametrize(("size", "charts"), [((80, 24), 2), ((120, 40), 4), ((200, 50), 4), ((60, 24), 1)])
async def test_as_many_numbers_have_a_chart_as_there_is_room_for(size: tuple[int, int], charts: int) -> None:
    source = ScriptedSource(queued(), gpu_history={"GPU-gpu1-0": LINE})
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test(size=size) as pilot:
        await first_picture(pilot)
        app.screen.post_message(GpuChosen("GPU-gpu1-0"))
        await until(pilot, lambda: len({field for _, field, _ in source.questions}) == charts)
        assert len(app.screen.query_one(GpuCharts).seen) == charts
        await until(pilot, lambda: seen(app).count("-60m") == charts)
        assert ("Metric" in seen(app).splitlines()[-1]) == (charts < 4)


async def test_another_size_asks_for_what_came_into_sight() -> None:
    source = ScriptedSource(queued(), gpu_history={"GPU-gpu1-0": LINE})
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test(size=(60, 24)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(GpuChosen("GPU-gpu1-0"))
        await until(pilot, lambda: len(source.questions) == 1)
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: len({field for _, field, _ in source.questions}) == 4)


async def test_a_node_shows_what_the_machine_did_beside_what_its_gpus_did() -> None:
    source = ScriptedSource(queued(), gpu_history={"GPU-gpu1-0": LINE, "gpu1": LINE})
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test(size=(200, 50)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(NodeChosen("gpu1"))
        await until(pilot, lambda: seen(app).count("-60m") == 4)
        for title in ("Utilization, last", "CPU, last", "Network in, last", "Network out, last"):
            assert title in seen(app)
        asked = {field: keys for keys, field, _ in source.questions}
        assert asked["cpu_share"] == ("gpu1",)
        assert len(asked["utilization"]) == 4
        await pilot.press(*"mmm")
        await until(pilot, lambda: "Load, last" in seen(app))


async def test_a_node_without_gpus_has_charts_of_its_own() -> None:
    source = ScriptedSource(cluster((node("cpu1"), ())), gpu_history={"cpu1": LINE})
    app = GpumonApp(source, Settings(), interval=3600.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        app.screen.post_message(NodeChosen("cpu1"))
        await until(pilot, lambda: seen(app).count("-60m") == 1)
        assert "No GPU is known here." in seen(app)
        assert {field for _, field, _ in source.questions} == {"cpu_share"}


@pytest.mark.parametrize("size", SIZES)
async def test_hostile_names_leave_these_screens_whole(size: tuple[int, int]) -> None:
    told = hostile()
    for number in (0, 1, 2, 5):
        screen = await node_screen(told.nodes[number].name, told, size)
        assert len(screen.split("\n")) == size[1]
        screen += await gpu_screen(told.gpus[number].key, told, size)
        assert not {letter for letter in screen if ord(letter) < 32} - {"\n"}


async def test_a_node_state_of_three_words_is_shown_whole() -> None:
    slurm = NodeSlurm(state="down", flags=("drain", "not_responding"), reason="gone")
    screen = await node_screen("n1", ClusterSnapshot(taken_at=NOW, nodes=(node("n1", (), slurm=slurm),)))
    assert "DOWN+DRAIN+NOT_RESPONDING" in screen

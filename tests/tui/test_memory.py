"""What is remembered between runs, and that this never gets into anybody's way."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from clusters import healthy
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon_tui.app import GpumonApp
from gpumon_tui.memory import Kept, KeptView, Memory, memory_path
from gpumon_tui.screens.cluster import ClusterScreen
from gpumon_tui.themes import DARK, LIGHT
from gpumon_tui.widgets.filter_line import FilterLine
from tui_scripted import ScriptedSource, first_picture, seen

pytestmark = pytest.mark.thorough  # each test plays on a whole screen


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory(tmp_path / "state" / "gpumon" / "dashboard.json", "")


def app_with(memory: Memory, settings: Settings | None = None, snapshot: ClusterSnapshot | None = None) -> GpumonApp:
    source = ScriptedSource(snapshot or healthy())
    return GpumonApp(source, settings or Settings(), interval=3600.0, memory=memory)


async def after(memory: Memory, *keys: str, settings: Settings | None = None) -> str:
    """The screen of a run with these keys, which ends with `q`."""
    app = app_with(memory, settings)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press(*keys)
        await pilot.pause()
        screen = seen(app)
        await pilot.press("q")
    return screen


async def test_the_next_run_begins_with_the_view_the_order_and_the_filter_of_the_last(memory: Memory) -> None:
    await after(memory, "2", "s", "s", "S", "slash", *"gpu1", "enter")
    screen = await after(memory)
    assert "GPU▼" in screen
    assert "4 of 10" not in screen
    assert "gpu10" in screen
    assert "gpu2 " not in screen
    kept = memory.recall()
    assert kept.view == "GPUs"
    assert kept.views["GPUs"] == KeptView(filter="gpu1", sort="gpu", is_descending=True)


async def test_what_the_map_shows_is_remembered_whether_or_not_it_was_opened_again(memory: Memory) -> None:
    await after(memory, "m", "m", "3")
    assert "power:" not in await after(memory)
    assert "power:" in await after(memory, "1")
    await after(memory, "o")
    assert "by user:" in await after(memory)


async def test_a_view_that_is_opened_filtered_says_so(memory: Memory) -> None:
    memory.keep(Kept(views={"GPUs": KeptView(filter="util<10")}))
    app = app_with(memory)
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        assert not app.screen.query(FilterLine)
        await pilot.press("2")
        await pilot.pause()
        assert app.screen.query_one(FilterLine).is_open
        assert app.screen.query_one("#count", Static).content.plain == "1 of 10"  # type: ignore[union-attr]  # it is a Text


async def test_the_theme_is_remembered_until_the_configuration_wants_another(memory: Memory) -> None:
    app = app_with(memory)
    async with app.run_test() as pilot:
        await first_picture(pilot)
        app.theme = LIGHT.name
        await pilot.press("q")
    assert app_with(memory).theme == LIGHT.name
    assert app_with(memory, Settings(theme="mono")).theme == "gpumon-mono"
    assert GpumonApp(ScriptedSource(healthy()), Settings()).theme == DARK.name, "without a memory it begins afresh"


async def test_a_terminal_that_is_closed_loses_nothing(memory: Memory) -> None:
    app = app_with(memory)
    async with app.run_test() as pilot:
        await first_picture(pilot)
        await pilot.press("4", "r")
        await pilot.pause(0.1)
        await first_picture(pilot)
        assert memory.recall().view == "Jobs"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"clusters": {"": {"view": 7}}}', b"[" * 3000, b" " * (2 << 20)]
)
async def test_a_broken_file_is_told_and_the_dashboard_begins_afresh(memory: Memory, content: bytes) -> None:
    memory.path.parent.mkdir(parents=True)
    memory.path.write_bytes(content)
    app = app_with(memory)
    async with app.run_test(notifications=True) as pilot:
        await first_picture(pilot)
        assert [note.severity for note in app._notifications] == ["warning"]  # pyright: ignore[reportPrivateUsage]  # the only way
        assert "begins afresh" in memory.notice
        await pilot.press("3", "q")
    assert Memory(memory.path, "").recall().view == "Nodes"


async def test_what_is_remembered_and_is_no_more_is_left_out(memory: Memory) -> None:
    gone = KeptView(filter="/(/", sort="gone", columns=("gone",), metric="gone", colouring="gone")
    memory.keep(Kept(view="Gone", theme="gone", configured_theme="dark", views={"Overview": gone, "GPUs": gone}))
    screen = await after(memory)
    assert "utilization:" in screen
    assert "NODE" in await after(memory, "2")


def test_clusters_are_remembered_apart(memory: Memory) -> None:
    other = Memory(memory.path, "west")
    memory.keep(Kept(view="Jobs"))
    other.keep(Kept(view="Idle"))
    assert (memory.recall().view, other.recall().view) == ("Jobs", "Idle")
    assert [each.name for each in memory.path.parent.iterdir()] == ["dashboard.json"]


def test_a_place_that_cannot_be_written_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a directory should be")
    memory = Memory(tmp_path / "state" / "dashboard.json", "")
    memory.keep(Kept(view="Jobs"))
    assert memory.recall() == Kept()
    assert "Not a directory" in memory.notice


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"HOME": "/home/ann"}, "/home/ann/.local/state/gpumon/dashboard.json"),
        ({"HOME": "/home/ann", "XDG_STATE_HOME": "/var/state"}, "/var/state/gpumon/dashboard.json"),
        ({"HOME": "/home/ann", "XDG_STATE_HOME": "relative"}, "/home/ann/.local/state/gpumon/dashboard.json"),
    ],
)
def test_state_is_where_the_users_other_programs_keep_theirs(environ: dict[str, str], path: str) -> None:
    assert memory_path(environ) == Path(path)


def test_a_screen_without_a_memory_is_as_it_always_was() -> None:
    assert ClusterScreen(Settings(), "").kept == Kept()

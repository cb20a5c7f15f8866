"""The installed `gpumon-tui` on a real terminal, while what it reads is killed and comes back."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from gpumon_demo.server import ExporterServer
from real.conftest import StartEngine
from real.daemons import Engine, ScrapeJob, simulated_jobs
from real.exporters import TextExporter, captured
from real.terminal import Terminal

DASHBOARD = str(Path(sys.executable).parent / "gpumon-tui")
GONE = "Nobody listens"
FRESH = r"\b[0-3]s old"

Open = Callable[..., Terminal]


@pytest.fixture
def open_dashboard(tmp_path: Path, endings: ExitStack) -> Open:
    def start(*arguments: str) -> Terminal:
        terminal = Terminal([DASHBOARD, *arguments], {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
        endings.callback(terminal.stop)
        return terminal

    return start


@pytest.fixture
def simulated(start_prometheus: StartEngine, endings: ExitStack) -> Engine:
    """A real Prometheus that scrapes the simulated cluster."""
    server = endings.enter_context(ExporterServer())
    return start_prometheus(*simulated_jobs(server.url))


def test_it_survives_that_prometheus_is_killed_and_comes_back(simulated: Engine, open_dashboard: Open) -> None:
    terminal = open_dashboard("--prometheus", simulated.url, "--interval", "1")
    terminal.until(FRESH)
    screen = terminal.until("gpu-a01")
    assert "DEMO" in screen
    lively = terminal.colour_of("gpu-a02")

    simulated.daemon.kill()
    terminal.until(GONE)
    screen = terminal.until(r"\b[5-9]s old")
    assert "gpu-a01" in screen
    assert "gpu-a02" in screen
    assert terminal.colour_of("gpu-a02") != lively, "old numbers are dimmed"

    simulated.daemon.start()
    terminal.until(FRESH, seconds=90)
    screen = terminal.until_without(GONE)
    assert "gpu-a01" in screen
    terminal.until_colour("gpu-a02", lively)

    terminal.type("q")
    assert terminal.ended() == 0
    assert b"Traceback" not in terminal.raw


def test_it_leaves_the_terminal_as_it_was(simulated: Engine, open_dashboard: Open) -> None:
    terminal = open_dashboard("--prometheus", simulated.url)
    terminal.until("gpu-a01")
    terminal.type("q")
    assert terminal.ended() == 0
    before, _, after = terminal.raw.rpartition(b"\x1b[?1049l")
    assert b"\x1b[?1049h" in before, "it drew on the alternate screen"
    for mode in (b"1000", b"1003", b"1006", b"2004"):
        on, off = (terminal.raw.rfind(b"\x1b[?" + mode + letter) for letter in (b"h", b"l"))
        assert on < off or on == -1, mode
    assert terminal.raw.rfind(b"\x1b[?25h") > terminal.raw.rfind(b"\x1b[?25l"), "the cursor is back"
    assert re.fullmatch(rb"(\x1b\[[?<]?[0-9]*[a-z]|\s)*", after), "nothing is written over the shell's screen"


def test_it_waits_for_a_prometheus_that_is_not_there_yet(simulated: Engine, open_dashboard: Open) -> None:
    simulated.daemon.stop()
    terminal = open_dashboard("--prometheus", simulated.url, "--interval", "1")
    terminal.until(GONE)
    simulated.daemon.start()
    terminal.until("gpu-a01", seconds=90)
    terminal.type("q")
    assert terminal.ended() == 0


def test_a_silent_exporter_is_named_and_its_gpus_stay(
    start_prometheus: StartEngine, serve: Callable[[str], TextExporter], open_dashboard: Open
) -> None:
    lively, dying = serve(captured("dcgm-l4-eks")), serve(captured("dcgm-l40s-upcloud"))
    engine = start_prometheus(
        ScrapeJob("dcgm", {"i-030791dc5a37cd257:9400": lively.address, "gpu1-wl8sg:9400": dying.address})
    )
    terminal = open_dashboard("--prometheus", engine.url, "--interval", "1")
    terminal.until("gpu1-wl8sg")
    dying.stop()
    screen = terminal.until(r"gpu1-wl8sg\S* has been silent")
    assert "i-0307" in screen
    terminal.type("2")
    terminal.until(r"gpu1-wl8sg.*32")
    terminal.type("q")
    assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("key", "shows"),
    [("1", "NEEDS A LOOK"), ("2", "H100"), ("3", "cpu-01"), ("4", "Priority"), ("5", "silent")],
)
def test_every_view_shows_the_simulated_cluster(open_dashboard: Open, key: str, shows: str) -> None:
    terminal = open_dashboard("--demo")
    terminal.until("gpu-a01")
    terminal.type(key)
    assert "DEMO" in terminal.until(shows)
    terminal.type("q")
    assert terminal.ended() == 0

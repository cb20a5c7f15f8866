"""People before gpumon's screens on a real Slurm: its silence is said in words, and no stranger's name harms them."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from real.daemons import Daemon, Engine, until
from real.slurm import gpumon
from real.slurm.scenario import Scenario
from real.slurm.told import told, value
from real.terminal import Terminal
from slurm_site.layout import ADA
from slurm_site.site import SlurmSite

pytestmark = pytest.mark.xdist_group("slurm")

DASHBOARD = str(Path(sys.executable).parent / "gpumon-tui")
SILENT = "Slurm itself does not answer"
NEEDING_SLURM = (["jobs"], ["jobs", "--json"], ["idle"], ["free"], ["job", "5"])
"""Commands that say nothing without it."""

HOLDERS = r"gpumon-(ada|bob|cleo)"

Open = Callable[..., Terminal]


@pytest.fixture
def open_dashboard(engine: Engine, tmp_path: Path, endings: ExitStack) -> Open:
    def start(lines: int = 40) -> Terminal:
        terminal = Terminal(
            [DASHBOARD, "--prometheus", engine.url, "--interval", "1"],
            {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            lines=lines,
        )
        endings.callback(terminal.stop)
        return terminal

    return start


def revived(site: SlurmSite) -> None:
    """Brings slurmctld back if it is not there."""
    if not site.is_up():
        site.slurmctld.start()
        site.slurmctld.ready(site.is_up)


def test_a_dead_slurmctld_shows_on_screen_and_in_answers_without_an_invented_number(
    scenario: Scenario,
    exporter_of_site: Daemon,
    engine: Engine,
    open_dashboard: Open,
    tmp_path: Path,
    endings: ExitStack,
) -> None:
    terminal = open_dashboard()
    terminal.until(r"jobs \d+ run \d+ wait")
    endings.callback(revived, scenario.site)
    scenario.site.slurmctld.end(signal.SIGKILL)

    terminal.until(rf"{SILENT}.*last answer")
    terminal.until_without(HOLDERS)
    for figure in (r"alloc\s+–", r"free\s+–", r"jobs\s+– run\s+– wait"):
        terminal.until(figure)
    terminal.type("4")
    assert "Single jobs are not known" in terminal.until(f"{SILENT}[^–]*Single jobs")
    for command in NEEDING_SLURM:
        done = gpumon.run(engine, tmp_path, *command)
        assert (done.returncode, done.stdout) == (3, "")
        assert SILENT in done.stderr
    status = gpumon.run(engine, tmp_path, "status").stdout
    assert f"Jobs   – ({SILENT}" in status
    assert "– allocated, – free" in status

    revived(scenario.site)
    terminal.until(ADA)
    terminal.until_without(SILENT)
    terminal.type("q")
    assert terminal.ended() == 0
    until(lambda: value(told(exporter_of_site), "slurm_up") == 1, "slurm_up 1")


def test_no_name_harms_the_screen(scenario: Scenario, open_dashboard: Open) -> None:
    terminal = open_dashboard(lines=120)
    terminal.until(r"jobs \d+ run")
    terminal.type("4")
    terminal.until("WAITS FOR")
    for name in (r"\\e\[31mred", r"\[bold\]markup", r"two\\nlines\\ttab"):
        screen = terminal.until(name)
    assert not re.search(r"\b999[89]\b.*(running|pending)", screen), "no forged job"
    assert b"\x1b]0;title" not in terminal.raw
    assert b"\x1b[31mred" not in terminal.raw
    for letter in ("\u202e", "\u2066", "\u200b"):
        assert letter.encode() not in terminal.raw
    terminal.type("q")
    assert terminal.ended() == 0
    assert b"Traceback" not in terminal.raw

"""Hundreds of refreshes on a real terminal: as many as an hour has."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

import tui_restless
from real.terminal import Terminal

REFRESHES, WARM_UP = 360, 60
MOST_GROWTH_MEBIBYTES = 6.0
"""A leak of one picture at each refresh would be ten times as much."""
pytestmark = pytest.mark.real


@pytest.fixture
def terminal(tmp_path: Path) -> Generator[Terminal]:
    tests = Path(tui_restless.__file__).parent
    environ = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(tests)}
    terminal = Terminal([sys.executable, tui_restless.__file__], environ, columns=120, lines=40)
    yield terminal
    terminal.stop()


def refresh(terminal: Terminal, number: int) -> str:
    """Asks for picture `number` and lets it come."""
    terminal.type("r")
    return terminal.until(rf"picture-{number}\b")


def mebibytes(terminal: Terminal) -> float:
    status = Path(f"/proc/{terminal.child.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def under_cursor(terminal: Terminal) -> str:
    """The name of the row that the cursor is on, as a key copies it."""
    terminal.type("y")
    screen = terminal.until(r"Copied GPU-gpu\S+")
    terminal.until_without("Copied")
    name: str = re.findall(r"Copied (GPU-gpu\S+)", screen)[0]
    return name


def names(terminal: Terminal) -> list[str]:
    """What does not change from picture to picture, line by line."""
    return [line[:16] for line in terminal.text.splitlines()[3:-1]]


def test_an_hour_of_refreshes_neither_grows_nor_moves_anything(terminal: Terminal) -> None:
    terminal.until(r"picture-1\b")
    terminal.type("2")
    terminal.until("gpu00")
    terminal.type("j" * 15)
    for number in range(2, WARM_UP):
        refresh(terminal, number)
    before, row, lines = mebibytes(terminal), under_cursor(terminal), names(terminal)
    for number in range(WARM_UP, REFRESHES):
        refresh(terminal, number)
    assert mebibytes(terminal) - before < MOST_GROWTH_MEBIBYTES
    assert under_cursor(terminal) == row == "GPU-gpu01-7"
    assert names(terminal) == lines
    terminal.type("q")
    assert terminal.ended() == 0
    assert b"Traceback" not in terminal.raw

"""A child process ends within its time, within its size, and with all of its own children."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gpumon_exporter.slurm.child import Bounds, Children, Ended, Excess, Overdue, Stopped

PATIENCE = 20.0
SOON = 0.2
ENOUGH = Bounds(PATIENCE, 1 << 20)


def ran(script: str, bounds: Bounds = ENOUGH, children: Children | None = None) -> tuple[Ended, bytes]:
    """How a shell script ended, and what it printed."""
    pieces: list[bytes] = []
    ended = (children or Children()).run(["sh", "-c", script], dict(os.environ), bounds, pieces.append)
    return ended, b"".join(pieces)


def number(path: Path) -> int:
    """The number of a process that wrote it there."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if path.exists() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError(f"nobody wrote {path}")


def is_alive(process: int) -> bool:
    """Whether a process runs; one that is dead and not waited for does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def gone(process: int) -> bool:
    """Whether a process is gone before long."""
    until = time.monotonic() + PATIENCE
    while is_alive(process) and time.monotonic() < until:
        time.sleep(0.01)
    return not is_alive(process)


def stopped_while(script: str, ready: Callable[[], object]) -> None:
    """Runs a script, and stops it once it is ready."""
    children = Children()
    raised: list[BaseException] = []

    def run() -> None:
        with pytest.raises(Stopped) as caught:
            ran(script, children=children)
        raised.append(caught.value)

    thread = threading.Thread(target=run)
    thread.start()
    ready()
    children.stop()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert raised


def test_it_gives_what_was_printed_and_how_it_ended() -> None:
    assert ran("printf 'one\\ntwo'; exit 3") == (Ended(3, ""), b"one\ntwo")
    assert ran("echo broken >&2; kill -9 $$") == (Ended(-9, "broken\n"), b"")


def test_only_the_beginning_of_a_long_complaint_is_kept() -> None:
    ended, _ = ran("head -c 100000 /dev/zero | tr '\\0' x >&2")
    assert ended.complaint == "x" * 4096


def test_it_has_no_input() -> None:
    assert ran("cat; echo end") == (Ended(0, ""), b"end\n")


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        Children().run(["no-such-program"], dict(os.environ), ENOUGH, lambda _: None)


def test_one_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(Overdue):
        ran(f"sleep 60 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/self; wait", Bounds(SOON, 1 << 20))
    assert gone(number(tmp_path / "self"))
    assert gone(number(tmp_path / "child"))


def test_one_that_closes_its_output_and_hangs_is_killed(tmp_path: Path) -> None:
    with pytest.raises(Overdue):
        ran(f"echo $$ > {tmp_path}/self; exec >&- 2>&-; sleep 60", Bounds(SOON, 1 << 20))
    assert gone(number(tmp_path / "self"))


def test_one_that_leaves_a_child_with_its_output_is_not_waited_for_longer(tmp_path: Path) -> None:
    with pytest.raises(Overdue):
        ran(f"sleep 60 & echo $! > {tmp_path}/child", Bounds(SOON, 1 << 20))
    assert gone(number(tmp_path / "child"))


def test_a_child_that_it_leaves_behind_ends_with_it(tmp_path: Path) -> None:
    assert ran(f"sleep 60 >/dev/null 2>&1 & echo $! > {tmp_path}/child; echo done") == (Ended(0, ""), b"done\n")
    assert gone(number(tmp_path / "child"))


def test_one_that_prints_too_much_is_killed(tmp_path: Path) -> None:
    pieces: list[bytes] = []
    with pytest.raises(Excess):
        Children().run(
            ["sh", "-c", f"echo $$ > {tmp_path}/self; cat /dev/zero"],
            dict(os.environ),
            Bounds(PATIENCE, 1 << 20),
            pieces.append,
        )
    assert sum(map(len, pieces)) <= 1 << 20
    assert gone(number(tmp_path / "self"))


def test_one_whose_output_is_refused_is_killed(tmp_path: Path) -> None:
    def refuse(_: bytes) -> None:
        raise ZeroDivisionError

    script = f"echo $$ > {tmp_path}/self; echo x; sleep 60"
    with pytest.raises(ZeroDivisionError):
        Children().run(["sh", "-c", script], dict(os.environ), ENOUGH, refuse)
    assert gone(number(tmp_path / "self"))


def test_stopping_ends_the_one_that_runs(tmp_path: Path) -> None:
    stopped_while(f"echo $$ > {tmp_path}/self; sleep 60", lambda: number(tmp_path / "self"))
    assert gone(number(tmp_path / "self"))


def test_stopping_ends_one_that_has_closed_its_output(tmp_path: Path) -> None:
    stopped_while(f"exec >&- 2>&-; echo $$ > {tmp_path}/self; sleep 60", lambda: number(tmp_path / "self"))


def test_after_stopping_none_begins(tmp_path: Path) -> None:
    children = Children()
    children.stop()
    with pytest.raises(Stopped):
        ran(f"touch {tmp_path}/began", children=children)
    assert not (tmp_path / "began").exists()


def test_nothing_of_it_is_left(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    ran(f"echo $$ > {tmp_path}/first")
    with pytest.raises(Overdue):
        ran(f"echo $$ > {tmp_path}/second; sleep 60", Bounds(SOON, 1 << 20))
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not [name for name in ("first", "second") if Path(f"/proc/{number(tmp_path / name)}").exists()]

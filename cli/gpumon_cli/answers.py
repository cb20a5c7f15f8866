"""What a command has to say after one reading: data for standard output, remarks for the person, an exit code."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from gpumon import garbage
from gpumon.errors import SourceError
from gpumon.model import ClusterSnapshot
from gpumon.source import ClusterSource, Parts
from gpumon.text import shown
from gpumon.units import duration
from gpumon_cli import terminal
from gpumon_cli.cells import width
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.terminal import Terminal, narrate, write, write_bytes

_SLOWEST_GUESS = 15.0
"""Seconds between readings where neither the user nor Prometheus says."""


class Answer(msgspec.Struct, frozen=True):
    """One reading, put into words."""

    data: str | bytes
    """With its last line end; bytes are JSON."""
    remarks: tuple[str, ...] = ()
    """For standard error: why something is missing, old or left out."""
    code: int = ExitCode.OK


Put = Callable[[ClusterSnapshot], Answer]
"""Puts a snapshot into words."""


class Watching(msgspec.Struct, frozen=True):
    """How often to read again."""

    every: float | None = None
    """Seconds; 0 for the source's own pace, None to read once."""
    preferred: float | None = None
    """Seconds that the configuration asks for."""
    sleep: Callable[[float], None] = time.sleep

    def pause_after(self, snapshot: ClusterSnapshot | None) -> float:
        """Seconds until the next reading."""
        scrape = snapshot.scrape_interval_seconds if snapshot else None
        return self.every or self.preferred or scrape or _SLOWEST_GUESS


def deliver(source: ClusterSource, parts: Parts, put: Put, watching: Watching, screen: Terminal) -> int:
    """Reads and prints, once or until Ctrl-C; returns the exit code of the last reading.

    Raises:
        GpumonError: the first reading failed; later failures of a watch are remarks.
    """
    garbage.ignore()
    snapshot = source.snapshot(parts)
    answer = put(snapshot)
    if watching.every is None:
        _print(answer)
        return answer.code
    garbage.settle()
    said: tuple[str, ...] = ()
    while True:
        pause = watching.pause_after(snapshot)
        if screen.is_tty and isinstance(answer.data, str):
            write(_picture(answer.data, answer.remarks, snapshot, pause, screen))
            _remark(answer.remarks)
        else:
            _print(answer, said)
        said = answer.remarks
        watching.sleep(pause)
        while True:
            try:
                snapshot = source.snapshot(parts)
                answer = put(snapshot)
                break
            except SourceError as error:
                narrate(f"! {shown(str(error))} Trying again in {duration(pause)}.")
                watching.sleep(pause)


def _print(answer: Answer, said: tuple[str, ...] = ()) -> None:
    if isinstance(answer.data, bytes):
        write_bytes(answer.data)
    else:
        write(answer.data)
    _remark(tuple(remark for remark in answer.remarks if remark not in said))


def _remark(remarks: tuple[str, ...]) -> None:
    for remark in remarks:
        narrate(remark)


def _picture(data: str, remarks: tuple[str, ...], snapshot: ClusterSnapshot, pause: float, screen: Terminal) -> str:
    """The answer over the last one, without flicker, cut to the screen's height."""
    clock = time.strftime("%H:%M:%S", time.localtime(snapshot.taken_at))
    head = f"{clock} · {shown(snapshot.source, 60)} · every {duration(pause)} · Ctrl-C ends"
    lines = data.split("\n")[:-1]
    below = sum(-(-width(remark) // (screen.columns or 80)) for remark in remarks)
    room = max(3, (screen.lines or 24) - below - 2)
    if len(lines) > room:
        lines = [*lines[: room - 1], f"… {len(lines) - room + 1} more lines"]
    return terminal.repainted([screen.styled(head, "dim"), *lines])

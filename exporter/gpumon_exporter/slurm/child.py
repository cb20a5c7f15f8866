"""One child process at a time: its output piece by piece, within a time and a size, and nothing of it left behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

_PIECE = 1 << 16
_COMPLAINT = 4096
"""Bytes of what it says on standard error that are kept."""
_PAUSE_SECONDS = 0.005
"""Between two looks at whether it has ended after it closed its output."""
_DEATH_SECONDS = 1.0
"""How long a killed process may take to be gone; one in the kernel's hands is left to it."""


@dataclass(frozen=True)
class Bounds:
    """What a process may take."""

    seconds: float
    bytes: int
    """Of its output."""


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    """Its exit code; below 0 the signal that ended it."""
    complaint: str
    """The beginning of what it said on standard error."""


class Overdue(Exception):
    """It took longer than it may."""


class Excess(Exception):
    """It wrote more than it may."""


class Stopped(Exception):
    """No process may run any more."""


class Children:
    """Runs processes, each in a group of its own, so that its children end with it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._is_over = False

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], bounds: Bounds, feed: Callable[[bytes], None]
    ) -> Ended:
        """Hands the output of `command` to `feed` as it comes.

        Raises:
            OSError: it cannot be started.
            Overdue, Excess: it was killed for that.
            Stopped: `stop` was called.
        """
        deadline = time.monotonic() + bounds.seconds
        child = self._start(command, environment)
        try:
            complaint = _passed_on(child, deadline, bounds.bytes, feed)
            self._await_end(child, deadline)
        finally:
            self._end(child)
        return Ended(child.returncode, complaint)

    def stop(self) -> None:
        """Ends the process that runs, and lets none begin."""
        with self._lock:
            self._is_over = True
            if self._running is not None:
                _kill(self._running)

    def _start(self, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._is_over:
                raise Stopped
            self._running = subprocess.Popen(  # noqa: S603  # a list, which no shell reads
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
            return self._running

    def _await_end(self, child: subprocess.Popen[bytes], deadline: float) -> None:
        """Returns once it has ended; it is left in the process table, so that its number stays its own."""
        while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if time.monotonic() > deadline:
                raise Overdue
            time.sleep(_PAUSE_SECONDS)
        if self._is_over:
            raise Stopped

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        """Kills what is left of its group, and takes it from the process table."""
        with self._lock:
            self._running = None
            _kill(child)
        for pipe in (child.stdout, child.stderr):
            if pipe:
                pipe.close()
        with suppress(subprocess.TimeoutExpired):
            child.wait(_DEATH_SECONDS)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Kills the group; until it is waited for, nobody else can have its number."""
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses to signal a group that is dead
        os.killpg(child.pid, signal.SIGKILL)


def _passed_on(child: subprocess.Popen[bytes], deadline: float, most: int, feed: Callable[[bytes], None]) -> str:
    """Feeds its output until it closes it; gives what it complained about."""
    complaint = b""
    written = 0
    with selectors.DefaultSelector() as pipes:
        for pipe in (child.stdout, child.stderr):
            if pipe:
                pipes.register(pipe, selectors.EVENT_READ)
        while pipes.get_map():
            left = deadline - time.monotonic()
            ready = pipes.select(left) if left > 0 else []
            if not ready:
                raise Overdue
            for key, _ in ready:
                piece = os.read(key.fd, _PIECE)
                if not piece:
                    pipes.unregister(key.fileobj)
                elif key.fileobj is child.stderr:
                    complaint = (complaint + piece)[:_COMPLAINT]
                else:
                    written += len(piece)
                    if written > most:
                        raise Excess
                    feed(piece)
    return complaint.decode("utf-8", "replace")

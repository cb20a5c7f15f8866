"""The machine that gpumon runs on, as one of those it works on: no SSH leads there."""

from __future__ import annotations

import getpass
import os
import selectors
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

from gpumon.text import shown
from gpumon_setup.failures import ConnectionBroke
from gpumon_setup.host.pieces import Pieces
from gpumon_setup.host.process import Chunk

_READ = 65_536
_CHUNK = 1 << 20
_HANG_UP = "hang up"


class LocalConnection:
    """Commands on this machine, as the user who runs gpumon."""

    def __init__(self, name: str) -> None:
        self.name = name
        """The machine's name in the inventory."""
        self.user = "root" if os.geteuid() == 0 else getpass.getuser()
        """Who one is there."""
        self._running: list[LocalProcess] = []

    def open(self, command: str) -> LocalProcess:
        """Starts a command."""
        process = LocalProcess(self.name, command)
        self._running = [*(other for other in self._running if not other.is_closed), process]
        return process

    def send_file(self, source: Pieces, target: str, sent: Callable[[int, int], None]) -> None:
        """Copies a file."""
        size, so_far = source.size, 0
        try:
            with source.opened() as stream, Path(target).open("wb") as copy:
                while chunk := stream.read(_CHUNK):
                    copy.write(chunk)
                    so_far += len(chunk)
                    sent(so_far, size)
        except OSError as error:
            what = shown(source.name, 100)
            raise ConnectionBroke(
                self.name, f"{what} could not be copied to {target}: {error.strerror or error}."
            ) from None

    def fetch_file(self, source: str, target: Path) -> None:
        """Copies a file."""
        shutil.copyfile(source, target)

    def close(self) -> None:
        """Ends whatever still runs, at the end of the step that it is at; whoever waits for it waits no longer."""
        for process in self._running:
            process.hang_up()


class LocalProcess:
    """A command on this machine."""

    def __init__(self, host: str, command: str) -> None:
        self._host = host
        self._process = subprocess.Popen(  # noqa: S603  # the command is ours, and quoted
            ("/bin/sh", "-c", command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for gpumon, which ends it at the end of a step
        )
        self._selector = selectors.DefaultSelector()
        for stream, pipe in (("out", self._process.stdout), ("err", self._process.stderr)):
            if pipe is not None:
                self._selector.register(pipe.fileno(), selectors.EVENT_READ, stream)
        self._ear, self._mouth = os.pipe()
        self._selector.register(self._ear, selectors.EVENT_READ, _HANG_UP)
        self.is_closed = False
        """True when nobody holds it any more."""

    def send(self, data: bytes) -> None:
        """Writes to its standard input."""
        if self._process.stdin is None:
            return
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:
            raise ConnectionBroke(self._host, "a shell ended before it heard its script.") from None

    def end_input(self) -> None:
        """Says that nothing more will be sent."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()

    def receive(self, seconds: float) -> Chunk | None:
        """What it wrote next."""
        while len(self._selector.get_map() or ()) > 1:
            ready = self._selector.select(seconds)
            if not ready:
                raise TimeoutError
            key = ready[0][0]
            if key.data == _HANG_UP:
                raise ConnectionBroke(self._host, "the work was ended.")
            data = os.read(key.fd, _READ)
            if data:
                return Chunk(key.data, data)
            self._selector.unregister(key.fd)
        return None

    def exit_code(self) -> int:
        """How it ended."""
        code = self._process.wait()
        return code if code >= 0 else 128 - code

    def hang_up(self) -> None:
        """Tells it to end, and wakes whoever waits for it; another thread may do so."""
        if self.is_closed or self._process.poll() is not None:
            return
        with suppress(OSError):
            os.write(self._mouth, b"x")
        with suppress(ProcessLookupError, PermissionError):  # sudo's end with their input
            os.kill(self._process.pid, signal.SIGHUP)  # the shell alone: a step that it is at comes to its end

    def close(self) -> None:
        """Lets go of it; what still runs is told to end."""
        if self.is_closed:
            return
        self.hang_up()
        self.is_closed = True
        self.end_input()
        self._selector.close()
        for descriptor in (self._ear, self._mouth):
            os.close(descriptor)
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        Thread(target=self._process.wait, daemon=True).start()  # or it would stay as a zombie

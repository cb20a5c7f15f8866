"""A program on a pseudo-terminal, watched byte by byte: when something is on the screen, and what that costs."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from results import cpu_seconds_of

PATIENCE = 60.0


class PtyProgram:
    """Runs as long as the `with` block."""

    def __init__(self, command: Sequence[str], columns: int = 160, lines: int = 50) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._home = tempfile.TemporaryDirectory()  # so that nothing is remembered from one run to the next
        known = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        environment = {**known, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "HOME": self._home.name},
            start_new_session=True,
        )
        os.close(slave)
        self.written = 0
        """Bytes that it wrote so far, as far as they were read."""

    def __enter__(self) -> PtyProgram:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)
        self._home.cleanup()

    @property
    def cpu_seconds(self) -> float:
        """CPU time that it used so far."""
        return cpu_seconds_of(self._process.pid)

    @property
    def resident_mebibytes(self) -> float:
        """Memory it holds now."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def type(self, keys: str) -> float:
        """Presses keys; returns when."""
        at = time.perf_counter()
        os.write(self._master, keys.encode())
        return at

    def until(self, text: bytes, since: float | None = None) -> float:
        """Reads until it wrote `text`; milliseconds since it was started, or since then."""
        seen = b""
        give_up = time.perf_counter() + PATIENCE
        while text not in seen:
            if time.perf_counter() > give_up:
                raise SystemExit(f"{text!r} was never written; at the end came {seen[-2000:]!r}")
            seen = seen[-len(text) :] + self._read(0.5)
        return (time.perf_counter() - (self.began if since is None else since)) * 1000

    def rest(self, seconds: float) -> None:
        """Reads what it writes for so long."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self._read(left)

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._master], [], [], seconds)[0]:
            return b""
        read = os.read(self._master, 1 << 20)
        self.written += len(read)
        return read

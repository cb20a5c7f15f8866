"""A daemon of the cluster in the foreground of its own session, with a log."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from real.daemons import Failed, until


@dataclass
class Process:
    """One daemon, which can be started again."""

    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running daemon."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Runs it; it is not ready yet."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def ready(self, is_ready: Callable[[], bool]) -> None:
        """Returns when it works.

        Raises:
            Failed: it ended or does not get ready; the message ends with its log.
        """
        process = self._process
        assert process is not None
        try:
            until(lambda: process.poll() is not None or is_ready(), " ".join(self.command))
        except Failed as failed:
            raise Failed(f"{failed}\n{self.told()}") from failed
        if process.poll() is not None:
            raise Failed(f"{' '.join(self.command)} ended:\n{self.told()}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ends it with a signal; kills it when it takes too long."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self.bury()

    def bury(self) -> None:
        """Takes note that it ended."""
        if self._process is not None:
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stops it in the middle of whatever it does."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def told(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""

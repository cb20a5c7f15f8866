"""A script on a machine that runs as long as we do: it hears from us again and again, and ends when it does not."""

from __future__ import annotations

from contextlib import suppress

from gpumon_setup.failures import ConnectionBroke, HostSilent
from gpumon_setup.host.process import Process

_END_SECONDS = 3.0
FIRST_WORD_SECONDS = 30.0
"""How long the script may take until its first line."""


class HeldScript:
    """A script whose input stays open."""

    def __init__(self, host: str, process: Process) -> None:
        self._process = process
        self._has_ended = False
        said = b""
        try:
            while b"\n" not in said:
                chunk = process.receive(FIRST_WORD_SECONDS)
                if chunk is None:
                    self._has_ended = True
                    break
                said += chunk.data if chunk.stream == "out" else b""
        except TimeoutError:
            process.close()
            raise HostSilent(host, f"a script said nothing within {FIRST_WORD_SECONDS:g} s.") from None
        except BaseException:  # Ctrl-C too: nobody else can close the process; it goes on
            process.close()
            raise
        self.first_line = said.partition(b"\n")[0].decode("utf-8", "replace")
        """What it said first; "" when it ended without a word."""

    def is_running(self) -> bool:
        """False when it ended, or when the way to it is gone."""
        if not self._has_ended:
            try:
                while True:
                    if self._process.receive(0) is None:
                        self._has_ended = True
                        break
            except TimeoutError:
                pass
            except ConnectionBroke:
                self._has_ended = True
        return not self._has_ended

    def beat(self) -> None:
        """Says that we are still here."""
        try:
            self._process.send(b"\n")
        except ConnectionBroke:
            self._has_ended = True

    def release(self) -> None:
        """Ends it, and waits a moment for its end."""
        with suppress(ConnectionBroke, TimeoutError):
            self._process.end_input()
            while not self._has_ended and self._process.receive(_END_SECONDS) is not None:
                pass
        self._has_ended = True
        self._process.close()

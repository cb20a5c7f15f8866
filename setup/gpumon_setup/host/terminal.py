"""Asking a person at the terminal for what nobody else may see."""

from __future__ import annotations

import os
import select
import termios
from threading import Event

from gpumon.settings import Secret
from gpumon_setup.failures import NoPassword

_POLL_SECONDS = 0.2


class Terminal:
    """The terminal that this process was started from."""

    def __init__(self) -> None:
        self._is_over = Event()

    def ask(self, prompt: str) -> Secret:
        """What the person types, unseen.

        Raises:
            NoPassword: there is no terminal, nothing was typed, or it was cancelled.
        """
        try:
            terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        except OSError:
            raise NoPassword(
                f"{prompt.rstrip(': ')} is needed, and there is no terminal to ask at.",
                advice="Start gpumon at a terminal, load the key into ssh-agent, or let sudo ask no password there.",
            ) from None
        try:
            return self._typed(terminal, prompt)
        finally:
            os.close(terminal)

    def cancel(self) -> None:
        """Takes back what is being asked: Ctrl-C reaches the main thread, and another one asks."""
        self._is_over.set()

    def _typed(self, terminal: int, prompt: str) -> Secret:
        before = termios.tcgetattr(terminal)
        silent = list(before)
        silent[3] &= ~termios.ECHO
        termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
        try:
            os.write(terminal, prompt.encode("utf-8", "replace"))
            while not select.select([terminal], [], [], _POLL_SECONDS)[0]:
                if self._is_over.is_set():
                    raise NoPassword(f"{prompt.rstrip(': ')} was not given.")
            line = os.read(terminal, 4096)
        finally:
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
            os.write(terminal, b"\n")
        if not line:
            raise NoPassword(f"{prompt.rstrip(': ')} is needed, and none was typed.")
        return Secret(line.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))

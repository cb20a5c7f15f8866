"""A real program on a real pseudo-terminal, and what a person would see on its screen."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

import pexpect
import pyte

from real.daemons import Failed


class Terminal:
    """A program that runs on a terminal of a fixed size."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], columns: int = 140, lines: int = 40
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        """Every byte that the program wrote."""
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            command[0],
            list(command[1:]),
            env={"TERM": "xterm-256color", "LANG": "C.UTF-8", **environment},
            dimensions=(lines, columns),
            timeout=None,
        )

    @property
    def text(self) -> str:
        """The screen, line by line."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def colour_of(self, text: str) -> str:
        """The foreground of a text's first letter where it stands on the screen first."""
        for number, line in enumerate(self._screen.display):
            if text in line:
                letter: str = self._screen.buffer[number][line.index(text)].fg
                return letter
        raise Failed(f"{text!r} is not on the screen:\n{self.text}")

    def until_colour(self, text: str, colour: str, seconds: float = 45) -> None:
        """Waits until a text has a colour.

        Raises:
            Failed: it had not in time, or the program ended.
        """
        deadline = time.monotonic() + seconds
        while self.colour_of(text) != colour:
            if not self._read(0.1) or time.monotonic() > deadline:
                raise Failed(f"{text!r} is {self.colour_of(text)} and not {colour}:\n{self.text}")

    def type(self, keys: str) -> None:
        """Presses keys."""
        self.child.send(keys)

    def _read(self, seconds: float) -> bool:
        try:
            read: bytes = self.child.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += read
        # Sequences of newer terminals look to pyte like others that it knows.
        self._stream.feed(re.sub(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]", b"", read))
        return True

    def until(self, pattern: str, seconds: float = 45) -> str:
        """Waits until the screen shows a regular expression and returns the screen.

        Raises:
            Failed: it was not shown in time, or the program ended; the message ends with the screen.
        """
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            runs = self._read(0.1)
            if not runs or time.monotonic() > deadline:
                why = f"not within {seconds:g} s" if runs else "the program ended"
                raise Failed(f"{pattern!r} is not on the screen, {why}:\n{self.text}")
        return self.text

    def until_without(self, pattern: str, seconds: float = 45) -> str:
        """Waits until the screen does not show a regular expression and returns the screen.

        Raises:
            Failed: it was still shown at the end, or the program ended.
        """
        deadline = time.monotonic() + seconds
        while re.search(pattern, self.text):
            if not self._read(0.1) or time.monotonic() > deadline:
                raise Failed(f"{pattern!r} stays on the screen:\n{self.text}")
        return self.text

    def ended(self, seconds: float = 15) -> int:
        """Waits until the program ends and returns its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.1):
            if time.monotonic() > deadline:
                raise Failed(f"The program still runs:\n{self.text}")
        self.child.close()
        return -1 if self.child.exitstatus is None else self.child.exitstatus

    def stop(self) -> None:
        """Ends the program if it still runs."""
        self.child.close(force=True)

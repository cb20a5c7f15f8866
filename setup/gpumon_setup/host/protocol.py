"""A machine that is worked on, whichever way leads there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gpumon_setup.host.actions import Step


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended, and what it said."""

    exit_code: int
    out: bytes = b""
    err: bytes = b""

    @property
    def is_success(self) -> bool:
        """True when it ended with 0."""
        return self.exit_code == 0

    @property
    def text(self) -> str:
        """What it said on its standard output."""
        return self.out.decode("utf-8", "replace")


class Host(Protocol):
    """One machine. Everything is done as root unless asked otherwise; how one becomes root is its own business.

    Each method raises a HostError when the machine cannot be worked on: it went away, root is refused, time is up.
    """

    @property
    def name(self) -> str:
        """Its name in the inventory."""
        ...

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0, as_root: bool = True) -> Outcome:
        """Runs one command; an exit code other than 0 is an outcome, not a failure."""
        ...

    def run_script(self, script: str, *, seconds: float = 120.0, as_root: bool = True) -> Outcome:
        """Runs a script by the machine's /bin/sh in one round trip; nothing of it runs before all has arrived."""
        ...

    def perform(
        self,
        steps: Sequence[Step],
        *,
        done: Callable[[int], None] = lambda _: None,
        sent: Callable[[int, int, int], None] = lambda _number, _so_far, _size: None,
    ) -> None:
        """Carries out steps in their order, in as few round trips as can be; `done` hears of each by its number.

        `sent` hears how a large file gets on: its step's number, the bytes so far and in all.

        Raises:
            StepFailed: one of them failed; none behind it was begun.
        """
        ...

    def read(self, path: str) -> bytes | None:
        """A file's content; None when there is no such file."""
        ...

    def bring(self, argv: Sequence[str], target: Path, *, seconds: float = 60.0) -> Outcome:
        """Runs one command that writes a file, "{}" in it the file's path; when it succeeds, the file is `target` here.

        Raises:
            OSError: it cannot be written here.
        """
        ...

    def hold(self, script: str) -> Held:
        """Starts a script whose input stays open, and waits until it says its first line."""
        ...

    def close(self) -> None:
        """Ends the connection."""
        ...


class Held(Protocol):
    """A script that runs until its input ends, for what must not outlive us."""

    @property
    def first_line(self) -> str:
        """What it said first; "" when it ended without a word."""
        ...

    def is_running(self) -> bool:
        """False when it ended, or when the way to it is gone."""
        ...

    def beat(self) -> None:
        """Says that we are still here."""
        ...

    def release(self) -> None:
        """Ends it."""
        ...

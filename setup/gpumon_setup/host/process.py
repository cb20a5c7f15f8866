"""What a way to a machine must offer: a connection that starts commands, and each command's three streams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from gpumon_setup.host.pieces import Pieces


class Chunk(NamedTuple):
    """Some bytes that a command wrote."""

    stream: Literal["out", "err"]
    data: bytes


class Process(Protocol):
    """A command on a machine, while it runs."""

    def send(self, data: bytes) -> None:
        """Writes to its standard input; raises ConnectionBroke when nobody reads there any more."""
        ...

    def end_input(self) -> None:
        """Says that nothing more will be sent."""
        ...

    def receive(self, seconds: float) -> Chunk | None:
        """What it wrote next, None when it has ended; raises TimeoutError when `seconds` bring nothing."""
        ...

    def exit_code(self) -> int:
        """How it ended, once `receive` has said None; a signal counts as shells count it."""
        ...

    def close(self) -> None:
        """Lets go of it, whether it has ended or not."""
        ...


class Connection(Protocol):
    """One way to one machine, good for many commands, one after the other or at once."""

    @property
    def name(self) -> str:
        """The machine's name in the inventory."""
        ...

    @property
    def user(self) -> str:
        """Who one is there."""
        ...

    def open(self, command: str) -> Process:
        """Starts a command by the user's login shell."""
        ...

    def send_file(self, source: Pieces, target: str, sent: Callable[[int, int], None]) -> None:
        """Writes a file where the user may write; `sent` hears the bytes so far and in all."""
        ...

    def fetch_file(self, source: str, target: Path) -> None:
        """Copies a file that the user may read to this machine; raises OSError when it cannot be written here."""
        ...

    def close(self) -> None:
        """Ends the connection and whatever still runs over it."""
        ...

"""What the standard output is, and writing to it: a terminal gets width and colour, a pipe gets plain data."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

import msgspec

from gpumon.errors import GpumonError

_PLAIN = str.maketrans(
    {"–": "-", "…": "~", "✓": "+", "✗": "x", "°": "", "→": ">", "·": "-", "×": "x", "█": "#", "░": "."}
)
"""What stands for gpumon's own signs where the terminal's character set has none of them."""


class OutputFailed(GpumonError):
    """The answer could not be written."""


class Terminal(msgspec.Struct, frozen=True):
    """What is on the other side of standard output."""

    is_tty: bool = False
    has_colour: bool = False
    columns: int | None = None
    """Its width in cells; None for a pipe or a file, where nothing is cut."""
    lines: int | None = None
    """Its height; None for a pipe or a file."""

    @classmethod
    def of_stdout(cls) -> Terminal:
        """The terminal, pipe or file that this process writes to."""
        if not sys.stdout.isatty():
            return cls()
        size = shutil.get_terminal_size()
        colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(is_tty=True, has_colour=colour, columns=size.columns, lines=size.lines)

    def styled(self, text: str, style: str) -> str:
        """`text` in a style ("bold", "dim", "red", ...) where there is colour, plain elsewhere; "" is no style."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and self.has_colour else text


_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "bold red": "1;31"}


def write(text: str) -> None:
    """Writes data to standard output, in whatever characters it can take.

    Raises:
        OutputFailed: the disk is full or the device is gone.
        BrokenPipeError: the reader went away.
    """
    encoding = sys.stdout.encoding or "utf-8"
    write_bytes(_encoded(text, encoding))


def write_bytes(data: bytes) -> None:
    """Writes bytes to standard output at once; raises as `write` does."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        _let_go()
        raise
    except OSError as error:
        _let_go()
        raise OutputFailed(f"cannot write the answer: {error.strerror}") from error


def repainted(lines: Sequence[str]) -> str:
    """Lines that replace what stands on the screen, from its top, each cleared to its end as it is written."""
    return "\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J"


def narrate(text: str) -> None:
    """Says one line to the person, on standard error, so that data stays data."""
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(_encoded(f"{text}\n", encoding).decode(encoding))


def _let_go() -> None:
    """Sends what Python still holds back, and would complain about at its end, to nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, "replace")

"""What is said to the person: results on standard output, the way there and questions on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from threading import Lock

from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_setup.plan import counted

_LOCK = Lock()


def put(lines: Iterable[str]) -> None:
    """Results, one a line."""
    sys.stdout.writelines(_fit(f"{line}\n", sys.stdout.encoding) for line in lines)
    sys.stdout.flush()


def accompany(lines: Iterable[str], *, is_json: bool) -> None:
    """What goes with a result: beside it, or on standard error where one JSON object is all that may be said."""
    if not is_json:
        put(lines)
        return
    for line in lines:
        narrate(line)


def announce(machines: int) -> None:
    """That one looks now."""
    narrate(f"Looking at {counted(machines, 'machine')} …")


def narrate(text: str) -> None:
    """One line about what is going on; threads may all talk."""
    with _LOCK:
        sys.stderr.write(_fit(f"{shown(text)}\n", sys.stderr.encoding))
        sys.stderr.flush()


def is_agreed(question: str) -> bool:
    """Whether the person says yes.

    Raises:
        UsageError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Nobody can be asked here.", advice="Say yes beforehand with --yes.")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _fit(text: str, encoding: str | None) -> str:
    known = encoding or "utf-8"
    return text.encode(known, "replace").decode(known)

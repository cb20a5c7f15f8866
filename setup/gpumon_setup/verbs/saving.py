"""Where images are pulled and saved: by an engine of this machine, or as root by one of a machine of the cluster."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gpumon.text import shown
from gpumon_setup.host import Host

_SECONDS = 1800.0
"""For pulling or saving: far more than any takes."""
_NO_COMMAND = 127


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    is_success: bool
    words: str = ""
    """What it complained of; "" when there is no such command."""


class Workplace(Protocol):
    """A machine on which an engine is told what to do."""

    @property
    def where(self) -> str:
        """For people."""
        ...

    def run(self, *argv: str) -> Said:
        """Runs a command."""
        ...

    def bring(self, file: Path, *argv: str) -> Said:
        """Runs a command that writes a file, "{}" in it the file's path there; the file is `file` then.

        Raises:
            OSError: it cannot be written here.
            HostError: the machine went away.
        """
        ...


class Here:
    """This machine, as whoever runs gpumon."""

    @property
    def where(self) -> str:
        """For people."""
        return "this machine"

    def run(self, *argv: str) -> Said:
        """Runs a command."""
        program = shutil.which(argv[0])
        if program is None:
            return Said(False)
        done = subprocess.run(  # noqa: S603  # no shell reads it
            (program, *argv[1:]), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        return _said(done.returncode, done.stderr)

    def bring(self, file: Path, *argv: str) -> Said:
        """The command writes the file itself."""
        return self.run(*(word.replace("{}", str(file)) for word in argv))


class There:
    """A machine of the cluster, as root."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def where(self) -> str:
        """Its name."""
        return self._host.name

    def run(self, *argv: str) -> Said:
        """Runs a command."""
        outcome = self._host.run(argv, seconds=_SECONDS)
        return Said(False) if outcome.exit_code == _NO_COMMAND else _said(outcome.exit_code, outcome.err)

    def bring(self, file: Path, *argv: str) -> Said:
        """The file waits in a folder there until it is here."""
        outcome = self._host.bring(argv, file, seconds=_SECONDS)
        return _said(outcome.exit_code, outcome.err)


def _said(code: int, complaint: bytes) -> Said:
    words = " ".join(complaint.decode("utf-8", "replace").split()).rstrip(".")
    return Said(code == 0, shown(words, 400) or f"it ended with {code}")

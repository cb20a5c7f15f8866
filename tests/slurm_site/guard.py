"""Clears the cluster away once nobody holds the other end of its standard input: also after Ctrl-C and after a crash.

Run as a program: python -m slurm_site.guard FOLDER USER...
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from slurm_site.people import remove_people


def processes_of(folder: Path) -> list[int]:
    """The cluster's processes, by SLURM_CONF in their environment: daemons, the jobs they started, commands."""
    mark = f"SLURM_CONF={folder}/slurm.conf".encode()
    return [int(place.name) for place in Path("/proc").glob("[0-9]*") if mark in _environment(place)]


def _environment(place: Path) -> list[bytes]:
    try:
        return (place / "environ").read_bytes().split(b"\0")
    except OSError:  # it ended in between
        return []


def end_all(folder: Path, seconds: float = 20.0) -> None:
    """Ends every process of the cluster; nothing of it is worth an orderly end."""
    deadline = time.monotonic() + seconds
    while (found := processes_of(folder)) and time.monotonic() < deadline:
        for pid in found:
            with suppress(ProcessLookupError):  # it ended in between
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def main(folder: Path, people: Sequence[str]) -> int:
    """Waits for the end of the input, then clears away."""
    sys.stdin.buffer.read()
    end_all(folder)
    remove_people(people)
    inside = folder.resolve()
    if inside != folder:  # Slurm has a root of its own
        subprocess.run(["umount", "--lazy", inside.parents[1] / "proc"], capture_output=True, check=False)
        folder.unlink(missing_ok=True)
    shutil.rmtree(inside, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))

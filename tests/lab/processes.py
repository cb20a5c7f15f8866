"""Starts what runs in the background, in the lab's control group and in a network namespace of choice."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab import cgroups
from lab.places import Places

JOIN = 'echo 0 >"$0/cgroup.procs"; exec setsid --fork "$@"'
"""Moves a process into a group before it becomes the program, which then belongs to nobody who could wait for it."""


def start(lab: Places, name: str, argv: Sequence[str], namespace: str | None = None) -> None:
    """Starts a program that outlives us; what it says is in NAME.log of the running lab."""
    place = cgroups.make(lab, name)
    enter = ["nsenter", f"--net=/run/netns/{namespace}"] if namespace else []
    with (lab.run / f"{name}.log").open("ab") as log:
        subprocess.run(
            ["sh", "-c", JOIN, str(place), *enter, *argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path("/"),
            check=True,
        )

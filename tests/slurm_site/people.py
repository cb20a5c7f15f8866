"""Users of the operating system, made for as long as the cluster runs."""

from __future__ import annotations

import pwd
import subprocess
from collections.abc import Iterable

MADE_HERE = "made by the tests of gpumon"
"""Their comment, by which they are known to be ours."""


def make_people(names: Iterable[str]) -> None:
    """Makes those who are not there yet; left-overs of a run that was cut off are taken over."""
    for name in names:
        if not is_ours(name):
            subprocess.run(
                ["useradd", "--no-create-home", "--gid", "nogroup", "--shell", "/bin/sh", "--comment", MADE_HERE, name],
                check=True,
                capture_output=True,
            )


def remove_people(names: Iterable[str]) -> None:
    """Removes those that were made here, and nobody else."""
    for name in filter(is_ours, names):
        subprocess.run(["userdel", name], check=False, capture_output=True)


def is_ours(name: str) -> bool:
    """Whether there is such a user and the tests made it."""
    try:
        return pwd.getpwnam(name).pw_gecos == MADE_HERE
    except KeyError:
        return False

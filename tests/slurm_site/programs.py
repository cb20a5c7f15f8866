"""Where the programs of Slurm, munge and MariaDB are, and what keeps a cluster from running here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from real.daemons import Missing

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NEEDED = {
    "slurmctld": "slurm-wlm",
    "slurmdbd": "slurmdbd",
    "munged": "munge",
    "mariadbd": "mariadb-server",
    "useradd": "passwd",
}
"""Programs and the packages of Debian and Ubuntu that bring them."""
COMMANDS = ("sacct", "sacctmgr", "scontrol", "sdiag", "sinfo", "squeue", "sshare")
"""What an exporter may run."""
NOBODY = 65534
"""The group of everybody but root."""


@dataclass(frozen=True)
class Programs:
    """One release of Slurm."""

    root: str = "/"
    """The folder that it takes for the root of the file system."""

    def command(self, name: str, uid: int | None = None) -> list[str]:
        """The words that run a program, as root or as somebody else.

        Raises:
            Missing: there is none.
        """
        found = shutil.which(name, path=":".join(f"{self.root.rstrip('/')}{part}" for part in PATH.split(":")))
        if found is None:
            raise Missing(f"There is no {name}; `make slurm` brings it.")
        inside = f"/{Path(found).relative_to(self.root)}"
        if self.root == "/" and uid is None:
            return [inside]
        return ["chroot", *(() if uid is None else (f"--userspec={uid}:{NOBODY}", "--groups=")), self.root, inside]

    def make_folder(self) -> Path:
        """A new folder for a cluster, under a path that is the same inside and outside of the root."""
        if self.root == "/":
            return Path(tempfile.mkdtemp(prefix="gpumon-slurm-", dir="/tmp"))
        inside = Path(tempfile.mkdtemp(prefix="gpumon-slurm-", dir=f"{self.root}/tmp"))
        path = Path("/tmp") / inside.name
        path.symlink_to(inside)
        return path

    @property
    def version(self) -> tuple[int, int]:
        """Slurm's release: 22, 5."""
        told = subprocess.run([*self.command("slurmctld"), "-V"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"(\d+)\.(\d+)", told)
        assert found, told
        return int(found[1]), int(found[2])

    def enter(self, commands: Path) -> None:
        """Prepares the root for a cluster, and makes a folder of Slurm's commands that work from outside.

        Raises:
            Missing: it cannot be prepared.
        """
        for name in COMMANDS:
            (commands / name).write_text(f'#!/bin/sh\nexec {" ".join(self.command(name))} "$@"\n')
            (commands / name).chmod(0o755)
        if self.root != "/":
            for name in ("passwd", "group", "hosts"):
                shutil.copy(f"/etc/{name}", f"{self.root}/etc/{name}")
            done = subprocess.run(
                ["mount", "-t", "proc", "proc", f"{self.root}/proc"], capture_output=True, check=False
            )
            if done.returncode:
                raise Missing(f"A Slurm in a root of its own needs /proc there: {done.stderr.decode().strip()}")


def check() -> None:
    """Raises: Missing: no cluster can run here."""
    if os.geteuid():
        raise Missing("A real Slurm needs root: it runs jobs of several users and makes device files.")
    missing = sorted({package for name, package in NEEDED.items() if not shutil.which(name, path=PATH)})
    if missing:
        raise Missing(f"A real Slurm needs {', '.join(missing)}; `make slurm` installs it.")

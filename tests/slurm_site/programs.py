"""Where the programs of Slurm, munge and MariaDB are, and what keeps a cluster from running here."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
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
        return ["chroot", *(() if uid is None else (f"--userspec={uid}:65534", "--groups=")), self.root, inside]

    @property
    def bin(self) -> Path:
        """The folder of Slurm's commands, as other programs use them."""
        return Path("/usr/bin")

    def make_folder(self) -> Path:
        """A new folder for a cluster, under a path that is good inside and outside of the root."""
        return Path(tempfile.mkdtemp(prefix="gpumon-slurm-"))


def check(programs: Sequence[str] = tuple(NEEDED)) -> None:
    """Raises: Missing: no cluster can run here."""
    if os.geteuid():
        raise Missing("A real Slurm needs root: it runs jobs of several users and makes device files.")
    missing = sorted({NEEDED[name] for name in programs if not shutil.which(name, path=PATH)})
    if missing:
        raise Missing(f"A real Slurm needs {', '.join(missing)}; `make slurm` installs it.")

"""The Debian archive that this machine's apt uses, and apt-get with a state of its own to fetch packages from it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.failures import LabFailed

NEWEST = "testing"
"""The suite with the newest programs."""
OLDEST = "bookworm"
"""The oldest suite that the compatibility run looks at."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))


def mirror() -> str:
    """The address of the archive, from GPUMON_LAB_DEBIAN or from apt's own sources.

    Raises:
        LabFailed: apt knows none.
    """
    named = os.environ.get("GPUMON_LAB_DEBIAN")
    if named:
        return named.rstrip("/")
    files = [SOURCES[0], *sorted(SOURCES[1].glob("*"))]
    lines = [line for file in files if file.is_file() for line in file.read_text().splitlines()]
    for line in lines:
        if line.startswith(("deb ", "URIs:")):
            for word in line.split():
                if word.startswith("http") and word.rstrip("/").endswith("/debian"):
                    return word.rstrip("/")
    raise LabFailed("apt has no Debian archive in its sources here; name one in GPUMON_LAB_DEBIAN.")


def source(suite: str) -> str:
    """The line of a sources.list that leads to a suite."""
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    return f"deb {signed}{mirror()} {suite} main\n"


class Apt:
    """apt-get as on a machine with nothing installed, with its whole state in one folder."""

    def __init__(self, folder: Path, suite: str) -> None:
        for name in ("state/lists/partial", "cache"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "sources.list").write_text(source(suite))
        options = [
            f"Dir::State={folder}/state",
            "Dir::State::status=/dev/null",
            f"Dir::Cache={folder}/cache",
            f"Dir::Etc::sourcelist={folder}/sources.list",
            "Dir::Etc::sourceparts=/dev/null",
            "APT::Sandbox::User=root",
            "Acquire::Languages=none",
            "Acquire::Check-Valid-Until=false",
        ]
        self._options = [word for option in options for word in ("-o", option)]
        self._run(folder, "update")

    def download(self, packages: Sequence[str], into: Path) -> list[Path]:
        """Packages alone."""
        into.mkdir()
        self._run(into, "download", *packages)
        return sorted(into.glob("*.deb"))

    def download_with_dependencies(self, packages: Sequence[str], into: Path) -> list[Path]:
        """Packages and all that they depend on."""
        (into / "partial").mkdir(parents=True)
        chosen = ("--yes", "--no-install-recommends", "--download-only", "-o", f"Dir::Cache::archives={into}")
        self._run(into, "install", *chosen, *packages)
        return sorted(into.glob("*.deb"))

    def _run(self, folder: Path, *arguments: str) -> None:
        done = subprocess.run(
            ["apt-get", "-q", *self._options, *arguments],
            cwd=folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            text=True,
            capture_output=True,
            check=False,
        )
        if done.returncode:
            raise LabFailed(f"apt-get {' '.join(arguments)}: {done.stderr.strip()}")

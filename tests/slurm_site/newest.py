"""The newest suite's Slurm in a folder of its own, which its programs take for the root of the file system.

Run as a program it fetches what is missing: the packages with all that they depend on, C library included. Nothing is
installed; the system's Slurm stays what it is.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from real.daemons import CACHE, Missing
from real.unpack_daemons import Apt, UnpackFailed, newest_source
from slurm_site.programs import Programs

ROOT = CACHE / "newest-slurm"
PACKAGES = ("slurm-wlm", "slurmdbd", "munge", "coreutils", "dash")
FOLDERS = ("dev", "etc", "proc", "run", "tmp")
MERGED = ("bin", "lib", "lib64", "sbin")
"""Folders of /usr that have a second name."""
ALTERNATIVES = ("slurmctld", "slurmd", "slurmstepd")
"""Programs whose names end in -wlm until a package's script has run."""
DEVICES = {"null": (1, 3), "zero": (1, 5), "urandom": (1, 9)}


def newest_programs() -> Programs:
    """The newest suite's Slurm.

    Raises:
        Missing: it was not fetched, or nobody may change into its root.
    """
    if not ROOT.exists():
        raise Missing(f"There is no newer Slurm in {ROOT}; `make slurm` brings it.")
    return Programs(str(ROOT))


def fill() -> None:
    """Fetches and unpacks everything.

    Raises:
        UnpackFailed: something could not be had.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as own, tempfile.TemporaryDirectory(dir=CACHE) as newest:
        system = Apt(Path(own))
        system("update")
        archive = next(system.archives(), None)
        if archive is None:
            raise UnpackFailed("apt has no mirror of Debian or Ubuntu set up, so there is no way to the newest suite.")
        apt = Apt(Path(newest), newest_source(archive))
        apt("update")
        apt("install", "--download-only", "--yes", "--no-install-recommends", *PACKAGES)
        ready = Path(newest) / "root"
        _unpack(Path(newest) / "cache" / "archives", ready)
        shutil.rmtree(ROOT, ignore_errors=True)
        ready.rename(ROOT)


def _unpack(packages: Path, root: Path) -> None:
    for name in MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in FOLDERS:
        (root / name).mkdir()
    for package in sorted(packages.glob("*.deb")):
        done = subprocess.run(["dpkg-deb", "--extract", package, root], capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnpackFailed(f"dpkg-deb could not unpack {package.name}: {done.stderr.strip()}")
    for name in ALTERNATIVES:
        (root / "usr/sbin" / name).symlink_to(f"{name}-wlm")
    (root / "tmp").chmod(0o1777)
    for name, numbers in DEVICES.items():
        os.mknod(root / "dev" / name, stat.S_IFCHR, os.makedev(*numbers))
        (root / "dev" / name).chmod(0o666)


def main() -> int:
    """Fills the cache when it is empty; a failure is one only in CI, elsewhere tests skip."""
    if ROOT.exists() or os.geteuid():
        return 0
    try:
        fill()
    except UnpackFailed as failed:
        print(f"The newest Slurm for the tests is missing. {failed}", file=sys.stderr)
        return 1 if os.environ.get("CI") else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())

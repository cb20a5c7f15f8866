"""What the lab needs of the machine it runs on; it refuses at once, with a reason, where something is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from lab.cgroups import unified
from lab.failures import LabFailed
from lab.places import Places

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "docker-registry": "docker-registry",
    "dnsmasq": "dnsmasq-base",
    "apt-ftparchive": "apt-utils",
    "busybox": "busybox-static",
    "ip": "iproute2",
    "unshare": "util-linux",
    "ssh-keygen": "openssh-client",
    "openssl": "openssl",
    "mke2fs": "e2fsprogs",
    "dpkg-deb": "dpkg",
}
"""Programs, and the packages that bring them."""
DISK_BYTES = 6_000_000_000
"""All caches of one suite with room for a few nodes."""
OFF_LIMITS = ("overlay", "nfs", "nfs4", "9p", "fuse", "virtiofs")
"""File systems that cannot be the upper one of an overlay."""
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_OF_NODE = 11
"""Instances that a node's systemd holds while somebody is logged in."""
INOTIFY_OF_MACHINE = 8
"""Instances left to everybody else."""
INOTIFY_OF_SEVERAL = 512
"""Instances for several labs that run at once."""


def packages() -> list[str]:
    """What `apt-get install` must bring here."""
    return list(PROGRAMS.values())


def look(lab: Places) -> None:
    """Raises LabFailed with the first thing that this machine lacks."""
    if os.geteuid():
        raise LabFailed("The lab makes namespaces and mounts: run it as root.")
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing:
        raise LabFailed(f"The lab lacks programs: apt-get install --no-install-recommends {' '.join(missing)}")
    if "overlay" not in Path("/proc/filesystems").read_text().split():
        raise LabFailed("This kernel has no overlayfs, which nodes' files are made of (modprobe overlay?).")
    if not hasattr(os, "pidfd_open") or not (unified() / "cgroup.procs").exists():
        raise LabFailed("The lab needs a mounted cgroup v2 hierarchy that it may write to.")
    lab.home.mkdir(parents=True, exist_ok=True)
    kind = file_system(lab.home)
    if kind.partition(".")[0] in OFF_LIMITS:
        raise LabFailed(
            f"{lab.home} is on {kind}, which cannot hold nodes; set GPUMON_LAB_DIR to a folder on ext4 or xfs."
        )
    free = shutil.disk_usage(lab.home).free
    if free < DISK_BYTES:
        raise LabFailed(f"{lab.home} has {free / 1e9:.1f} GB free, and the lab needs {DISK_BYTES / 1e9:.0f} GB.")


def file_system(path: Path) -> str:
    """The kind of file system that a path is on."""
    found = ("", "?")
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        if path.is_relative_to(point) and len(point) >= len(found[0]):
            found = (point, kind)
    return found[1]


def make_room_for(nodes: int, lab: Places) -> None:
    """Raises the limit of inotify instances, which the kernel counts for root as a whole, when GPUMON_LAB_SYSCTL=1.

    Raises:
        LabFailed: the limit is too low, and raising it was not allowed.
    """
    limit = int(INOTIFY.read_text())
    needed = INOTIFY_OF_NODE * nodes + INOTIFY_OF_MACHINE
    if limit >= needed:
        return
    if os.environ.get("GPUMON_LAB_SYSCTL") != "1":
        raise LabFailed(
            f"fs.inotify.max_user_instances={limit} is enough for {(limit - INOTIFY_OF_MACHINE) // INOTIFY_OF_NODE} "
            "nodes; with GPUMON_LAB_SYSCTL=1 the lab raises it until `lab down`."
        )
    lab.run.mkdir(parents=True, exist_ok=True)
    (lab.run / "inotify").write_text(str(limit))
    INOTIFY.write_text(str(needed + INOTIFY_OF_NODE * nodes))


def room_for_several() -> Callable[[], None]:
    """Lets several labs run at once, where one is root; what is returned puts the limit back."""
    limit = INOTIFY.read_text()

    def put_back() -> None:
        INOTIFY.write_text(limit)

    if os.geteuid() or int(limit) >= INOTIFY_OF_SEVERAL:
        return lambda: None
    INOTIFY.write_text(str(INOTIFY_OF_SEVERAL))
    return put_back


def restore_room(lab: Places) -> None:
    """Puts the limit back."""
    noted = lab.run / "inotify"
    if noted.exists():
        INOTIFY.write_text(noted.read_text())

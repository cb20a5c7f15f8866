"""The folder of the cluster: configuration, a key for munge, device files."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from slurm_site.configuration import epilog, gres_conf, slurm_conf, slurmdbd_conf
from slurm_site.layout import CARDS, SLICES, slice_caps

WITHOUT_CGROUPS_SINCE = (24, 5)
"""Older ones do not understand that they are to do without."""
NVIDIA, NVIDIA_CAPS = 195, 236
"""Major numbers of the driver's devices; without the driver nothing is behind them."""


def fill(folder: Path, ports: Mapping[str, int], version: tuple[int, int]) -> None:
    """Writes everything that the daemons need before they start."""
    folder.chmod(0o755)  # jobs of several users read the configuration
    for name in ("bin", "dev", "linger", "log", "mariadb", "spool", "state"):
        (folder / name).mkdir()
    _write(folder / "slurm.conf", slurm_conf(folder, ports), 0o644)
    _write(folder / "gres.conf", gres_conf(folder / "dev"), 0o644)
    _write(folder / "slurmdbd.conf", slurmdbd_conf(folder, ports), 0o600)
    _write(folder / "epilog", epilog(folder), 0o755)
    if version >= WITHOUT_CGROUPS_SINCE:
        _write(folder / "cgroup.conf", "CgroupPlugin=disabled\n", 0o644)
    (folder / "munge.key").touch(0o400)
    (folder / "munge.key").write_bytes(os.urandom(1024))
    _make_devices(folder / "dev")


def _write(path: Path, text: str, mode: int) -> None:
    path.touch(mode)
    path.write_text(text)
    path.chmod(mode)


def _make_devices(folder: Path) -> None:
    for number in range(CARDS):
        os.mknod(folder / f"nvidia{number}", 0o666 | stat.S_IFCHR, os.makedev(NVIDIA, number))
    for slice_number in range(SLICES):
        for cap in slice_caps(slice_number):
            os.mknod(folder / f"nvidia-cap{cap}", 0o444 | stat.S_IFCHR, os.makedev(NVIDIA_CAPS, cap))

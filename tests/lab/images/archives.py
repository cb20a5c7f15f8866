"""Tar archives as layers of images are: the same files always make the same bytes, so an image's digest stays."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path


def pack(tree: Path, target: Path, owners: Mapping[str, int]) -> None:
    """Everything below `tree`, root's but for the folders in `owners`; times are left out."""

    def settled(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = owners.get(member.name, 0)
        member.uname = member.gname = ""
        member.mtime = 0
        return member

    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(tree.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(tree)), recursive=False, filter=settled)

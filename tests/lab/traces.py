"""What was written to a machine since it was laid out, file by file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

RESTLESS = (
    *("tmp", "run", "var/log", "var/tmp", "var/cache", "var/lib/apt", "var/lib/systemd", "var/lib/private"),
    *("var/lib/docker", "var/lib/containerd", "var/lib/containers", "var/lib/dbus", "var/lib/logrotate"),
    *("var/lib/munge", "var/spool", "home/ops/.cache", "root/.cache", "etc/.updated", "var/.updated", "etc/.pwd.lock"),
)
"""What a machine changes by itself while it runs."""


OPAQUE = "trusted.overlay.opaque"


@dataclass(frozen=True)
class Traces:
    """One moment of a machine's files."""

    files: Mapping[str, str]
    """Each path that is not as its layers have it, with kind, rights, owner and a digest of the content."""

    def since(self, earlier: Traces) -> Sequence[str]:
        """Paths that came, went or changed."""
        paths = self.files.keys() | earlier.files.keys()
        return sorted(path for path in paths if self.files.get(path) != earlier.files.get(path))


def traces_of(machine: Path, restless: Sequence[str] = RESTLESS) -> Traces:
    """Reads a machine's upper directory, of which only what differs from its layers counts."""
    upper = machine / "upper"
    layers = [Path(layer) for layer in (machine / "layers").read_text().split(":")]
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(upper):
        here = Path(folder)
        folders[:] = [name for name in folders if str((here / name).relative_to(upper)) not in restless]
        for name in (*folders, *names):
            path = here / name
            relative = path.relative_to(upper)
            below = next((layer / relative for layer in layers if os.path.lexists(layer / relative)), None)
            described = _described(path)
            if str(relative) not in restless and (below is None or described != _described(below)):
                found[f"/{relative}"] = described
    return Traces(found)


def _described(path: Path) -> str:
    status = path.lstat()
    rights = f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid}"
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        return "removed"
    if stat.S_ISLNK(status.st_mode):
        return f"{rights} -> {path.readlink()}"
    if stat.S_ISREG(status.st_mode):
        return f"{rights} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    # A folder that was removed and made again hides what its layers have in it.
    return f"{rights} made anew" if OPAQUE in os.listxattr(path) else rights

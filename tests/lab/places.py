"""Where the lab keeps what it builds, where a running cluster lives, and what it calls things in the kernel."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from lab.failures import LabFailed

HOME = "/var/cache/gpumon-lab"
HOSTILE = re.compile(r"[\s,:]")
"""What the mount options of overlayfs cannot carry in a path."""


@dataclass(frozen=True)
class Places:
    """One lab of this machine; labs of different names share what was built and nothing else."""

    home: Path
    """Holds the cache of everything built, on a file system that can be the upper one of an overlay."""
    name: str = "main"
    """Tells labs apart that run at once."""
    running: Path | None = None
    """Where running clusters live when that is not `home`, such as a tmpfs."""

    @property
    def cache(self) -> Path:
        """Outlives every cluster."""
        return self.home / "cache"

    @property
    def keys(self) -> Path:
        """The SSH key of all users, host keys, and the registry's certificates."""
        return self.cache / "keys"

    @property
    def run(self) -> Path:
        """Exists from `up` to `down`."""
        return (self.running or self.home / "run") / self.name

    @property
    def group(self) -> str:
        """The control group that everything of this lab runs in."""
        return f"gpumon-lab-{self.name}"

    def namespace(self, seat: str) -> str:
        """The network namespace of a seat: "sw" is the switch, "ctl" the administrator, "svc" the registry."""
        return f"{self.group}-{seat}"

    def suite(self, suite: str) -> Path:
        """What was built of one Debian release."""
        return self.cache / suite

    def node(self, name: str) -> Path:
        """Everything of one node."""
        return self.run / name


def places() -> Places:
    """As the environment says: GPUMON_LAB_DIR, GPUMON_LAB_NAME, GPUMON_LAB_RUN.

    Raises:
        LabFailed: a name or path of it cannot be used.
    """
    running = os.environ.get("GPUMON_LAB_RUN")
    chosen = Places(
        home=Path(os.environ.get("GPUMON_LAB_DIR", HOME)).absolute(),
        name=os.environ.get("GPUMON_LAB_NAME", "main"),
        running=Path(running).absolute() if running else None,
    )
    if not re.fullmatch(r"[a-z0-9]{1,20}", chosen.name):
        raise LabFailed(f"GPUMON_LAB_NAME={chosen.name!r} must be up to 20 small letters and digits.")
    if HOSTILE.search(f"{chosen.cache}{chosen.run}"):
        raise LabFailed(f"The lab cannot live in {chosen.run}: overlayfs takes no blank, comma or colon in a path.")
    return chosen

"""Control groups: everything of a lab runs in one, so that it can be killed without a doubt and without a list."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from lab.failures import LabFailed
from lab.places import Places

CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd")
"""Hierarchies of cgroup v1 that systemd and docker look for."""
PATIENCE_SECONDS = 10.0


def unified() -> Path:
    """Where cgroup v2 is mounted, alone or beside v1.

    Raises:
        LabFailed: it is not.
    """
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, options, *_ = line.split()
        if kind == "cgroup2" and "rw" in options.split(","):
            return Path(point)
    raise LabFailed("No cgroup v2 hierarchy is mounted here for writing; the lab needs one, alone or beside v1.")


def group(lab: Places, *inside: str) -> Path:
    """The directory of a lab's group, or of one inside it; it need not exist."""
    return unified().joinpath(lab.group, *inside)


def make(lab: Places, name: str) -> Path:
    """A group inside the lab's."""
    made = group(lab, name)
    made.mkdir(parents=True, exist_ok=True)
    return made


def make_v1(lab: Places, name: str) -> list[Path]:
    """The same in each v1 hierarchy, below this process's own place there."""
    made: list[Path] = []
    for controller, own in _v1_hierarchies().items():
        for place in (own / lab.group, own / lab.group / name):
            place.mkdir(exist_ok=True)
            if controller == "cpuset":
                # A new cpuset is empty, and nothing can run in it.
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (place / file).write_text((place.parent / file).read_text())
        made.append(own / lab.group / name)
    return made


def kill(place: Path) -> None:
    """Ends every process in a group and below, at once, and waits until they are gone.

    Raises:
        LabFailed: some do not end.
    """
    if not place.exists():
        return
    (place / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "populated 1" in (place / "cgroup.events").read_text():
        if time.monotonic() > deadline:
            raise LabFailed(f"Processes in {place} do not end.")
        time.sleep(0.02)


def remove_all(lab: Places) -> None:
    """Removes a lab's empty groups from every hierarchy."""
    for place in (group(lab), *(own / lab.group for own in _v1_hierarchies().values())):
        deadline = time.monotonic() + PATIENCE_SECONDS
        # The kernel takes a moment to let go of what ended just now.
        while place.exists() and time.monotonic() < deadline:
            for inside, _, _ in os.walk(place, topdown=False):
                with contextlib.suppress(OSError):
                    Path(inside).rmdir()


def _v1_hierarchies() -> dict[str, Path]:
    own: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        own |= {name.removeprefix("name="): path.lstrip("/") for name in names.split(",")}
    mounted: dict[str, Path] = {}
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, point, kind, *_ = line.split()
        name = Path(point).name
        if kind == "cgroup" and name in CONTROLLERS and name in own:
            mounted[name] = Path(point) / own[name]
    return mounted

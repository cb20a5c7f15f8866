"""Which machines a cluster has, what each is for, and how the setup was asked to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import MappingProxyType


class Role(Enum):
    """What a machine is for."""

    MASTER = "master"
    """Prometheus and Grafana live there."""
    CONTROLLER = "controller"
    """slurmctld runs there; most often the master itself."""
    NODE = "node"
    """It runs jobs."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine, and how one gets there; what is "" or 0 is left to ~/.ssh/config."""

    name: str
    """As Slurm calls it."""
    roles: frozenset[Role]
    address: str = ""
    """A name or an IP address."""
    user: str = ""
    port: int = 0
    jump: str = ""
    """As ssh's ProxyJump: "user@host:port", several parted by commas."""
    is_local: bool = False
    """True for the machine that gpumon itself runs on: no SSH leads there."""


@dataclass(frozen=True)
class Inventory:
    """A cluster as the setup sees it."""

    machines: tuple[Machine, ...]
    """The master first, then in the order of the file."""
    cluster: str = ""
    """The label that its series carry; "" for none."""
    engine: str = "auto"
    """"docker", "podman" or "native"; "auto" for what each machine has."""
    without: frozenset[str] = frozenset()
    """Names of components that are not wanted."""
    accept: frozenset[str] = frozenset()
    """What would be an obstacle, and is meant so: "clock", "gpu_count", "slurm_name"."""
    image_archive: Path | None = None
    """An archive of images, or a folder of them, out of which machines get what they miss; None to pull it."""
    sections: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: MappingProxyType({}))
    """What [setup.COMPONENT] says, by component and then by field; already checked."""
    file: Path | None = None
    """Where it was read."""

    @property
    def master(self) -> Machine:
        """The one machine that gathers all."""
        return self.machines[0]

    def machine(self, name: str) -> Machine | None:
        """The machine of that name."""
        return next((machine for machine in self.machines if machine.name == name), None)

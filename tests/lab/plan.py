"""What cluster one wants, and which nodes it has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lab.archive import NEWEST
from lab.failures import LabFailed
from lab.flavors import HAVE_SLURM, NAMES
from lab.gpus import Toolkit
from lab.network import LARGEST, address


@dataclass(frozen=True)
class Plan:
    """A cluster to start: a master and the nodes node1, node2 ..."""

    machines: int = 3
    """The master and the nodes together."""
    suite: str = field(default_factory=lambda: os.environ.get("GPUMON_LAB_SUITE", NEWEST))
    """The Debian release that all of them run."""
    flavor: str = "docker"
    """What they have installed."""
    flavors: Mapping[str, str] = field(default_factory=dict[str, str])
    """Machines that differ in that, by name."""
    gpus: int = 0
    """On each node; the master has none."""
    toolkit: Toolkit = "both"
    """What nodes with GPUs have of nvidia-container-toolkit."""
    has_host_engine: bool = False
    """Whether NVIDIA's host engine runs on nodes with GPUs."""
    is_slurm_on: bool = False
    """Whether munge, slurmctld and slurmd run from the first boot on."""
    shards: int = 0
    """Into how many parts Slurm may divide a node's GPUs among jobs; 0 for not at all."""
    slurm_extra: str = ""
    """More lines for slurm.conf."""
    cgroups: Literal["v1", "v2"] = "v2"
    """With v2 nodes look like today's, and limits are not enforced; with v1 they are."""
    has_gpumon: bool = False
    """Whether the master has this clone's gpumon installed."""
    is_preloaded: bool = False
    """Whether every image is in every node's docker already, so that nothing is pulled."""
    has_disks: bool = False
    """Whether roots are ext4 disks, which node_exporter reports, instead of overlays, which it does not."""

    def __post_init__(self) -> None:
        if not 1 <= self.machines <= LARGEST:
            raise LabFailed(f"A cluster has 1 to {LARGEST} machines.")
        unknown = sorted({self.flavor, *self.flavors.values()} - {*NAMES})
        if unknown:
            raise LabFailed(f"There is no flavor {', '.join(unknown)}; there are {', '.join(NAMES)}.")
        absent = sorted(self.flavors.keys() - {*self.names})
        if absent:
            raise LabFailed(f"This cluster has no {', '.join(absent)}; it has {', '.join(self.names)}.")
        if self.is_slurm_on and any(self.flavor_of(name) not in HAVE_SLURM for name in self.names):
            raise LabFailed(f"Slurm is in the flavors {' and '.join(HAVE_SLURM)} only.")
        if self.cgroups == "v1" and self.suite not in ("bullseye", "bookworm", "trixie"):
            raise LabFailed("systemd left cgroup v1 behind with 258; take the suite trixie or an older one.")

    @property
    def names(self) -> Sequence[str]:
        """The master's first."""
        return ["master", *(f"node{number}" for number in range(1, self.machines))]

    def flavor_of(self, name: str) -> str:
        """What one machine has installed."""
        return self.flavors.get(name, self.flavor)

    def gpus_of(self, name: str) -> int:
        """How many GPUs one machine has."""
        return 0 if name == "master" else self.gpus

    def machine(self, name: str) -> Machine:
        """One of them."""
        return Machine(name, address(self.names.index(name)), self.flavor_of(name))


@dataclass(frozen=True)
class Machine:
    """One machine of a cluster that runs."""

    name: str
    address: str
    flavor: str

"""What kind of machine one works on; what is not known is None."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from gpumon_setup.facts.state import State


@dataclass(frozen=True, slots=True)
class Engine:
    """What runs containers."""

    name: str
    """"docker" or "podman"."""
    version: str
    """"" when it does not say; its daemon may be down."""
    problem: str = ""
    """Why it cannot be used, in its own words; "" when it can."""
    has_nvidia_runtime: bool = False
    """True when the NVIDIA runtime is registered with it."""
    cdi_devices: tuple[str, ...] = ()
    """Devices it found in CDI specifications, such as "nvidia.com/gpu=all"."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU, as its driver names it."""

    index: int
    uuid: str
    model: str
    mig_devices: int = 0
    """Into how many it is divided; 0 when it is whole."""


@dataclass(frozen=True, slots=True)
class Gpus:
    """The NVIDIA GPUs of a machine."""

    found: tuple[Gpu, ...] = ()
    """Those that the driver speaks of."""
    driver: str | None = None
    """Its version; None without a driver."""
    on_bus: int | None = None
    """How many there are on the PCI bus, driver or not; None when the bus cannot be read."""
    problem: str = ""
    """What nvidia-smi complained of; "" when it did not."""
    has_toolkit: bool = False
    """True when nvidia-container-toolkit is there."""
    cdi_files: tuple[str, ...] = ()
    """CDI specifications that speak of GPUs."""
    has_host_engine: bool = False
    """True when nv-hostengine runs on the machine itself: then profiling is its alone."""


@dataclass(frozen=True, slots=True)
class Slurm:
    """What of Slurm runs on a machine."""

    daemons: frozenset[str] = frozenset()
    """Of "slurmctld", "slurmdbd", "slurmd"."""
    version: str | None = None
    steps: tuple[str, ...] = ()
    """Steps of jobs that run on this very machine, such as "123.batch"."""
    node_gpus: Mapping[str, int] | None = None
    """GPUs by node, as slurm.conf counts them; None where slurmctld does not run."""
    node_jobs: tuple[tuple[str, str], ...] | None = None
    """Running jobs with their hostlists; None where slurmctld does not run."""
    metrics_port: int | None = None
    """Where slurmctld itself tells metrics; None where it does not, or was not asked."""
    prologs: tuple[str, ...] | None = None
    """What its configuration runs on nodes before a job, paths or patterns; None where slurmctld does not tell."""
    epilogs: tuple[str, ...] | None = None
    """What it runs after a job, likewise."""


@dataclass(frozen=True, slots=True)
class Port:
    """A TCP port on which somebody listens."""

    address: str
    """"*", "0.0.0.0", "[::]", or one address."""
    port: int
    program: str
    """Who listens, such as "prometheus (pid 12)"; "" when that cannot be seen."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system."""

    path: str
    """Where it is mounted."""
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Firewall:
    """The firewall in force, with its rules in its own words."""

    kind: str
    """"ufw", "firewalld" or "nftables"."""
    rules: str
    file: str = ""
    """What the rules of nftables come from at boot; "" when that is not known, and for the others."""


@dataclass(frozen=True)
class Facts:
    """One machine at one moment."""

    hostname: str
    architecture: str
    """As uname says: "x86_64", "aarch64"."""
    kernel: str
    os_id: str
    """As /etc/os-release says: "debian", "ubuntu", "rocky"; "" when it does not."""
    os_version: str
    os_like: tuple[str, ...]
    """Its relatives, itself first."""
    os_name: str
    """For people."""
    python: tuple[int, ...] | None
    """The version of python3; None without one."""
    clock_offset_seconds: float | None
    """How far its clock is ahead of ours, less the time that its answer took."""
    has_systemd: bool
    """True when the machine was booted by it."""
    commands: Mapping[str, str]
    """Paths of commands that matter, by name; only of those that are there."""
    engines: tuple[Engine, ...]
    gpus: Gpus
    slurm: Slurm
    addresses: tuple[ipaddress.IPv4Interface | ipaddress.IPv6Interface, ...]
    """Without those of container bridges."""
    resolved: Mapping[str, tuple[str, ...]]
    """What names mean there: none for a name that does not resolve."""
    ports: tuple[Port, ...]
    disks: tuple[Disk, ...]
    firewalls: tuple[Firewall, ...]
    """Those in force; usually one at most."""
    product: str = ""
    """What the board says it is: "Google Compute Engine" on Google's machines; "" when it does not."""
    worker: str = ""
    """Whose run's script is at work on it at this moment; "" when nobody's is."""
    state: State = field(default_factory=State)
    """What of ours, and in our way, stands there."""

    @property
    def is_busy(self) -> bool:
        """True when a job runs on this machine."""
        return bool(self.slurm.steps)

    def engine(self, name: str) -> Engine | None:
        """An engine that is there."""
        return next((engine for engine in self.engines if engine.name == name), None)

    def listener(self, port: int) -> Port | None:
        """Who listens at a port."""
        return next((listening for listening in self.ports if listening.port == port), None)

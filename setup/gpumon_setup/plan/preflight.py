"""What stands in the way before anything is begun on a machine, by its facts: each with its reason and its fix."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import cast

from gpumon_setup.components import Place
from gpumon_setup.components.container_engine import PACKAGES
from gpumon_setup.components.ports import exporter_ports
from gpumon_setup.facts import Disk, Engine, Port
from gpumon_setup.inventory import Role
from gpumon_setup.inventory.keys import ACCEPTABLE

_FAMILIES = frozenset({"debian", "ubuntu", "rhel", "fedora", "centos", "suse", "opensuse", "sles", "amzn", "arch"})
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
"""The processors that images are made for, as uname says, and as images do."""
_MOST_SKEW_SECONDS = 10.0
"""Slurm's own munge refuses much later, but charts of two machines would not fit any more."""
_GB = 1_000_000_000
_IMAGES = 2 * _GB
"""Of a machine's images, unpacked; that of dcgm-exporter alone takes half of it."""
_HISTORY = 5 * _GB
"""Of Prometheus, for some weeks of a small cluster."""
_ANYWHERE = ("*", "0.0.0.0", "[::]", "::")  # noqa: S104  # what is compared with, not what is bound
_PACKAGED = {"node_exporter": "prometheus-node", "prometheus": "prometheus", "grafana": "grafana"}
"""What the distribution's packages are called in the list of listeners: where these are wanted, they are taken over."""
_ON_MASTER = {"prometheus": 9090, "grafana": 3000}


def obstacles(place: Place, components: Collection[str]) -> Iterator[str]:
    """Why a machine cannot be worked on; `components` are those that have a say."""
    wanted = frozenset(components) - place.site.inventory.without
    for look in (_system, _engine, _ports, _disk):
        yield from look(place, wanted)
    for name in ACCEPTABLE:
        if name not in place.site.inventory.accept:
            for reason in _DOUBTS[name](place, wanted):
                yield f'{reason} Or say that it is meant so: [setup] accept = ["{name}"].'


def _system(place: Place, _: Collection[str]) -> Iterator[str]:
    facts = place.facts
    if facts.architecture not in ARCHITECTURES:
        known = " and ".join(ARCHITECTURES)
        yield f"its processor is {facts.architecture or 'unknown'}; the images are made for {known}."
    if not _FAMILIES & {*facts.os_like}:
        yield f"{facts.os_name} is no system that is supported: Debian, Ubuntu, those like Red Hat's, and SUSE are."
    if not facts.has_systemd:
        yield "it was not booted by systemd, which brings all services back after a reboot. Is it a container?"


def _engine(place: Place, wanted: Collection[str]) -> Iterator[str]:
    """An engine that stands still is no reason to go on with another, and to leave its containers behind."""
    chosen, engines = place.engine, place.facts.engines
    still = [engine for engine in engines if engine.problem]
    has_containers = any(kind == "container" for kind, _ in place.facts.state.made)
    if still and (len(still) == len(engines) or has_containers or still[0].name == chosen) and _is_meant(place, still):
        name = still[0].name
        yield f"{name} does not answer: {still[0].problem}. Start it: systemctl start {name}; journalctl -u {name}."
    elif chosen in PACKAGES and place.facts.engine(chosen) is None and not place.option("container_engine", "install"):
        yield f"there is no {chosen}. {_offer(place, chosen)}"
    elif chosen == "native" and not engines and "dcgm_exporter" in wanted and _is_gpu_node(place):
        yield f"nothing here runs containers, and dcgm_exporter comes as one only. {_offer(place, 'docker')}"


def _is_gpu_node(place: Place) -> bool:
    """True for a node whose GPUs are watched; those of a machine that is no node are not."""
    return Role.NODE in place.machine.roles and bool(place.facts.gpus.found)


def _is_meant(place: Place, engines: Collection[Engine]) -> bool:
    """True unless another engine was chosen by name."""
    return place.site.inventory.engine in ("auto", *(engine.name for engine in engines))


def _offer(place: Place, engine: str) -> str:
    if "apt-get" not in place.facts.commands:
        return f"Install {engine} by hand."
    return f"Install it, or let gpumon: [setup.container_engine] install = true brings the package {PACKAGES[engine]}."


def _ports(place: Place, wanted: Collection[str]) -> Iterator[str]:
    ports = dict(exporter_ports(place.site, place.machine))
    addresses = dict.fromkeys(ports, place.listening)
    if Role.MASTER in place.machine.roles:
        for component, usual in _ON_MASTER.items():
            ports[component] = cast("int | None", place.option(component, "port")) or usual
            chosen = cast("str | None", place.option(component, "listen"))
            addresses[component] = "127.0.0.1" if chosen is None else chosen
    for component, port in ports.items():
        taken = [other for other in place.facts.ports if other.port == port and _overlaps(other, addresses[component])]
        if component in wanted and taken and not _is_ours(place, component, taken[0]):
            yield (
                f"port {port}, which {component} needs, is taken by {taken[0].program or 'somebody'}. Stop that, or "
                f"choose another: [setup.{component}] port = {port + 1}."
            )


def _overlaps(other: Port, address: str) -> bool:
    return not address or other.address in (*_ANYWHERE, address, f"[{address}]")


def _is_ours(place: Place, component: str, listener: Port) -> bool:
    """True when the component itself runs already, or a package of its that is taken over."""
    state = place.facts.state
    for record in state.made.values():
        if record.component != component:
            continue
        container = state.containers.get(record.key)
        runs = record.kind == "container" and container is not None and container.is_running
        if runs and (not record.detail or f"{listener.port}" in record.detail):
            return True
        if record.kind == "unit" and state.unit(record.key).active == "active":
            return True
    return place.engine == "native" and listener.program.startswith(_PACKAGED.get(component, "\0"))


def _disk(place: Place, wanted: Collection[str]) -> Iterator[str]:
    """What is to come needs room; what is there already has it."""
    made = {record.component for record in place.facts.state.made.values() if record.kind in ("container", "unit")}
    need: dict[str, tuple[int, str]] = {}
    if place.engine in PACKAGES and not made:
        folder = "/var/lib/docker" if place.engine == "docker" else "/var/lib/containers"
        need[folder] = (_IMAGES, "images")
    if Role.MASTER in place.machine.roles and "prometheus" in wanted and "prometheus" not in made:
        need[cast("str | None", place.option("prometheus", "data")) or "/var/lib/gpumon"] = (_HISTORY, "the history")
    by_disk: dict[Disk, list[tuple[int, str]]] = {}
    for folder, wish in need.items():
        disk = disk_of(place, folder)
        if disk is not None:
            by_disk.setdefault(disk, []).append(wish)
    for disk, wishes in by_disk.items():
        sum_bytes = sum(number for number, _ in wishes)
        if disk.free_bytes < sum_bytes:
            what = " and ".join(words for _, words in wishes)
            free, needed = disk.free_bytes / _GB, sum_bytes / _GB
            yield f"{disk.path} has {free:.1f} GB left, and {what} need {needed:.0f} GB. Make room."


def disk_of(place: Place, folder: str) -> Disk | None:
    """The file system that a folder is on, as far as it is known."""
    holding = [disk for disk in place.facts.disks if f"{folder}/".startswith(f"{disk.path.rstrip('/')}/")]
    return max(holding, key=lambda disk: len(disk.path), default=None)


def _clock(place: Place, _: Collection[str]) -> Iterator[str]:
    master = place.site.facts.get(place.site.inventory.master.name)
    here = place.facts.clock_offset_seconds
    there = master.clock_offset_seconds if master is not None else None
    if here is None or there is None or abs(here - there) <= _MOST_SKEW_SECONDS:
        return
    side = "ahead of" if here > there else "behind"
    yield (
        f"its clock is {abs(here - there):.0f} s {side} the master's. Set it by the network: apt-get install chrony, "
        "or timedatectl set-ntp true."
    )


def _gpu_count(place: Place, wanted: Collection[str]) -> Iterator[str]:
    counted = _counted(place)
    found = sum(gpu.mig_devices or 1 for gpu in place.facts.gpus.found)
    if "dcgm_exporter" not in wanted or counted is None or not place.facts.gpus.found or counted == found:
        return
    yield (
        f"its driver speaks of {found} GPUs, and Slurm counts {counted}. Look at nvidia-smi and dmesg there, and at "
        "gres.conf and slurm.conf."
    )


def _slurm_name(place: Place, _: Collection[str]) -> Iterator[str]:
    names = _nodes(place)
    if Role.NODE in place.machine.roles and names and place.machine.name not in names:
        yield (
            f"Slurm knows no node called {place.machine.name}, so its jobs would be missing there. Name it as "
            "`scontrol show nodes` does."
        )


def _reach(place: Place, wanted: Collection[str]) -> Iterator[str]:
    """Exporters that Prometheus cannot reach would be deployed for nobody."""
    reason = place.site.unreached.get(place.machine.name)
    if reason and "prometheus" in wanted:
        yield (
            f"the master does not reach it ({reason}), and Prometheus would not either. Let it through, or name the "
            f'address that the master reaches: [setup.machines.{place.machine.name}] address = "…".'
        )


def _counted(place: Place) -> int | None:
    """The GPUs that Slurm counts on this machine; None when it does not say."""
    return _nodes(place).get(place.machine.name)


def _nodes(place: Place) -> Mapping[str, int]:
    """GPUs by node, as slurm.conf counts them; nothing where nobody tells."""
    for facts in place.site.facts.values():
        if facts.slurm.node_gpus is not None:
            return facts.slurm.node_gpus
    return {}


_DOUBTS: Mapping[str, Callable[[Place, Collection[str]], Iterator[str]]] = {
    "clock": _clock,
    "gpu_count": _gpu_count,
    "slurm_name": _slurm_name,
    "reach": _reach,
}
"""What may be meant so, by the words of `accept`."""

"""What is known of machines that do not answer now: their places stay as they were, or a run would forget them."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from gpumon_setup.components.prometheus_places import TARGETS
from gpumon_setup.facts import Look, State
from gpumon_setup.resources.block import block_lines

HOSTS = "/etc/hosts"
TARGET_FILES = tuple(f"{TARGETS}/{name}.json" for name in ("node", "dcgm", "slurm", "slurm-own"))


@dataclass(frozen=True)
class Absent:
    """What the files say that gpumon wrote before, and where SSH would look."""

    addresses: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where machines were reached, by name."""
    has_gpus: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """Whether nodes were asked for GPUs, by name."""
    slurm_port: int | None = None
    """Where slurmctld was asked for metrics of its own; None when it was not."""
    dialled: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where SSH looks for machines, of those for whom that is an address."""


def scrapes_slurm_itself(master: State) -> bool:
    """Whether Prometheus was told to ask slurmctld."""
    return ("file", TARGET_FILES[-1]) in master.made


def files_of_absent(master: State) -> Look:
    """What must be seen on the master to say so; nothing where gpumon wrote nothing yet."""
    return master.unknown(Look(contents=frozenset(path for path in TARGET_FILES if ("file", path) in master.made)))


def absent(master: State | None, others: Iterable[State], dialled: Mapping[str, str]) -> Absent:
    """From the master's files; names in /etc/hosts from those of the other machines, too."""
    states = (*others, master) if master is not None else (*others,)
    node, dcgm, slurm, own = (_targets(master, path) for path in TARGET_FILES)
    targets = {**(slurm or {}), **(dcgm or {}), **(node or {})}
    return Absent(
        addresses={
            **{name: address for state in states for name, address in _hosts(state)},
            **{name: address for name, (address, _) in targets.items() if is_address(address)},
        },
        has_gpus={name: name in dcgm for name in node or ()} if dcgm is not None else {},
        slurm_port=next((port for _, port in (own or {}).values()), None),
        dialled=dialled,
    )


def is_ip(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_address(text: str) -> bool:
    """Whether a text is an IP address by which others can be reached."""
    return is_ip(text) and not ipaddress.ip_address(text).is_loopback


def _hosts(state: State) -> Iterator[tuple[str, str]]:
    """Addresses by name, from our block."""
    for line in block_lines(state.file(HOSTS).content or b"", "hosts"):
        address, _, name = line.partition(" ")
        if is_address(address) and name:
            yield name, address


def _targets(master: State | None, path: str) -> dict[str, tuple[str, int]] | None:
    """Addresses and ports by name, from a file of targets; None for no file, and for one edited to nonsense."""
    content = master.file(path).content if master is not None else None
    found: dict[str, tuple[str, int]] = {}
    try:
        told: object = json.loads(content or b"")
        for one in cast("list[Mapping[str, Any]]", told):
            address, _, port = str(one["targets"][0]).rpartition(":")
            found[str(one["labels"]["instance"]).rpartition(":")[0]] = (address.strip("[]"), int(port))
    except (ValueError, TypeError, KeyError, IndexError):
        return None
    return found if isinstance(told, list) else None

"""The names of all machines in /etc/hosts, so that names mean the same everywhere without a DNS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from gpumon.config.keys import Key
from gpumon_setup.components.component import Place
from gpumon_setup.resources import Block, Resource


class Hosts:
    """A marked block in /etc/hosts. Prometheus scrapes addresses: the names are for people and their links."""

    name: ClassVar[str] = "hosts"
    purpose: ClassVar[str] = "names of all machines in /etc/hosts"
    keys: ClassVar[tuple[Key, ...]] = ()

    def wanted(self, place: Place) -> Sequence[Resource]:
        """A line for each machine whose address is known."""
        names = [machine.name for machine in place.site.inventory.machines]
        lines = tuple(f"{address} {name}" for name in names if (address := place.site.address(name)) != name)
        return (Block("/etc/hosts", self.name, lines),) if lines else ()

"""Where the exporters of one machine listen."""

from __future__ import annotations

from collections.abc import Iterator

from gpumon_setup.components.component import Site
from gpumon_setup.components.scraping import DCGM_PORT, NODE_PORT, SLURM_PORT, has_gpus, port_of
from gpumon_setup.inventory import Machine, Role


def exporter_ports(site: Site, machine: Machine) -> Iterator[tuple[str, int]]:
    """The ports at which the master asks a machine, each with its component."""
    roles, without = machine.roles, site.inventory.without
    belongs_there = {
        ("node_exporter", NODE_PORT): True,
        ("dcgm_exporter", DCGM_PORT): Role.NODE in roles and bool(has_gpus(site, machine)),
        ("slurm_exporter", SLURM_PORT): Role.CONTROLLER in roles,
    }
    for (component, usual), is_there in belongs_there.items():
        if is_there and component not in without:
            yield component, port_of(site, component, usual)

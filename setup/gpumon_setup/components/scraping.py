"""What the parts agree on so that Prometheus finds them: ports, intervals, and which machines have which exporter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from gpumon_setup.components.component import Site
from gpumon_setup.inventory import Machine, Role

NODE_PORT = 9100
DCGM_PORT = 9400
SLURM_PORT = 8080
MANY = 300
"""Machines from which on everything is scraped half as often."""


def scrape_seconds(site: Site) -> float:
    """How often everything is scraped: as [setup.prometheus] says, else by the size of the cluster."""
    wanted = site.inventory.sections.get("prometheus", {}).get("interval_seconds")
    return cast("float | None", wanted) or (15.0 if len(site.inventory.machines) <= MANY else 30.0)


def port_of(site: Site, component: str, usual: int) -> int:
    """Where a component listens on every machine."""
    return cast("int | None", site.inventory.sections.get(component, {}).get("port")) or usual


def has_gpus(site: Site, machine: Machine) -> bool | None:
    """Whether a node has GPUs: by its driver or its PCI bus, else as Slurm counts them; None when nobody says.

    A GPU that fell off the bus does not make it a node without GPUs while Slurm still counts it. Of a node that does
    not answer it is as it was.
    """
    facts = site.facts.get(machine.name)
    seen = bool(facts.gpus.found or facts.gpus.on_bus) if facts is not None else site.absent.has_gpus.get(machine.name)
    counts = [told.slurm.node_gpus for told in site.facts.values() if told.slurm.node_gpus is not None]
    counted = next((found[machine.name] for found in counts if machine.name in found), None)
    return seen or (counted > 0 if counted is not None else seen)


def gpu_nodes(site: Site) -> Iterator[Machine]:
    """The nodes that have GPUs, and those of which nobody says whether they do."""
    for machine in site.inventory.machines:
        if Role.NODE in machine.roles and has_gpus(site, machine) is not False:
            yield machine

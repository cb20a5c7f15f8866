"""Machines in memory as components see them, read from the probe's own words as real ones are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from gpumon_setup.components import COMPONENTS, Component, Place, Site
from gpumon_setup.facts import read_facts
from gpumon_setup.inventory import load_inventory
from gpumon_setup.resources import Container, File, Resource
from setup.deployments import Cluster

AnyResource = TypeVar("AnyResource", bound=Resource)


def place(cluster: Cluster, name: str, more: str = "", *, setup: str = "") -> Place:
    """One machine of the cluster, with `more` in the configuration, and `setup` within its first section."""
    cluster.configure(f'[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\n{setup}\n{more}\n')
    inventory = load_inventory(cluster.file, {component.name: component.keys for component in COMPONENTS}, environ={})
    names = [machine.name for machine in inventory.machines]
    for host in cluster.hosts.values():
        host.is_closed = False
    facts = {host.name: read_facts(host, names=names) for host in cluster.hosts.values()}
    machine = inventory.machine(name)
    assert machine is not None
    return Place(machine, facts[name], Site(inventory, facts))


def the(kind: type[AnyResource], resources: Sequence[Resource], key: str = "") -> AnyResource:
    """The one resource of a kind, or that of a key."""
    found = [one for one in resources if isinstance(one, kind) and (not key or key in one.key)]
    assert len(found) == 1, [one.key for one in found]
    return found[0]


def container_of(component: Component, where: Place) -> Container:
    """The container that a component wants."""
    return the(Container, component.wanted(where))


def text_of(component: Component, where: Place, path: str) -> str:
    """What a component wants to stand in a file."""
    return the(File, component.wanted(where), path).content.decode()

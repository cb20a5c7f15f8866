"""How each component stands on a machine: as planned, different, missing or down; pure, from a plan and a state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from gpumon_setup.facts import State
from gpumon_setup.plan.change import HostPlan
from gpumon_setup.plan.planning import Wanted
from gpumon_setup.resources import Container, Package, Resource, SlurmProgram, Unit


class Stand(Enum):
    """How a component stands."""

    PLANNED = "as planned"
    DIFFERS = "differs"
    DOWN = "down"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Standing:
    """One component on one machine."""

    host: str
    component: str
    stand: Stand
    version: str
    """Of what is there now; "" when it has none of its own."""


def standings(wishes: Wanted, plan: HostPlan, state: State) -> Iterator[Standing]:
    """Every component that the machine should have."""
    by_component: dict[str, list[Resource]] = {}
    for component, resource in wishes.resources:
        by_component.setdefault(component, []).append(resource)
    to_do = {change.component for change in (*plan.changes, *plan.held_back)}
    # Data and passwords may stay when all else goes.
    made = {record.component for record in state.made.values() if record.kind not in ("directory", "secret")}
    for component, resources in by_component.items():
        if component not in made:
            stand = Stand.MISSING if component in to_do else Stand.PLANNED
        elif any(_is_down(resource, state) for resource in resources):
            stand = Stand.DOWN
        else:
            stand = Stand.DIFFERS if component in to_do else Stand.PLANNED
        yield Standing(plan.host, component, stand, _version(resources, state))


def _is_down(resource: Resource, state: State) -> bool:
    """True for what should run and does not."""
    if isinstance(resource, Container):
        container = state.containers.get(resource.name)
        return container is None or not container.is_running
    if isinstance(resource, SlurmProgram):
        return resource.is_run is False
    return isinstance(resource, Unit) and state.unit(resource.name).active not in ("active", "reloading", "activating")


def _version(resources: Sequence[Resource], state: State) -> str:
    """The image's tag or the package's version."""
    for resource in resources:
        if isinstance(resource, Container) and resource.name in state.containers:
            image = state.containers[resource.name].image
            name, at, digest = image.partition("@")
            return digest[:19] if at else name.rpartition("/")[2].partition(":")[2]
        if isinstance(resource, Package):
            return state.packages.get(resource.name, "")
    return ""

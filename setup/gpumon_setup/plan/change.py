"""What would be done to each machine, as data: shown, told as JSON and carried out from the same objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gpumon_setup.host import Step


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that would be done."""

    component: str
    step: Step
    """Its words, and the actions that are carried out."""
    diff: str = ""
    """A unified diff; "" where there is none to show."""
    is_disruptive: bool = False
    """True when jobs on the machine may suffer."""
    waits_for: str = ""
    """Why it cannot be done yet, beside jobs; "" when nothing else is in its way."""

    @property
    def words(self) -> str:
        """What will be done, as an order."""
        return self.step.words


@dataclass(frozen=True, slots=True)
class HostPlan:
    """All that would be done to one machine, in order."""

    host: str
    changes: tuple[Change, ...] = ()
    held_back: tuple[Change, ...] = ()
    """Not done because jobs run there, with what depends on it, or because something else must come first."""
    obstacles: tuple[str, ...] = ()
    """Why something cannot be done; nothing is done to a machine that has one."""
    steps_running: tuple[str, ...] = ()
    """Steps of jobs that run there."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is carried out."""
        return tuple(change.step for change in self.changes)

    @property
    def is_empty(self) -> bool:
        """True when the machine is as it should be."""
        return not (self.changes or self.held_back or self.obstacles)


@dataclass(frozen=True)
class Plan:
    """What would be done to the cluster."""

    hosts: tuple[HostPlan, ...]
    failures: Mapping[str, str]
    """Machines of which nothing is known, and why."""

    @property
    def has_changes(self) -> bool:
        """True when something would be done now."""
        return any(host.changes and not host.obstacles for host in self.hosts)

    @property
    def is_clean(self) -> bool:
        """True when every machine answered and is as it should be."""
        return not self.failures and all(host.is_empty for host in self.hosts)

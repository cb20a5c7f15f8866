"""A part of the stack, and what it may know when it says what a machine should have."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from gpumon.config.keys import Key
from gpumon_setup.components.absent import Absent, is_ip
from gpumon_setup.facts import Facts
from gpumon_setup.inventory import Inventory, Machine
from gpumon_setup.resources import Resource


class CannotHave(Exception):
    """A machine should have a component and cannot; says why, and what to do."""


@dataclass(frozen=True)
class Site:
    """The whole cluster: what was asked for, and the facts of all machines that answered."""

    inventory: Inventory
    facts: Mapping[str, Facts]
    absent: Absent = field(default_factory=Absent)
    """What is known of the others."""
    unreached: Mapping[str, str] = field(default_factory=dict[str, str])
    """Why the master does not reach a machine, in a few words, by name; as far as that was tried."""

    def address(self, name: str) -> str:
        """Where the others reach a machine: an IP address, or its name where none is known.

        It is the one of the configuration, else what the master knows under its name, else its own address in one of
        the master's networks, else its first. Of a machine that does not answer it is the one that it had.
        """
        machine = self.inventory.machine(name)
        if machine is not None and is_ip(machine.address):
            return machine.address
        master = self.facts.get(self.inventory.master.name)
        known = [_plain(address) for address in master.resolved.get(name, ())] if master is not None else []
        own = self.facts.get(name)
        if own is None and name in self.absent.addresses:
            return self.absent.addresses[name]
        mine = [str(interface.ip) for interface in own.addresses] if own is not None else []
        near = [
            str(interface.ip)
            for interface in (own.addresses if own is not None else ())
            if master is not None and any(interface.ip in other.network for other in master.addresses)
        ]
        usable = [address for address in (*(found for found in known if not mine or found in mine), *near, *mine)
                  if not ipaddress.ip_address(address).is_loopback]  # fmt: skip
        return usable[0] if usable else self.absent.dialled.get(name, name)


@dataclass(frozen=True)
class Place:
    """One machine of the site, seen by a component."""

    machine: Machine
    facts: Facts
    site: Site

    @property
    def address(self) -> str:
        """Where the others reach it."""
        return self.site.address(self.machine.name)

    @property
    def listening(self) -> str:
        """The address that its services listen at: the one by which the others reach it, "" for all."""
        return self.address if is_ip(self.address) else ""

    @property
    def engine(self) -> str:
        """ "docker", "podman" or "native"."""
        wanted = self.site.inventory.engine
        if wanted != "auto":
            return wanted
        comes = self.option("container_engine", "install") and "apt-get" in self.facts.commands
        return next(
            (engine.name for engine in self.facts.engines if not engine.problem), "docker" if comes else "native"
        )

    def option(self, component: str, field: str) -> object:
        """What [setup.COMPONENT] says; None for nothing."""
        return self.site.inventory.sections.get(component, {}).get(field)


class Component(Protocol):
    """A part of the stack."""

    name: ClassVar[str]
    """As --only and [setup.NAME] call it."""
    purpose: ClassVar[str]
    """What it is for, in a few words."""
    keys: ClassVar[tuple[Key, ...]]
    """What [setup.NAME] may say."""

    def wanted(self, place: Place) -> Sequence[Resource]:
        """What this machine should have, in the order in which it is made; nothing for a machine it is not for.

        Pure: the same place has the same resources, or a second run would find something to do.

        Raises:
            CannotHave: it should have it, and cannot.
        """
        ...


@runtime_checkable
class Guide(Protocol):
    """A component that has something to say to people once all is in place: how one gets to what it brought."""

    name: ClassVar[str]

    def advice(self, place: Place) -> Sequence[str]:
        """Lines about this machine, each to be read or typed as it is; none for a machine it is not for."""
        ...


def at(address: str, port: int) -> str:
    """Address and port as programs take them: "10.0.0.5:9100", "[fd00::5]:9100", ":9100"."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _plain(address: str) -> str:
    """An address without the interface of a link-local one."""
    return address.partition("%")[0]

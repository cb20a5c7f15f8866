"""Ways through the machines' own firewalls, for the master alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, cast

from gpumon.config.keys import Key
from gpumon.config.values import Here, Wrong, told
from gpumon_setup.components import values
from gpumon_setup.components.component import CannotHave, Place, Site
from gpumon_setup.components.ports import exporter_ports
from gpumon_setup.facts import Firewall as InForce
from gpumon_setup.inventory import Role
from gpumon_setup.inventory.keys import matching
from gpumon_setup.resources import FirewallRule, KeptRules, Resource, closed_chains, zones

_GCE_NAME = re.compile(r"[a-z]([a-z0-9:.-]{0,61}[a-z0-9])?")


def network(value: object, _: Here) -> str:
    """An address or a network, as firewalls write it."""
    expected = 'an IP address or a network, like "10.0.0.5" or "10.0.8.0/24"'
    try:
        found = ipaddress.ip_network(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise Wrong(told(value), expected)
    return str(found) if found.num_addresses > 1 else str(found.network_address)


class Firewall:
    """Where a firewall is in force, the exporters' ports are opened to the master's address; nothing is closed."""

    name: ClassVar[str] = "firewall"
    purpose: ClassVar[str] = "the master's way through the machines' own firewalls"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("also_from", values.strings(network), "also_from"),
        Key("gce_network", matching(_GCE_NAME, "the name of a VPC network"), "gce_network"),
        Key("gce_project", matching(_GCE_NAME, "the id of a project"), "gce_project"),
    )

    def wanted(self, place: Place) -> Sequence[Resource]:
        """A rule for each port; the master itself asks itself without leaving the machine."""
        ports = dict.fromkeys(port for _, port in exporter_ports(place.site, place.machine))
        if Role.MASTER in place.machine.roles or not place.facts.firewalls or not ports:
            return ()
        ways = [(source, port) for source in sources(place.site, place.address) for port in ports]
        return tuple(rule for firewall in place.facts.firewalls for rule in _rules(firewall, ways))


def _rules(firewall: InForce, ways: Sequence[tuple[str, int]]) -> Iterator[Resource]:
    """What lets all of them in; nothing where nftables let them in by somebody's own words."""
    if firewall.kind != "nftables":
        yield from (FirewallRule(firewall, *way, zone) for zone in zones(firewall) for way in ways)
        return
    found = [(chain, *way) for chain in closed_chains(firewall.rules) for way in ways
             if chain.sees(way[0]) and not chain.lets_in(*way)]  # fmt: skip
    kept = tuple(rule for rule in found if not rule[0].is_of_iptables)
    if kept:
        yield KeptRules(firewall.file, kept)
    yield from (FirewallRule(firewall, source, port, chain.path) for chain, source, port in found)


def sources(site: Site, address: str) -> Iterator[str]:
    """From where a machine at `address` is asked: the master, and whoever else [setup.firewall] names.

    Raises:
        CannotHave: the master's address is not known.
    """
    master = site.inventory.master.name
    usual, facts = site.address(master), site.facts.get(master)
    mine = [interface for interface in (facts.addresses if facts is not None else ()) if _holds(interface, address)]
    near = [str(interface.ip) for interface in mine]
    found = usual if usual in near or not near else near[0]
    if found == master:
        raise CannotHave(
            f"firewall: the address of {master} is not known, so no port can be opened to it alone. "
            f'Say it: [setup.machines.{master}] address = "10.0.0.1".'
        )
    yield found
    yield from cast("tuple[str, ...]", site.inventory.sections.get("firewall", {}).get("also_from", ()))


def _holds(interface: ipaddress.IPv4Interface | ipaddress.IPv6Interface, address: str) -> bool:
    """True when the address is in the interface's network."""
    try:
        return ipaddress.ip_address(address) in interface.network
    except ValueError:
        return False

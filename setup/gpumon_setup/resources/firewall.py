"""A way through a machine's own firewall, from one address to one port."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Firewall, Look, Record, State
from gpumon_setup.host import Action, RunCommand
from gpumon_setup.resources.nftables import Chain, by_hand, by_iptables, closed_chains, mark, rule_words
from gpumon_setup.resources.resource import Missing, remembered


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """TCP from one address to one port is let in; connections that stand already are never looked at."""

    kind: ClassVar[str] = "firewall"
    firewall: Firewall
    """The one in force, as the facts have it."""
    source: str
    """An IP address, or a network as 10.0.0.0/24."""
    port: int
    zone: str = ""
    """Of firewalld, or the chain of nftables; "" for firewalld's default zone, and for ufw."""

    @property
    def key(self) -> str:
        """Which firewall, which port, from where, and in which zone."""
        return f"{self.firewall.kind} {self.port} {self.source} {self.zone}".rstrip()

    def look(self, state: State) -> Look:
        """The rules are known from the start."""
        del state
        return Look()

    def missing(self, state: State) -> Missing | None:
        """No rule of just this port and address; a wider one may be somebody's slip that is mended one day."""
        del state
        words = f"let {self.source} in to port {self.port} ({self.firewall.kind})"
        if self._is_there():
            return None
        chain = self._chain()
        if chain is None or not chain.is_of_iptables:
            return Missing(words)
        line = by_iptables(chain, self.source, self.port)
        reason = (
            f"iptables do not let {self.source} in to port {self.port}, and where their rules are kept is not known"
        )
        return Missing(words, obstacle=by_hand(reason, line))

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """The rule holds at once and after a reboot; nothing is reloaded, which would drop the rules of docker."""
        del state
        record = remembered(Record(self.kind, self.key, component))
        if self.firewall.kind == "ufw":
            return record, RunCommand(("ufw", *_ufw_rule(self.source, self.port), "comment", "gpumon"))
        if self.firewall.kind == "nftables":
            return record, RunCommand(
                ("nft", "insert", "rule", *self.zone.split(":"), *rule_words(self.source, self.port))
            )
        rule = f"--add-rich-rule={_rich_rule(self.source, self.port)}"
        return record, *(RunCommand(argv) for argv in _for_firewalld(rule, self.zone))

    def _is_there(self) -> bool:
        if self.firewall.kind == "ufw":
            source = re.escape(self.source)
            pattern = rf"^### tuple ### allow tcp {self.port} \S+ any {source}(/32|/128)? in"
            return re.search(pattern, self.firewall.rules, re.MULTILINE) is not None
        if self.firewall.kind == "nftables":
            chain = self._chain()
            return chain is not None and chain.has(self.source, self.port)
        told = dict(_told(self.firewall.rules))
        rules = told.get(self.zone, "") if self.zone else self.firewall.rules
        return _rich_rule(self.source, self.port) in rules

    def _chain(self) -> Chain | None:
        """The one of nftables, where it is one of those."""
        chains = closed_chains(self.firewall.rules) if self.firewall.kind == "nftables" else ()
        return next((chain for chain in chains if chain.path == self.zone), None)


def zones(firewall: Firewall) -> tuple[str, ...]:
    """The zones of firewalld in which networks of the machine are; one "" for its default, and for other firewalls."""
    if firewall.kind != "firewalld":
        return ("",)
    found = [name for name, content in _told(firewall.rules) if _is_outer(name, content)]
    return tuple(found) or ("",)


def removing_rule(record: Record) -> tuple[RunCommand, ...]:
    """What closes the way again; a rule that is gone is no failure."""
    firewall, port, source, *zone = record.key.split(" ")
    if firewall == "ufw":
        return (RunCommand(("ufw", "--force", "delete", *_ufw_rule(source, int(port))), ok_codes=(0, 1)),)
    if firewall == "nftables":
        chain = "".join(zone).split(":")
        return (RunCommand(("sh", "-c", _DELETING, "sh", *chain, f'comment "{mark(source, int(port))}" ')),)
    rule = f"--remove-rich-rule={_rich_rule(source, int(port))}"
    return tuple(RunCommand(argv, ok_codes=(0, 12, 112, 252)) for argv in _for_firewalld(rule, "".join(zone)))


_DELETING = """
nft -a list chain "$1" "$2" "$3" 2>/dev/null | while read -r line; do
    case $line in *"$4"*"# handle "*) nft delete rule "$1" "$2" "$3" handle "${line##* }" || exit ;; esac
done
"""
"""Rules of nftables are deleted by their numbers, which each load of them gives anew."""


def _ufw_rule(source: str, port: int) -> tuple[str, ...]:
    return "allow", "proto", "tcp", "from", source, "to", "any", "port", str(port)


def _for_firewalld(rule: str, zone: str) -> tuple[tuple[str, ...], ...]:
    """Now, and for ever."""
    where = (f"--zone={zone}",) if zone else ()
    return ("firewall-cmd", *where, rule), ("firewall-cmd", "--permanent", *where, rule)


def _told(rules: str) -> Iterator[tuple[str, str]]:
    """Each zone with what firewall-cmd says of it."""
    for block in re.split(r"\n(?=\S)", rules):
        head, _, content = block.strip("\n").partition("\n")
        name, _, _ = head.partition(" ")
        if name and content:
            yield name, content


def _is_outer(name: str, content: str) -> bool:
    """True for a zone with interfaces that do not lead to containers, in which not everything is let in anyhow."""
    interfaces = re.search(r"^\s+interfaces: (\S.*)$", content, re.MULTILINE)
    is_open = re.search(r"^\s+target: ACCEPT$", content, re.MULTILINE) is not None
    return interfaces is not None and not is_open and name not in ("docker", "libvirt", "podman")


def _rich_rule(source: str, port: int) -> str:
    """As firewalld itself prints it."""
    family = f"ipv{ipaddress.ip_network(source, strict=False).version}"
    return f'rule family="{family}" source address="{source}" port port="{port}" protocol="tcp" accept'

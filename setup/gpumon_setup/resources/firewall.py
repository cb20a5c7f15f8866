"""A way through a machine's own firewall, from one address to one port."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Firewall, Look, Record, State
from gpumon_setup.host import Action, RunCommand
from gpumon_setup.resources.resource import Missing, remembered


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """TCP from one address to one port is let in; connections that stand already are never looked at."""

    kind: ClassVar[str] = "firewall"
    firewall: Firewall
    """The one in force, as the facts have it: "ufw" or "firewalld"."""
    source: str
    """An IP address, or a network as 10.0.0.0/24."""
    port: int

    @property
    def key(self) -> str:
        """Which firewall, which port, from where."""
        return f"{self.firewall.kind} {self.port} {self.source}"

    def look(self, state: State) -> Look:
        """The rules are known from the start."""
        del state
        return Look()

    def missing(self, state: State) -> Missing | None:
        """No rule of just this port and address; a wider one may be somebody's slip that is mended one day."""
        del state
        words = f"let {self.source} in to port {self.port} ({self.firewall.kind})"
        if self.firewall.kind not in _ADDING:
            obstacle = f"{self.firewall.kind} lets nobody in to port {self.port}, and its rules are not ours to change."
            return Missing(words, obstacle=f"{obstacle} Let {self.source} in there by hand.")
        return None if self._is_there() else Missing(words)

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """The rule holds at once and after a reboot; nothing is reloaded, which would drop the rules of docker."""
        del state
        return remembered(Record(self.kind, self.key, component)), *_ADDING[self.firewall.kind](self.source, self.port)

    def _is_there(self) -> bool:
        if self.firewall.kind == "ufw":
            source = re.escape(self.source)
            pattern = rf"^### tuple ### allow tcp {self.port} \S+ any {source}(/32|/128)? in"
            return re.search(pattern, self.firewall.rules, re.MULTILINE) is not None
        return _rich_rule(self.source, self.port) in self.firewall.rules


def removing_rule(record: Record) -> tuple[RunCommand, ...]:
    """What closes the way again; a rule that is gone is no failure."""
    firewall, port, source = record.key.split(" ")
    if firewall == "ufw":
        return (RunCommand(("ufw", "--force", "delete", *_ufw_rule(source, port)), ok_codes=(0, 1)),)
    rule = f"--remove-rich-rule={_rich_rule(source, int(port))}"
    return (
        RunCommand(("firewall-cmd", rule), ok_codes=(0, 12, 252)),
        RunCommand(("firewall-cmd", "--permanent", rule), ok_codes=(0, 12, 252)),
    )


def _for_ufw(source: str, port: int) -> tuple[RunCommand, ...]:
    return (RunCommand(("ufw", *_ufw_rule(source, str(port)), "comment", "gpumon")),)


def _ufw_rule(source: str, port: str) -> tuple[str, ...]:
    return "allow", "proto", "tcp", "from", source, "to", "any", "port", port


def _for_firewalld(source: str, port: int) -> tuple[RunCommand, ...]:
    rule = f"--add-rich-rule={_rich_rule(source, port)}"
    return RunCommand(("firewall-cmd", rule)), RunCommand(("firewall-cmd", "--permanent", rule))


_ADDING = {"ufw": _for_ufw, "firewalld": _for_firewalld}


def _rich_rule(source: str, port: int) -> str:
    """As firewalld itself prints it."""
    family = f"ipv{ipaddress.ip_network(source, strict=False).version}"
    return f'rule family="{family}" source address="{source}" port port="{port}" protocol="tcp" accept'

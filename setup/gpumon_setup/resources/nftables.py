"""What a ruleset of nftables lets in, as far as its text says; nobody's rules are changed here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

_CHAIN = re.compile(r"\s*chain (\S+) \{")
_TABLE = re.compile(r"table (\S+) (\S+) \{")
_FROM = re.compile(r"\bip6? saddr (\{[^}]*\}|\S+)")
_PORT = re.compile(r"\b(?:tcp|th) dport (\{[^}]*\}|\S+)")
_OTHERWISE = re.compile(r"\b(iif|iifname|oif|oifname|meta|ct|icmp|icmpv6|daddr|udp|sport)\b|saddr !=|dport !=|limit|@")
"""Words that make a rule hold for less than all new connections over TCP."""


def lets_in(rules: str, source: str, port: int) -> bool:
    """True when a rule surely accepts new connections from there to the port."""
    return any(_accepts(line, ipaddress.ip_network(source, strict=False), port) for line in rules.splitlines())


def opening_line(rules: str, source: str, port: int) -> str:
    """What a person types to let it in, in the words of whatever wrote the rules."""
    family = "ip6" if ":" in source else "ip"
    if "managed by iptables-nft" in rules:
        return f"ip{'6' if ':' in source else ''}tables -I INPUT -p tcp -s {source} --dport {port} -j ACCEPT"
    where = next(_input_chains(rules), "inet filter input")
    return f'nft insert rule {where} {family} saddr {source} tcp dport {port} accept comment "gpumon"'


def _accepts(line: str, source: ipaddress.IPv4Network | ipaddress.IPv6Network, port: int) -> bool:
    if not re.search(r"\baccept\b", line) or _OTHERWISE.search(line):
        return False
    wanted_from, wanted_port = _FROM.search(line), _PORT.search(line)
    if wanted_from is None and wanted_port is None:
        return False  # a policy, or a rule about something else
    return (wanted_from is None or any(_holds(part, source) for part in _parts(wanted_from[1]))) and (
        wanted_port is None or any(_spans(part, port) for part in _parts(wanted_port[1]))
    )


def _parts(text: str) -> list[str]:
    """The elements of a set, or the one value."""
    return [part.strip() for part in text.strip("{} ").split(",")]


def _holds(network: str, source: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        outer = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
    if isinstance(outer, ipaddress.IPv4Network):
        return isinstance(source, ipaddress.IPv4Network) and source.subnet_of(outer)
    return isinstance(source, ipaddress.IPv6Network) and source.subnet_of(outer)


def _spans(ports: str, port: int) -> bool:
    first, _, last = ports.partition("-")
    return first.isdigit() and (last or first).isdigit() and int(first) <= port <= int(last or first)


def _input_chains(rules: str) -> Iterator[str]:
    """The chains that drop what nobody lets in, with their tables."""
    table = chain = ""
    for line in rules.splitlines():
        if found := _TABLE.match(line):
            table = f"{found[1]} {found[2]}"
        elif found := _CHAIN.match(line):
            chain = found[1]
        elif "hook input" in line and "policy drop" in line:
            yield f"{table} {chain}".strip()

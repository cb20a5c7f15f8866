"""What a ruleset of nftables lets in, as far as its text says, and where a rule must stand to let more in.

A packet passes every chain that hooks its way in, one after the other: what one of them drops is dropped, and what one
accepts still has to pass the others. So a rule of ours stands at the head of each chain that would drop it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

_TABLE = re.compile(r"table (ip|ip6|inet) (\S+) \{")
_CHAIN = re.compile(r"\s*chain (\S+) \{")
_HOOK = re.compile(r"\s*type filter hook input priority .*?(?:policy (\w+);)?$")
_FROM = re.compile(r"\bip6? saddr (\{[^}]*\}|[0-9a-f][^\s,]*)")
_PORT = re.compile(r"\b(?:tcp|th) dport (\{[^}]*\}|[0-9-]+)")
_IDLE = re.compile(
    r'\bcounter packets \d+ bytes \d+|\b(meta l4proto|ip protocol|ip6 nexthdr) (6|tcp)\b|\bcomment ".*"$'
)
"""Words that leave a rule holding for all new connections over TCP."""
_ENDS = re.compile(r"\b(drop|reject|jump|goto|queue)\b")
"""Words by which a rule may take a packet away from those behind it."""
_STATES = "(invalid|established|related)"
_HARMLESS = re.compile(rf"\bct state {_STATES}(,{_STATES})*(?![,\w])|\b(icmp|icmpv6|udp|ipv6-icmp)\b")
"""Words of rules that never meet a new connection over TCP."""
_CLOSING = re.compile(r"^(counter( packets \d+ bytes \d+)? )?(log .*)?(drop( comment .*)?|reject.*)$")
"""A rule that lets nothing through."""
OURS = "gpumon"
"""Begins the comment of each rule of ours."""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain that hooks what comes in, and drops what nobody lets in."""

    family: str
    table: str
    name: str
    rules: tuple[str, ...] = ()
    is_of_iptables: bool = False
    """True where the commands of iptables write it, and nft must not."""

    @property
    def path(self) -> str:
        """Family, table and name, without blanks; no name of nftables has a colon."""
        return f"{self.family}:{self.table}:{self.name}"

    def sees(self, source: str) -> bool:
        """True when packets from there pass it."""
        return self.family in ("inet", _family(source))

    def lets_in(self, source: str, port: int) -> bool:
        """True when somebody's rule surely accepts new connections from there to the port; ours do not count."""
        wanted = ipaddress.ip_network(source, strict=False)
        for rule in self.rules:
            if f'comment "{OURS} ' in rule:
                continue
            if _accepts(rule, wanted, port):
                return True
            end = _ENDS.search(rule)
            if end is not None and not _HARMLESS.search(rule[: end.start()]):
                return False
        return False

    def has(self, source: str, port: int) -> bool:
        """True when our own rule is there."""
        return any(rule.endswith(f'comment "{mark(source, port)}"') for rule in self.rules)


def mark(source: str, port: int) -> str:
    """The comment of a rule of ours, by which it is found again however nft writes its words."""
    return f"{OURS} {port} {source}"


def rule_words(source: str, port: int) -> tuple[str, ...]:
    """A rule of ours, word by word, as nft takes it."""
    return _family(source), "saddr", source, "tcp", "dport", str(port), "accept", "comment", f'"{mark(source, port)}"'


def closed_chains(ruleset: str) -> tuple[Chain, ...]:
    """Every chain that a packet for this machine has to pass, and that drops what it does not know."""
    return tuple(chain for chain, policy in _chains(ruleset) if policy == "drop" or any(map(_closes, chain.rules)))


def by_iptables(chain: Chain, source: str, port: int) -> str:
    """What a person types to let it in where iptables writes the rules."""
    return f"ip{'6' if ':' in source else ''}tables -I {chain.name} -p tcp -s {source} --dport {port} -j ACCEPT"


def by_nft(rules: Iterable[tuple[Chain, str, int]]) -> str:
    """What a person types to let them in: chains, addresses and ports."""
    ways: dict[tuple[str, str], list[str]] = {}
    for chain, source, port in rules:
        ways.setdefault((chain.path.replace(":", " "), source), []).append(str(port))
    return "; ".join(
        f"nft 'insert rule {where} {_family(source)} saddr {source} tcp dport {{ {', '.join(ports)} }} accept'"
        for (where, source), ports in ways.items()
    )


def by_hand(reason: str, lines: str) -> str:
    """What is said where a person has to do it."""
    return (
        f"{reason}. Let the master in by hand, now and where your rules are kept: {lines}. "
        'If it is let in by other words: [setup] without = ["firewall"].'
    )


def _family(source: str) -> str:
    return "ip6" if ":" in source else "ip"


def _chains(ruleset: str) -> Iterator[tuple[Chain, str]]:
    """The base chains of what comes in, with their policies."""
    table, warned, chain, policy = ("", ""), "", None, ""
    for line in ruleset.splitlines():
        if line.startswith("# Warning: table ") and "iptables" in line:
            warned = " ".join(line.split()[3:5])
        elif found := _TABLE.match(line):
            table = (found[1], found[2])
        elif line.startswith("table "):
            table = ("", "")
        elif (found := _CHAIN.match(line)) and table[0]:
            is_of_iptables = warned == " ".join(table) and found[1].isupper()
            chain, policy = Chain(*table, found[1], is_of_iptables=is_of_iptables), ""
        elif chain is not None and line.strip() == "}":
            if policy:
                yield chain, policy
            chain = None
        elif chain is not None and (found := _HOOK.match(line)):
            policy = found[1] or "accept"
        elif chain is not None and line.strip():
            chain = replace(chain, rules=(*chain.rules, line.strip()))


def _closes(rule: str) -> bool:
    return _CLOSING.match(rule) is not None


def _accepts(rule: str, source: ipaddress.IPv4Network | ipaddress.IPv6Network, port: int) -> bool:
    rest = _IDLE.sub("", _PORT.sub("", _FROM.sub("", rule)))
    if rest.split() != ["accept"]:
        return False
    wanted_from, wanted_port = _FROM.search(rule), _PORT.search(rule)
    return (wanted_from is None or any(_holds(part, source) for part in _parts(wanted_from[1]))) and (
        wanted_port is None or any(_spans(part, port) for part in _parts(wanted_port[1]))
    )


def _parts(text: str) -> Sequence[str]:
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

"""A first [setup], from what Slurm or /etc/hosts knows, for a person to read before it is used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from gpumon_setup.inventory.hostlist import NoHostlist, expanded

_LOOPBACK = re.compile(r"127\.|::1$|fe00::|ff0[02]::")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a first [setup] says."""

    master: str
    nodes: tuple[str, ...]
    addresses: tuple[tuple[str, str], ...] = ()
    """Of machines whose name may not resolve here."""
    is_local: bool = False
    source: str = ""
    """Where it comes from, for the comment above it."""

    def text(self) -> str:
        """As TOML."""
        lines = [
            f"# Written by `gpumon setup init` from {self.source}: read it before you use it.",
            "[setup]",
            f'master = "{self.master}"',
            *(["# gpumon runs on the master itself: no SSH leads there.", "local = true"] if self.is_local else []),
            f"nodes = [{', '.join(f'{chr(34)}{part}{chr(34)}' for part in folded(self.nodes))}]",
            '#user = "ops"',
            '#jump = "ann@gate.example.org"',
        ]
        for name, address in self.addresses:
            lines += ["", f"[setup.machines.{_key(name)}]", f'address = "{address}"']
        return "\n".join(lines) + "\n"


def from_slurm(text: str, master: str, *, is_local: bool) -> Draft:
    """From `scontrol -o show nodes`: every node that is not gone for good."""
    nodes: list[str] = []
    addresses: list[tuple[str, str]] = []
    for line in text.splitlines():
        fields: dict[str, str] = dict(re.findall(r"(\w+)=(\S*)", line))
        name = fields.get("NodeName", "")
        if not _is_name(name) or "FUTURE" in fields.get("State", ""):
            continue
        nodes.append(name)
        address = fields.get("NodeAddr", name)
        if address not in (name, fields.get("NodeHostName", name), "(null)") and re.fullmatch(r"[\w.:-]+", address):
            addresses.append((name, address))
    return Draft(master, tuple(nodes), tuple(addresses), is_local, "Slurm")


def from_hosts(text: str, master: str, *, is_local: bool) -> Draft:
    """From the lines of an /etc/hosts: every machine but this one and the loopback's names."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) < 2 or _LOOPBACK.match(words[0]):
            continue
        name = min(words[1:], key=lambda word: ("." in word, len(word)))
        if _is_name(name) and name != master:
            found.setdefault(name, words[0])
    return Draft(master, tuple(found), tuple(found.items()), is_local, "/etc/hosts")


def folded(names: Sequence[str]) -> tuple[str, ...]:
    """Names as hostlists, a range for those that count up: gpu01 to gpu16 as gpu[01-16]."""
    parts: list[str] = []
    for (head, width), group in groupby(names, key=_head):
        numbers = [name[len(head) :] for name in group]
        if width is None:
            parts.extend(head for _ in numbers)
            continue
        ranges = ",".join(_ranges(numbers))
        parts.append(f"{head}[{ranges}]" if len(numbers) > 1 else f"{head}{numbers[0]}")
    return tuple(parts)


def _head(name: str) -> tuple[str, int | None]:
    """What stands before its number, and how many digits that has; None without one."""
    match = re.fullmatch(r"(.*?)([0-9]{1,9})", name)
    if match is None:
        return name, None
    return match[1], len(match[2])


def _ranges(numbers: Iterable[str]) -> Iterable[str]:
    for _, group in groupby(enumerate(numbers), key=lambda entry: int(entry[1]) - entry[0]):
        run = [number for _, number in group]
        yield run[0] if len(run) == 1 else f"{run[0]}-{run[-1]}"


def _is_name(name: str) -> bool:
    try:
        return expanded(name) == (name,)
    except NoHostlist:
        return False


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("_", "").isalnum() else f'"{name}"'

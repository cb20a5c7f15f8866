"""All nodes with what of them is in use, from one sinfo."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm.gres import Gres, parse
from gpumon_exporter.slurm.records import NodeGpus, SlurmNode
from gpumon_exporter.slurm.spelling import count, size, when, word
from gpumon_exporter.slurm.tables import Table, columns

FIELDS = (
    "NodeList", "PartitionName", "StateComplete", "CPUsState", "Memory", "AllocMem", "Gres", "GresUsed", "Features",
    "TimeStamp", "User", "Reason",
)  # fmt: skip
_FLAGS = {"maintenance": "maint"}
_NOBODY = ("Unknown", "(null)")
_NUMBERED = re.compile(r"\bgpu:[^,(]*\(IDX:")
"""Also N/A, when none is in use."""


@dataclass(frozen=True)
class Machines:
    """What sinfo says."""

    nodes: tuple[SlurmNode, ...]
    unnumbered: frozenset[str]
    """Nodes of whose GPUs it does not say which ones are in use, not even that none is."""


def command(token: str) -> list[str]:
    """The command whose answer `answer` takes: a record for each node in each of its partitions."""
    return ["sinfo", "-a", "-h", "-N", "--local", "--noconvert", "-O", columns(FIELDS, token)]


def answer(token: str) -> Table[Machines]:
    """Takes the answer of such a sinfo."""
    reader = _Reader()
    return Table(len(FIELDS), token, reader.take, reader.machines)


class _Reader:
    """Puts the partitions of each node together."""

    def __init__(self) -> None:
        self._nodes: dict[str, SlurmNode] = {}
        self._unnumbered: set[str] = set()

    def take(self, row: Sequence[str]) -> None:
        """Takes one record."""
        told: dict[str, str] = dict(zip(FIELDS, (field.strip() for field in row)))
        name, partition = told["NodeList"], told["PartitionName"]
        known = self._nodes.get(name)
        if known is None:
            self._nodes[name] = _node(told)
            if not _NUMBERED.search(told["GresUsed"]):
                self._unnumbered.add(name)
        elif partition not in known.partitions:
            self._nodes[name] = replace(known, partitions=(*known.partitions, partition))

    def machines(self) -> Machines:
        """All of them."""
        return Machines(tuple(self._nodes.values()), frozenset(self._unnumbered))


def _node(told: dict[str, str]) -> SlurmNode:
    state, *flags = told["StateComplete"].lower().split("+")
    cpus = [count(number) for number in told["CPUsState"].split("/")]
    if len(cpus) != 4 or None in cpus:
        raise NoAnswer(f"sinfo tells of CPUs {told['CPUsState']!r}")
    allocated, idle, other, total = (int(number or 0) for number in cpus)
    has, uses = parse(told["Gres"]), parse(told["GresUsed"])
    if state == "allocated" and other:
        state = "mixed"  # up to 22.05 sinfo calls a draining node so when jobs hold but a part of it; scontrol does not
    reason = "" if told["Reason"] == "none" else told["Reason"]
    return SlurmNode(
        name=told["NodeList"],
        state=state,
        flags=tuple(_FLAGS.get(flag, flag) for flag in flags),
        reason=reason,
        reason_user=told["User"] if reason and told["User"] not in _NOBODY else "",
        features=word(told["Features"]),
        state_since=when(told["TimeStamp"]),
        partitions=(told["PartitionName"],),
        cpus=total,
        cpus_allocated=allocated,
        cpus_idle=idle,
        cpus_other=other,
        memory_bytes=size(told["Memory"]),
        memory_allocated_bytes=size(told["AllocMem"]),
        gpus=_gpus(has, uses),
        shards=sum(one.count for one in has if one.name == "shard"),
        shards_allocated=_shards(uses),
    )


def _shards(uses: Iterable[Gres]) -> int | None:
    """Shards in use; None when Slurm counts their cards instead, as up to 23.02."""
    used = [one for one in uses if one.name == "shard" and one.count]
    return None if any(one.is_by_card for one in used) else sum(one.count for one in used)


def _gpus(has: Sequence[Gres], uses: Sequence[Gres]) -> tuple[NodeGpus, ...]:
    """GPUs by type; what is in use of a type that the node does not have is not told."""
    total = _by_type(has)
    used = _by_type(uses)
    shared = _shared(total, uses)
    return tuple(NodeGpus(kind, number, used.get(kind, 0), shared.get(kind, 0)) for kind, number in total.items())


def _by_type(found: Iterable[Gres]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for one in found:
        if one.name == "gpu" and one.count:
            numbers[one.type] = numbers.get(one.type, 0) + one.count
    return numbers


def _shared(total: dict[str, int], uses: Iterable[Gres]) -> dict[str, int]:
    """Cards by type of which shards are in use; shards without a type lie on the cards in their order."""
    shared: dict[str, int] = {}
    order = [kind for kind, number in total.items() for _ in range(number)]
    for one in uses:
        if one.name == "shard":
            for place in one.indices or ():
                kind = one.type if one.type in total else order[place] if place < len(order) else ""
                shared[kind] = shared.get(kind, 0) + 1
    return shared

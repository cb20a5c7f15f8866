"""Who holds each GPU: dcgm-exporter's own word, Slurm's allocation, or another exporter's, the surest that there is.

Slurm says that a job holds number 3 of a node. Which card that is the node's own map tells; without a map the number
is taken for the driver's, unless it cannot be: MIG slices have numbers of their own. What stays open is not guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import msgspec

from gpumon.model import Attribution, NodeSlurm
from gpumon.reading.jobs import Holds
from gpumon.reading.places import GpuMap, Keys, NodeCards

Jobs = tuple[str, ...]
"""Ids of jobs in order; () is nobody."""


class Counted(NamedTuple):
    """GPUs of a node as Slurm counts them: slices where it gives out slices."""

    total: float | None
    allocated: float | None
    shared: float
    """Of which only shards are held."""

    @classmethod
    def of(cls, node: NodeSlurm) -> Counted:
        """What Slurm says of a node."""
        return cls(node.gpus_total, node.gpus_allocated, sum(count.shared for count in node.gpus_by_type))


_NOBODY: frozenset[str] = frozenset()


class Told(msgspec.Struct, frozen=True):
    """Everything that is known of who holds what; nodes by one name each."""

    cards: Mapping[str, NodeCards]
    """By node."""
    labels: Mapping[str, Jobs]
    """By GPU, the jobs that dcgm-exporter names, as far as nothing is known against them."""
    stray: Mapping[str, Jobs]
    """By GPU, those that it names alone and that Slurm does not know."""
    holds: Callable[[str], Holds]
    """What Slurm's allocation says of a node."""
    map: GpuMap
    nodes: Mapping[str, Counted] | None = None
    """How many GPUs of each node are held; None when no exporter tells that."""
    are_jobs_told: bool = False
    are_all_jobs_told: bool = False
    """False when a job may hold something and is not told."""
    unplaced: Mapping[str, frozenset[str]] = msgspec.field(default_factory=dict[str, "frozenset[str]"])
    """By node, the jobs that hold GPUs of which Slurm did not tell which ones, perhaps there."""
    of_gpus: Mapping[str, Jobs] = msgspec.field(default_factory=dict[str, Jobs])
    """By GPU, what jobstats' exporter says."""
    of_nodes: Mapping[str, Jobs] = msgspec.field(default_factory=dict[str, Jobs])
    """By node, the jobs that soperator's exporter puts there."""


class Conflict(msgspec.Struct, frozen=True):
    """dcgm-exporter says that a job holds a GPU; by Slurm's numbers the same job holds others on the same node."""

    node: str
    key: str
    labelled: str
    """The job that dcgm-exporter names."""
    by_number: Jobs
    """Those that hold it by Slurm's numbers."""
    way: Attribution
    """How the numbers were understood: by a map, or as the driver's."""


class Holders(msgspec.Struct, dict=True):
    """The answer, filled node by node."""

    order: Sequence[str] = ()
    """All GPUs, in the order of the cluster."""
    by_gpu: dict[str, Jobs] = msgspec.field(default_factory=dict[str, Jobs])
    """() for a GPU that is known to be free; one of which nothing is known is not in it."""
    ways: dict[str, Attribution] = msgspec.field(default_factory=dict[str, Attribution])
    """How that is known."""
    conflicts: dict[str, Sequence[Conflict]] = msgspec.field(default_factory=dict[str, Sequence[Conflict]])
    """By node."""
    open_nodes: set[str] = msgspec.field(default_factory=set[str])
    """Nodes with GPUs of which it is not known who holds them, because Slurm's numbers do not say which they are."""

    def put(self, keys: Iterable[str], jobs: Iterable[str], way: Attribution) -> None:
        """Takes in who holds some GPUs."""
        ids = tuple(sorted(jobs))
        for key in keys:
            self.by_gpu[key], self.ways[key] = ids, way

    def forget(self, node: str, keys: Iterable[str]) -> None:
        """Leaves open again who holds the GPUs of a node."""
        for key in keys:
            self.by_gpu.pop(key, None)
            self.ways.pop(key, None)
        self.conflicts.pop(node, None)
        self.open_nodes.discard(node)

    @cached_property
    def by_job(self) -> Mapping[str, Keys]:
        """The GPUs of each job, in the order of the cluster."""
        found: dict[str, list[str]] = {}
        for key in self.order:
            for job in self.by_gpu.get(key, ()):
                found.setdefault(job, []).append(key)
        return {job: tuple(keys) for job, keys in found.items()}


def trusted(
    labels: Mapping[str, Iterable[str]], alive: frozenset[str] | None
) -> tuple[dict[str, Jobs], dict[str, Jobs]]:
    """By GPU, which of the jobs that dcgm-exporter names can be, and apart from them those that Slurm does not know.

    `alive` are the jobs that Slurm knows; None when it does not tell all of them.
    """
    known: dict[str, Jobs] = {}
    stray: dict[str, Jobs] = {}
    for key, named in labels.items():
        living = [job for job in named if alive is None or job in alive]
        (known if living else stray)[key] = tuple(sorted(living or named))
    return known, stray


def changed_nodes(told: Told, before: Told | None) -> set[str]:
    """The nodes of which something else is told than before, but for what Slurm's allocation says of them."""
    if before is None or _speaks_of_all(told) != _speaks_of_all(before) or told.cards is not before.cards:
        return set(told.cards)
    keys = {
        *_differing(told.labels, before.labels),
        *_differing(told.stray, before.stray),
        *_differing(told.of_gpus, before.of_gpus),
    }
    nodes = {
        *_differing(told.nodes or {}, before.nodes or {}),
        *_differing(told.unplaced, before.unplaced),
        *_differing(told.of_nodes, before.of_nodes),
    }
    return nodes | {name for name, cards in told.cards.items() if not keys.isdisjoint(cards.keys)} if keys else nodes


def _speaks_of_all(told: Told) -> tuple[object, ...]:
    """What matters for every node."""
    homeless = told.unplaced.get("")
    return told.map, told.nodes is None, told.are_jobs_told, told.are_all_jobs_told, homeless


def _differing(one: Mapping[str, object], other: Mapping[str, object]) -> set[str]:
    """The keys under which there is not the same."""
    if one == other:
        return set()
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def holders(told: Told, nodes: Iterable[str], before: Holders) -> Holders:
    """Who holds each GPU, as far as anything tells: of `nodes` as it is told, of the others as it was before."""
    order = [key for cards in told.cards.values() for key in cards.keys]
    found = Holders(order, dict(before.by_gpu), dict(before.ways), dict(before.conflicts), set(before.open_nodes))
    for name in nodes:
        cards = told.cards.get(name)
        if cards is not None:
            found.forget(name, cards.keys)
            _Node(name, cards, told, found).settle()
    return found


class _Node:
    """One node on the way to the answer: the surest source speaks first, and what is settled stays."""

    def __init__(self, name: str, cards: NodeCards, told: Told, found: Holders) -> None:
        self.name = name
        self.cards = cards
        self.told = told
        self.found = found
        self.holds = told.holds(name)
        self.counted = told.nodes.get(name) if told.nodes is not None else None
        self.way = Attribution.UUID if name in told.map.cards else Attribution.INDEX
        self.labelled = [(key, told.labels[key]) for key in cards.keys if key in told.labels] if told.labels else []
        self.numbers = self._understood()

    @property
    def open(self) -> list[str]:
        """The GPUs that are not settled yet."""
        settled = self.found.by_gpu
        return [key for key in self.cards.keys if key not in settled]

    def settle(self) -> None:
        """Asks one source after another until all GPUs are settled or no source is left."""
        if self.labelled:
            self._by_label()
        if self.holds:
            self._by_number()
        for source in (self._wholly, self._by_gpu_exporter, self._free, self._by_node_exporter, self._by_stray_label):
            left = self.open
            if not left:
                return
            source(left)
        if len(self.numbers) < len(self.holds) and self.open:
            self.found.open_nodes.add(self.name)

    def _understood(self) -> dict[str, Keys]:
        """The GPUs that Slurm's numbers mean: () for one that the driver does not show, none for an unknown number."""
        if self.way is Attribution.UUID:
            numbers = self.told.map.cards[self.name]
            return {
                number: self.told.map.keys(self.name, number, self.cards)
                for number in self.holds
                if any(numbers.get(number, ()))
            }
        if not self._counts_as_the_driver():
            return {}
        return {number: self.cards.by_number[number] for number in self.holds if number in self.cards.by_number}

    def _counts_as_the_driver(self) -> bool:
        """Whether Slurm's numbers can be the driver's: both know as many GPUs, and no slice is counted."""
        if not self.cards.is_numbered or any("mig" in jobs.values() for jobs in self.holds.values()):
            return False
        total = self.counted.total if self.counted else None
        return not self.cards.is_cut if total is None else total == len(self.cards.by_card)

    def _by_label(self) -> None:
        for key, named in self.labelled:
            self.found.put((key,), named, Attribution.LABEL)

    def _by_number(self) -> None:
        jobs_of: dict[str, set[str]] = {}
        for number, keys in self.numbers.items():
            for key in keys:
                jobs_of.setdefault(key, set()).update(self.holds[number])
        conflicts = [*self._conflicts(jobs_of)] if self.labelled and jobs_of else []
        if conflicts:
            self.found.conflicts[self.name] = conflicts
            if self.way is Attribution.INDEX:
                self.numbers = {}
                return  # the numbers of this node mean other cards
        settled = self.found.by_gpu
        for key, jobs in jobs_of.items():
            if key not in settled:
                self.found.put((key,), jobs, self.way)

    def _conflicts(self, jobs_of: Mapping[str, set[str]]) -> Iterable[Conflict]:
        """An allocation never changes in a job's life, so this is no matter of who was read first."""
        here: dict[str, list[str]] = {}
        for number, jobs in self.holds.items():
            for job in jobs:
                here.setdefault(job, []).append(number)
        for key, named in self.labelled:
            by_number = jobs_of.get(key, set[str]())
            for job in named:
                is_seen = all(self.numbers.get(number) for number in here.get(job, ()))
                if job in here and is_seen and job not in by_number:
                    yield Conflict(self.name, key, job, tuple(sorted(by_number)), self.way)

    def _wholly(self, left: Sequence[str]) -> None:
        """All GPUs are held, and one job is the only one that can hold them."""
        counted = self.counted
        if (
            counted is None
            or not self.told.are_all_jobs_told
            or not counted.total
            or counted.allocated != counted.total
        ):
            return
        candidates = {job for jobs in self.holds.values() for job in jobs} | self.told.unplaced.get(self.name, _NOBODY)
        others = {job for key in self.cards.keys for job in self.found.by_gpu.get(key, ())} - candidates
        if len(candidates) == 1 and not others:
            self.found.put(left, candidates, Attribution.NODE)

    def _by_gpu_exporter(self, left: Sequence[str]) -> None:
        for key in left:
            jobs = self.told.of_gpus.get(key)
            if jobs is not None:
                self.found.put((key,), jobs, Attribution.JOB_EXPORTER)

    def _free(self, left: Sequence[str]) -> None:
        """The rest is free when everything that is held was found."""
        if not self._are_all_found():
            return
        is_labelled = self.way is Attribution.INDEX and any(
            self.found.ways.get(key) is Attribution.LABEL for key, _ in self.labelled
        )
        self.found.put(left, (), Attribution.LABEL if is_labelled else self.way)

    def _are_all_found(self) -> bool:
        if self.told.nodes is None:
            is_placed = not {self.name, ""} & self.told.unplaced.keys() and len(self.numbers) == len(self.holds)
            return self.told.are_all_jobs_told and is_placed
        if self.counted is None or self.counted.allocated is None:
            return False
        return max(len(self.numbers), self._held_units()) >= self.counted.allocated + self.counted.shared

    def _held_units(self) -> int:
        """GPUs that somebody holds for sure, as Slurm counts: cards where it gives out cards, else slices."""
        by_gpu, by_card = self.found.by_gpu, self.cards.by_card.values()
        if self.counted is not None and self.counted.total == len(by_card):
            return sum(any(by_gpu.get(key) for key in keys) for keys in by_card)
        return sum(bool(by_gpu.get(key)) for key in self.cards.keys)

    def _by_node_exporter(self, left: Sequence[str]) -> None:
        jobs = self.told.of_nodes.get(self.name, ())
        if len(jobs) == 1 and not self.told.are_all_jobs_told:
            self.found.put(left, jobs, Attribution.JOB_EXPORTER)

    def _by_stray_label(self, left: Sequence[str]) -> None:
        """A job that has ended, or that is not told: better than nothing."""
        for key in left:
            named = self.told.stray.get(key)
            if named:
                self.found.put((key,), named, Attribution.LABEL)

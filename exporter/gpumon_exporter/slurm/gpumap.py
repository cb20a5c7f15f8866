"""The map from jobs to GPUs: asked for when a job starts, and remembered for as long as it holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm import details
from gpumon_exporter.slurm.commands import Commands, Whole
from gpumon_exporter.slurm.details import Allocation, Held
from gpumon_exporter.slurm.queue import Queue
from gpumon_exporter.slurm.records import GpuHold, SlurmJob
from gpumon_exporter.slurm.seldom import Budget

FEW = 40
"""New jobs that are rather asked for one by one: that costs slurmctld next to nothing, however long its queue is."""
EACH_SECONDS = 3.0
"""How long that may take in one reading; the rest comes with the next ones."""
MANY_PAUSE_SECONDS = 60.0
"""Between two readings of all jobs as JSON, for which slurmctld walks over its queue once more."""
MOST_RECORDS = 5_000
"""A longer queue is not read as JSON with a squeue that cannot leave the waiting jobs out: it needs 50 kB for each."""
SINCE_FILTER = (24, 5, 1)
"""The release from which on it can."""

_GONE = "Invalid job id"
"""What scontrol complains of when a job ended meanwhile."""


@dataclass(frozen=True)
class GpuMap:
    """Who holds what."""

    holds: tuple[GpuHold, ...]
    unknown: int
    """Jobs with GPUs, or shards of them, of which it is not known which ones."""
    shards: Mapping[str, int]
    """Shards of the known jobs by node."""


class Cartographer:
    """Knows what each running job holds, and asks for what it does not know."""

    def __init__(self, commands: Commands, passed: Callable[[], float]) -> None:
        self._commands = commands
        self._passed = passed
        self._known: dict[Allocation, Held] = {}
        self._refused: set[Allocation] = set()
        """Those of which scontrol's text is not to be trusted."""
        self._asked_all = float("-inf")

    def drawn(self, queue: Queue, release: tuple[int, ...], budget: Budget) -> GpuMap:
        """The map of the jobs that hold something now."""
        holders = {Allocation.of(job): job for job in queue.holders}
        self._known = {place: held for place, held in self._known.items() if place in holders}
        self._refused.intersection_update(holders)
        self._learn(holders, queue.records, release, budget)
        return self._map(holders)

    def _learn(
        self, holders: dict[Allocation, SlurmJob], records: int, release: tuple[int, ...], budget: Budget
    ) -> None:
        """Asks for the new ones: one by one when they are few, and of all jobs when they are many or hide something."""
        new = [place for place in holders if place not in self._known and place not in self._refused]
        if budget.is_left() and (len(new) <= FEW or not self._may_ask_all(records, release)):
            with suppress(NoAnswer):
                self._ask_each([holders[place] for place in new])
        is_open = any(place not in self._known for place in holders)
        if is_open and budget.is_left() and self._may_ask_all(records, release):
            with suppress(NoAnswer):
                self._ask_all(holders)

    def _may_ask_all(self, records: int, release: tuple[int, ...]) -> bool:
        is_time = self._passed() - self._asked_all >= MANY_PAUSE_SECONDS
        return is_time and (release >= SINCE_FILTER or records <= MOST_RECORDS)

    def _ask_each(self, jobs: Sequence[SlurmJob]) -> None:
        until = self._passed() + EACH_SECONDS
        for job in jobs:
            if self._passed() > until:
                return
            answer = Whole(partial(details.from_text, job))
            held = self._commands.ask("scontrol show job", details.one(job), answer, forgives=_GONE)
            if held is None:
                self._refused.add(Allocation.of(job))
            else:
                self._known[Allocation.of(job)] = held

    def _ask_all(self, holders: dict[Allocation, SlurmJob]) -> None:
        """Reads JSON of all jobs; whoever is not in there is not asked for again."""
        self._asked_all = self._passed()
        found: dict[Allocation, Held] = {}

        def take(place: Allocation, held: Held) -> None:
            if place in holders:
                found[place] = held

        self._commands.ask("squeue --json", details.MANY, details.Jobs(take), most=details.MANY_BYTES)
        for place in holders:
            self._known.setdefault(place, found.get(place, Held()))

    def _map(self, holders: dict[Allocation, SlurmJob]) -> GpuMap:
        holds: list[GpuHold] = []
        shards: dict[str, int] = {}
        unknown = 0
        for place in holders:
            held = self._known.get(place, Held())
            unknown += not held.gpus
            holds.extend(held.gpus)
            for node, number in held.shards:
                shards[node] = shards.get(node, 0) + number
        return GpuMap(tuple(holds), unknown, shards)

"""What a running job does to its hardware, tick by tick: a lead-in, then a cycle without end, with exact integrals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from enum import IntEnum
from itertools import accumulate
from typing import NamedTuple

from gpumon_demo.clockwork import TICK_SECONDS


class Kind(IntEnum):
    """What kind of work a job is."""

    TRAIN = 0
    FINETUNE = 1
    SERVE = 2
    SIMULATE = 3
    STARVED = 4
    """Waits for its data most of the time."""
    INTERACTIVE = 5
    """Somebody holds GPUs and thinks."""
    CPU = 6
    STUCK = 7
    """Trained, and then waits for ever for a process that died."""


class Activity(NamedTuple):
    """What a job does in one tick; shares run from 0 to 1."""

    busy: float = 0.0
    """GPU utilization."""
    sm: float = 0.0
    tensor: float = 0.0
    dram: float = 0.0
    power: float = 0.0
    """Of what lies between idle and the power limit."""
    memory: float = 0.0
    """Of the framebuffer, and of the memory that was asked for."""
    cpu: float = 0.0
    """Of the CPUs it holds."""
    read: float = 0.0
    """From disk, bytes per second for each GPU (or each CPU-only part)."""
    written: float = 0.0
    received: float = 0.0
    """From the network, likewise."""
    sent: float = 0.0
    link: float = 0.0
    """Over NVLink, bytes per second in each direction."""


RESTING = Activity()


def mixed(parts: Iterable[tuple[Activity, float]]) -> Activity:
    """What several do on one GPU of which each has a part."""
    summed = [0.0] * len(Activity._fields)
    for activity, part in parts:
        summed = [total + value * part for total, value in zip(summed, activity, strict=True)]
    return Activity(*summed)


_SUMMED = ("power", "cpu", "read", "written", "received", "sent")


class Sums(NamedTuple):
    """Integrals over time of what counters count: share-seconds and bytes."""

    power: float = 0.0
    cpu: float = 0.0
    read: float = 0.0
    written: float = 0.0
    received: float = 0.0
    sent: float = 0.0

    def plus(self, other: Sums, factor: float = 1.0) -> Sums:
        """Both added up, the other one `factor` times."""
        return Sums(
            self.power + other.power * factor,
            self.cpu + other.cpu * factor,
            self.read + other.read * factor,
            self.written + other.written * factor,
            self.received + other.received * factor,
            self.sent + other.sent * factor,
        )


_LIVELY = 0.02
"""Less than this nobody adds to a GPU that is more than idle, not as one of four who share it either."""


class Rhythm:
    """A lead-in and a cycle."""

    def __init__(self, lead: list[Activity], cycle: list[Activity]) -> None:
        self._ticks = [*lead, *cycle]
        self._lead, self._cycle = len(lead), len(cycle)
        columns: list[list[float]] = [
            [0.0, *accumulate(getattr(tick, name) * TICK_SECONDS for tick in self._ticks)] for name in _SUMMED
        ]
        self._sums = [Sums(*row) for row in zip(*columns, strict=True)]
        self._powers = columns[0]
        lively = [place for place, tick in enumerate(self._ticks) if tick.busy >= _LIVELY]
        self._lively_lead = [place for place in lively if place < self._lead]
        self._lively_cycle = [place - self._lead for place in lively if place >= self._lead]
        self._whole_cycle = self._sums[-1].plus(self._sums[self._lead], -1.0)

    def lively_before(self, age_seconds: int) -> int | None:
        """The last tick before that age at which more than hardly anything was done; None when there was none."""
        tick = -(-age_seconds // TICK_SECONDS)
        if tick > self._lead and self._lively_cycle:
            cycles, rest = divmod(tick - self._lead, self._cycle)
            place = bisect_left(self._lively_cycle, rest)
            cycles -= not place
            if cycles >= 0:
                return (self._lead + cycles * self._cycle + self._lively_cycle[place - 1]) * TICK_SECONDS
        place = bisect_left(self._lively_lead, tick)
        return self._lively_lead[place - 1] * TICK_SECONDS if place else None

    def at(self, age_seconds: int) -> Activity:
        """What a job of that age does."""
        tick = age_seconds // TICK_SECONDS
        if tick >= self._lead:
            tick = self._lead + (tick - self._lead) % self._cycle
        return self._ticks[tick]

    def until(self, age_seconds: int) -> Sums:
        """What a job did from its start to that age, exactly the sum over its ticks."""
        tick = age_seconds // TICK_SECONDS
        if tick <= self._lead:
            return self._sums[tick]
        cycles, rest = divmod(tick - self._lead, self._cycle)
        return self._sums[self._lead + rest].plus(self._whole_cycle, cycles)

    def power_until(self, age_seconds: int) -> float:
        """The power of `until` alone, for those who want nothing else."""
        tick = age_seconds // TICK_SECONDS
        if tick <= self._lead:
            return self._powers[tick]
        cycles, rest = divmod(tick - self._lead, self._cycle)
        return self._powers[self._lead + rest] + self._whole_cycle.power * cycles

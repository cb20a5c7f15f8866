"""Draws up plans: cuts a block's nodes and a round's time into jobs, by chance but always the same."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

from gpumon_demo.clockwork import ROUND_SECONDS, SUBMIT_UNIT_SECONDS, TICK_SECONDS
from gpumon_demo.patterns import Rhythms
from gpumon_demo.plans import PLANS, Plan, PlannedJob, Region, Shape, indexed
from gpumon_demo.rhythm import Kind

_HOUR = 3600
_MOST_WAIT = 20 * _HOUR
LIMITS = tuple(hours * _HOUR for hours in (1, 2, 4, 8, 12, 24, 36, 48))
"""What people ask for, in seconds."""
_LEAST = 900
"""Shorter spans are left empty."""

_LARGE = {Kind.TRAIN: 70, Kind.SIMULATE: 14, Kind.FINETUNE: 7, Kind.STARVED: 3, Kind.STUCK: 6}
_PARTS = {Kind.INTERACTIVE: 35, Kind.SERVE: 40, Kind.FINETUNE: 25}
_SMALL = {
    Kind.TRAIN: 31, Kind.FINETUNE: 23, Kind.SERVE: 14, Kind.SIMULATE: 13, Kind.STARVED: 8, Kind.INTERACTIVE: 9,
    Kind.STUCK: 2,
}  # fmt: skip
"""How often which kind of work is done on eight GPUs and more, on parts of a GPU, and on some GPUs."""


def plans(shape: Shape, seed: int, rhythms: Rhythms) -> tuple[Plan, ...]:
    """All plans for one shape."""
    return tuple(_Planner(shape, f"plan {seed} {shape} {place}", rhythms).plan() for place in range(PLANS))


def _ticks(seconds: float) -> int:
    return round(seconds / TICK_SECONDS) * TICK_SECONDS


class _Planner:
    """Fills one round."""

    def __init__(self, shape: Shape, key: str, rhythms: Rhythms) -> None:
        self.shape, self.rhythms = shape, rhythms
        self.rng = random.Random(key)  # noqa: S311  a simulation needs repeatable numbers, not secret ones
        self.jobs: list[PlannedJob] = []
        self.taken: dict[int, int] = {}

    def plan(self) -> Plan:
        shape = self.shape
        if shape.is_cut:
            for node in range(shape.nodes):
                for unit in range(shape.units):
                    self._fill(Region(node, 1, unit, 1), 0, ROUND_SECONDS)
        elif shape.is_debug:
            for node in range(shape.nodes):
                self._fill_debug(node)
        else:
            self._fill(Region(0, shape.nodes, 0, shape.units), 0, ROUND_SECONDS)
        if shape.shards:
            self._suspend()
        return indexed(shape, self.jobs)

    def _fill_debug(self, node: int) -> None:
        """One unit is always in somebody's hands; the rest is used like elsewhere, shards by several at once."""
        at = 0
        while ROUND_SECONDS - at > _HOUR:
            span = _ticks(min(self.rng.uniform(2, 9) * _HOUR, ROUND_SECONDS - at))
            gap = _ticks(self.rng.uniform(60, 400))
            at = self._job(Region(node, 1, 0, 1), at, span, Kind.INTERACTIVE, gap, ROUND_SECONDS) + gap
        ends = self.shape.whole_units
        half = (1 + ends) // 2
        bounds = [1, half, ends] if half > 2 else [1, ends]
        if self.shape.shards:
            bounds += [ends + self.shape.shards // 2, self.shape.units]
        for first, end in pairwise(bounds):
            self._fill(Region(node, 1, first, end - first), 0, ROUND_SECONDS)

    def _fill(self, region: Region, start: int, end: int) -> None:
        at, rng = start, self.rng
        while end - at > _LEAST:
            left, chance = end - at, rng.random()
            is_wanted = region.size >= 8 or rng.random() < 0.6
            gap = _ticks(rng.uniform(5, 400) if is_wanted else rng.uniform(1800, 12_000))
            if region.size > 1 and chance < self._cut_chance(region):
                at = self._cut(region, at, left)
            elif region.nodes > 1 and chance > 0.8:
                at = self._heterogeneous(region, at, left)
            elif region.nodes > 1 and chance > 0.6:
                at = self._uneven(region, at, left, gap)
            elif region.size == 1 and left > 2 * _HOUR and chance > 0.88:
                at = self._array(region, at, min(left, _ticks(rng.uniform(1, 6) * _HOUR)))
            else:
                median = 2.5 + 1.2 * min(region.size, 8) ** 0.7
                span = min(left, max(300, _ticks(rng.lognormvariate(0, 0.9) * median * _HOUR)))
                at = self._job(region, at, span, self._kind(region), gap, end)
            at += gap

    def _cut_chance(self, region: Region) -> float:
        if region.nodes > 1:
            return 0.45
        return {8: 0.7, 4: 0.55}.get(region.units, 0.45)

    def _long(self, left: int) -> int:
        """A span for several jobs side by side."""
        span = min(left, _ticks(self.rng.uniform(4, 16) * _HOUR))
        return left if left - span < 2 * _HOUR else span

    def _cut(self, region: Region, at: int, left: int) -> int:
        """Halves that are filled each for itself; returns when that ends."""
        end = at + self._long(left)
        for half in region.halves():
            self._fill(half, at, end)
        return end

    def _uneven(self, region: Region, at: int, left: int, gap: int) -> int:
        """A job that has all of some nodes and a part of the next; returns when what remains is filled up to."""
        where, end = self._beside(region, at, left)
        self._job(where, at, end - at, self._kind(where), gap, end)
        return end

    def _heterogeneous(self, region: Region, at: int, left: int) -> int:
        """A job of two components, the second one smaller; returns when it and what runs beside it end."""
        rng = self.rng
        where, end = self._beside(region, at, left)
        submit, leader = at - _ticks(rng.uniform(300, 3 * _HOUR)), len(self.jobs)
        limit = next((limit for limit in LIMITS if limit > end - at), LIMITS[-1])
        second = Region(where.node + where.nodes - 1, 1, where.unit, where.last)
        self._add(
            Region(where.node, where.nodes - 1, where.unit, where.units), Kind.TRAIN, submit, at, end, limit,
            "completed", leader=leader,
        )  # fmt: skip
        self._add(second, Kind.SERVE, submit, at, end, limit, "completed", leader=leader)
        return end

    def _beside(self, region: Region, at: int, left: int) -> tuple[Region, int]:
        """An uneven region of several nodes, what remains of `region` being filled; and until when."""
        end = at + self._long(left)
        nodes = self.rng.choice((2, region.nodes))
        where, rest = region.split(nodes, self.rng.choice((1, region.units // 4, region.units // 2)))
        self._fill(rest, at, end)
        if nodes < region.nodes:
            self._fill(Region(region.node + nodes, region.nodes - nodes, region.unit, region.units), at, end)
        return where, end

    def _kind(self, region: Region) -> Kind:
        if not self.shape.has_gpus:
            return Kind.CPU
        is_part = self.shape.is_cut or region.unit >= self.shape.whole_units
        weights = _PARTS if is_part else _LARGE if region.size >= 8 else _SMALL
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def _job(self, region: Region, start: int, span: int, kind: Kind, gap: int, until: int) -> int:
        """Adds one job; returns when it ends. `gap`: for how long nothing follows; `until`: where the region ends."""
        rng = self.rng
        fate = rng.random()
        if fate < 0.07 and span > 1800:
            span = _ticks(rng.uniform(60, 1500))
        wait = (
            rng.uniform(5, 60) if kind is Kind.INTERACTIVE else rng.lognormvariate(0, 1.3) * (900 + 300 * region.size)
        )
        submit = start - max(TICK_SECONDS, _ticks(min(wait, _MOST_WAIT)))
        ending = _ending(fate)
        limit = span if ending == "timeout" else next((limit for limit in LIMITS if limit > span * 1.1), LIMITS[-1])
        end = start + span
        cleanup = max(0, min(_ticks(rng.uniform(30, 600)), gap, until - end))
        self._add(region, kind, submit, start, end, limit, ending, cleanup=cleanup)
        return end

    def _array(self, region: Region, start: int, span: int) -> int:
        """Short tasks of one array, one after another; returns when the last one ends."""
        rng = self.rng
        kind = Kind.CPU if not self.shape.has_gpus else rng.choice((Kind.FINETUNE, Kind.SERVE, Kind.SIMULATE))
        submit = start - _ticks(rng.uniform(60, 6 * _HOUR))
        spans: list[int] = []
        while sum(spans) < span:
            spans.append(_ticks(rng.uniform(600, 2400)))
        at, last = start, len(self.jobs) + len(spans) - 1
        for task, length in enumerate(spans):
            end = min(at + length, start + span)
            self._add(region, kind, submit, at, end, _HOUR, "completed", array=last, task=task)
            at = end
        return at

    def _add(
        self,
        region: Region,
        kind: Kind,
        submit: int,
        start: int,
        end: int,
        limit: int,
        ending: str,
        *,
        array: int | None = None,
        task: int = 0,
        leader: int | None = None,
        cleanup: int = 0,
    ) -> None:
        rng, shape, ordinal = self.rng, self.shape, len(self.jobs)
        unit_of_time = (start if array is not None and array != ordinal else submit) // SUBMIT_UNIT_SECONDS
        lane = self.taken.get(unit_of_time, 0)
        self.taken[unit_of_time] = lane + 1
        share = shape.share(region)
        cpus = max(
            1, int(shape.cpus * share * (1.0 if kind in {Kind.CPU, Kind.STARVED} else rng.choice((0.5, 0.75, 1))))
        )
        self.jobs.append(
            PlannedJob(
                ordinal, kind, self.rhythms.of(kind, rng.randrange(99)), rng.uniform(0.82, 1.0), submit, start, end,
                limit, ending, region, share, cpus, lane, array, task, leader, cleanup,
            )
        )  # fmt: skip

    def _suspend(self) -> None:
        """Has an administrator suspend one job after the other for some hours, so that there is always about one."""
        at = 0
        while at < ROUND_SECONDS:
            fit = [job for job in self.jobs if _may_pause(job) and job.start + 600 <= at < job.end - 2 * _LEAST]
            if not fit:
                at += _LEAST
                continue
            job = max(fit, key=lambda job: job.end)
            ends = min(job.end - _LEAST, at + _ticks(self.rng.uniform(3, 7) * _HOUR))
            self.jobs[job.ordinal] = replace(job, pause=(at - job.start, ends - job.start))
            at = ends


def _may_pause(job: PlannedJob) -> bool:
    return job.pause is None and job.array is None and job.ending == "completed" and job.kind is not Kind.INTERACTIVE


def _ending(fate: float) -> str:
    """What becomes of a job, by a number from 0 to 1: short lives fail."""
    for below, ending in ((0.015, "out_of_memory"), (0.07, "failed"), (0.89, "completed"), (0.895, "node_fail")):
        if fate < below:
            return ending
    return "cancelled" if fate < 0.93 else "timeout"

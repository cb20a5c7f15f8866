"""Draws up plans: cuts a block's nodes and a round's time into jobs, by chance but always the same."""

from __future__ import annotations

import random

from gpumon_demo.clockwork import ROUND_SECONDS, SUBMIT_UNIT_SECONDS, TICK_SECONDS
from gpumon_demo.patterns import Rhythms
from gpumon_demo.plans import PLANS, Plan, PlannedJob, Region, Shape, indexed
from gpumon_demo.rhythm import Kind

_HOUR = 3600
_MOST_WAIT = 20 * _HOUR
_LIMITS = tuple(hours * _HOUR for hours in (1, 2, 4, 8, 12, 24, 36, 48))


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
        return indexed(shape, self.jobs)

    def _fill_debug(self, node: int) -> None:
        """One unit is always in somebody's hands; the rest is used like elsewhere."""
        at = 0
        while ROUND_SECONDS - at > _HOUR:
            span = min(self.rng.uniform(2, 9) * _HOUR, ROUND_SECONDS - at)
            at = self._job(Region(node, 1, 0, 1), at, _ticks(span), Kind.INTERACTIVE) + _ticks(
                self.rng.uniform(60, 400)
            )
        quarter = self.shape.units // 4
        self._fill(Region(node, 1, 1, self.shape.units // 2 - 1), 0, ROUND_SECONDS)
        self._fill(Region(node, 1, self.shape.units // 2, quarter), 0, ROUND_SECONDS)
        self._fill(Region(node, 1, self.shape.units // 2 + quarter, self.shape.units // 2 - quarter), 0, ROUND_SECONDS)

    def _fill(self, region: Region, start: int, end: int) -> None:
        at, rng = start, self.rng
        while end - at > 900:
            left = end - at
            if region.size > 1 and rng.random() < self._cut_chance(region):
                span = min(left, _ticks(rng.uniform(4, 16) * _HOUR))
                span = left if left - span < 2 * _HOUR else span
                for half in region.halves():
                    self._fill(half, at, at + span)
                at += span
            elif region.size == 1 and left > 2 * _HOUR and rng.random() < 0.12:
                at = self._array(region, at, min(left, _ticks(rng.uniform(1, 6) * _HOUR)))
            else:
                median = 2.5 + 1.2 * min(region.size, 8) ** 0.7
                span = min(left, max(300, _ticks(rng.lognormvariate(0, 0.9) * median * _HOUR)))
                at = self._job(region, at, span, self._kind(region))
            is_wanted = region.size >= 8 or rng.random() < 0.8
            at += _ticks(rng.uniform(5, 400) if is_wanted else rng.uniform(600, 4000))

    def _cut_chance(self, region: Region) -> float:
        if region.nodes > 1:
            return 0.6
        return {8: 0.7, 4: 0.55}.get(region.units, 0.45)

    def _kind(self, region: Region) -> Kind:
        if not self.shape.has_gpus:
            return Kind.CPU
        if region.size >= 8:
            weights = {Kind.TRAIN: 75, Kind.SIMULATE: 15, Kind.FINETUNE: 7, Kind.STARVED: 3}
        elif self.shape.is_cut:
            weights = {Kind.INTERACTIVE: 35, Kind.SERVE: 40, Kind.FINETUNE: 25}
        else:
            weights = {
                Kind.TRAIN: 32,
                Kind.FINETUNE: 24,
                Kind.SERVE: 14,
                Kind.SIMULATE: 13,
                Kind.STARVED: 8,
                Kind.INTERACTIVE: 9,
            }
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def _job(self, region: Region, start: int, span: int, kind: Kind) -> int:
        """Adds one job; returns when it ends."""
        rng = self.rng
        fate = rng.random()
        if fate < 0.07 and span > 1800:
            span = _ticks(rng.uniform(60, 1500))
        wait = (
            rng.uniform(5, 60) if kind is Kind.INTERACTIVE else rng.lognormvariate(0, 1.3) * (900 + 300 * region.size)
        )
        submit = start - max(TICK_SECONDS, _ticks(min(wait, _MOST_WAIT)))
        ending = "failed" if fate < 0.07 else "timeout" if fate > 0.93 else "cancelled" if fate > 0.9 else "completed"
        limit = span if ending == "timeout" else next((limit for limit in _LIMITS if limit > span * 1.1), _LIMITS[-1])
        self._add(region, kind, submit, start, start + span, limit, ending)
        return start + span

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
    ) -> None:
        rng, shape, ordinal = self.rng, self.shape, len(self.jobs)
        unit_of_time = (start if array is not None and array != ordinal else submit) // SUBMIT_UNIT_SECONDS
        lane = self.taken.get(unit_of_time, 0)
        self.taken[unit_of_time] = lane + 1
        share = region.units / shape.units
        cpus = max(
            1, int(shape.cpus * share * (1.0 if kind in {Kind.CPU, Kind.STARVED} else rng.choice((0.5, 0.75, 1))))
        )
        self.jobs.append(
            PlannedJob(
                ordinal, kind, self.rhythms.of(kind, rng.randrange(99)), rng.uniform(0.82, 1.0), submit, start, end,
                limit, ending, region, cpus, lane, array, task,
            )
        )  # fmt: skip

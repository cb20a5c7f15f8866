"""Who runs what where in one round of a block of nodes: space and time cut up by chance, without overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from gpumon_demo.rhythm import Kind, Rhythm, Sums

PLANS = 16
"""So many plans exist for each shape of block; a block goes through all of them in an order of its own."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a plan is made for."""

    machine: str
    """The machine's letter."""
    nodes: int
    units: int
    """Parts of a node that are given to jobs one by one: GPUs, MIG slices, or eighths of a machine without GPUs."""
    cpus: int
    """Of one node."""
    has_gpus: bool
    is_cut: bool
    """True with MIG: each job gets one unit."""
    is_debug: bool


@dataclass(frozen=True, slots=True)
class Region:
    """Some whole nodes of a block, or some units of one node."""

    node: int
    nodes: int
    unit: int
    units: int

    @property
    def size(self) -> int:
        """Units altogether."""
        return self.nodes * self.units

    def halves(self) -> tuple[Region, Region]:
        """The same cut in two."""
        if self.nodes > 1:
            left = self.nodes // 2
            return (
                Region(self.node, left, self.unit, self.units),
                Region(self.node + left, self.nodes - left, self.unit, self.units),
            )
        left = self.units // 2
        return Region(self.node, 1, self.unit, left), Region(self.node, 1, self.unit + left, self.units - left)


@dataclass(frozen=True, slots=True, eq=False)
class PlannedJob:
    """One job of a plan; times are seconds since the round began."""

    ordinal: int
    kind: Kind
    rhythm: Rhythm
    level: float
    """How hard it drives its GPUs, up to 1."""
    submit: int
    """Negative when it was submitted in the round before."""
    start: int
    end: int
    limit: int
    """Seconds it asked for."""
    ending: str
    """Its state afterwards: "completed", "failed", "timeout" or "cancelled"."""
    where: Region
    cpus_per_node: int
    lane: int
    """Tells jobs apart whose ids come from the same time."""
    array: int | None = None
    """Ordinal of the array's last task, whose id is the array's; None for a job of its own."""
    task: int = 0
    """Its number in the array."""

    @property
    def id_moment(self) -> int:
        """When it got its id: when submitted, or for all but an array's last task when started."""
        return self.start if self.array is not None and self.array != self.ordinal else self.submit

    def sums(self, age: int) -> Sums:
        """What it did on each of its nodes up to that age: CPU-seconds and bytes; power is counted by unit."""
        done = self.rhythm.until(age)
        units = self.where.units
        return Sums(
            0.0,
            done.cpu * self.cpus_per_node,
            done.read * units,
            done.written * units,
            done.received * units,
            done.sent * units,
        )


@dataclass
class Lane:
    """The jobs of one unit or one node, with what they add up to, so that any moment is found by bisection."""

    jobs: list[PlannedJob] = field(default_factory=list[PlannedJob])
    ends: list[int] = field(default_factory=list[int])
    powers: list[float] = field(default_factory=lambda: [0.0])
    """Before each job: power share-seconds of those before it."""
    sums: list[Sums] = field(default_factory=lambda: [Sums()])
    """The same for a node's other counters."""


@dataclass(frozen=True, eq=False)
class Plan:
    """One round of one block."""

    shape: Shape
    jobs: tuple[PlannedJob, ...]
    units: tuple[Lane, ...]
    """For each unit of each node, in that order."""
    nodes: tuple[Lane, ...]
    lanes: int

    def running(self, moment: int) -> list[PlannedJob]:
        """The jobs that run at that second of the round."""
        return [job for job in self.jobs if job.start <= moment < job.end]

    def waiting(self, moment: int) -> list[PlannedJob]:
        """The jobs that are submitted and not yet started."""
        return [job for job in self.jobs if job.submit <= moment < job.start]

    def ended(self, moment: int, since: int) -> list[PlannedJob]:
        """The jobs that ended after `since`."""
        return [job for job in self.jobs if since < job.end <= moment]

    def on(self, unit: int, moment: int) -> PlannedJob | None:
        """The job that holds a unit at that second of the round."""
        lane = self.units[unit]
        place = bisect_right(lane.ends, moment)
        return lane.jobs[place] if place < len(lane.jobs) and lane.jobs[place].start <= moment else None

    def power(self, unit: int, moment: int) -> float:
        """Power share-seconds of one unit since the round began."""
        lane = self.units[unit]
        place = bisect_right(lane.ends, moment)
        total = lane.powers[place]
        if place < len(lane.jobs) and lane.jobs[place].start < moment:
            job = lane.jobs[place]
            total += job.rhythm.power_until(moment - job.start) * job.level
        return total

    def sums(self, node: int, moment: int) -> Sums:
        """What jobs did on one node since the round began."""
        lane = self.nodes[node]
        place = bisect_right(lane.ends, moment)
        total = lane.sums[place]
        for job in lane.jobs[place:]:
            if job.start < moment:
                total = total.plus(job.sums(moment - job.start))
        return total


def indexed(shape: Shape, jobs: list[PlannedJob]) -> Plan:
    """The plan that these jobs make, which must not overlap."""
    units = tuple(Lane() for _ in range(shape.nodes * shape.units))
    nodes = tuple(Lane() for _ in range(shape.nodes))
    for job in sorted(jobs, key=lambda job: job.end):
        for node in range(job.where.node, job.where.node + job.where.nodes):
            _append(nodes[node], job)
        for unit in _units_of(job.where, shape):
            _append(units[unit], job)
    most = max((job.lane for job in jobs), default=0) + 1
    return Plan(shape, tuple(jobs), units, nodes, most)


def _append(lane: Lane, job: PlannedJob) -> None:
    span = job.end - job.start
    lane.jobs.append(job)
    lane.ends.append(job.end)
    lane.powers.append(lane.powers[-1] + job.rhythm.power_until(span) * job.level)
    lane.sums.append(lane.sums[-1].plus(job.sums(span)))


def _units_of(region: Region, shape: Shape) -> Iterator[int]:
    for node in range(region.node, region.node + region.nodes):
        first = node * shape.units + region.unit
        yield from range(first, first + region.units)

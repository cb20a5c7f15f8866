"""Who runs what where in one round of a block of nodes: space and time cut up by chance, without overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gpumon_demo.rhythm import RESTING, Activity, Kind, Rhythm, Sums, mixed

PLANS = 16
"""So many plans exist for each shape of block; a block goes through all of them in an order of its own."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a plan is made for."""

    machine: str
    """The machine's letter."""
    nodes: int
    units: int
    """Parts of a node that are given to jobs one by one: GPUs, MIG slices, shards, or eighths of a machine without."""
    cpus: int
    """Of one node."""
    has_gpus: bool
    is_cut: bool
    """True with MIG: each job gets one unit."""
    is_debug: bool
    shards: int = 0
    """So many of its last units are shards of its last card."""

    @property
    def whole_units(self) -> int:
        """How many of its first units are no shards."""
        return self.units - self.shards

    def share(self, region: Region) -> float:
        """What part of a node's CPUs and memory goes with that region on its first node."""
        if not self.shards:
            return region.units / self.units
        cards = self.whole_units + 1
        return region.units / cards / (self.shards if region.unit >= self.whole_units else 1)


@dataclass(frozen=True, slots=True)
class Region:
    """Some neighbouring nodes of a block, or some units of one node."""

    node: int
    nodes: int
    unit: int
    units: int
    last: int = 0
    """Units on its last node, where these are fewer than on the others; else 0."""

    @property
    def size(self) -> int:
        """Units altogether."""
        return self.nodes * self.units - (self.units - self.last if self.last else 0)

    def __contains__(self, node: int) -> bool:
        return self.node <= node < self.node + self.nodes

    def units_on(self, node: int) -> range:
        """The units that belong to it on one of its nodes."""
        count = self.last if self.last and node == self.node + self.nodes - 1 else self.units
        return range(self.unit, self.unit + count)

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

    def split(self, nodes: int, last: int) -> tuple[Region, Region]:
        """Its first nodes with only the first few units of the last of these, and what remains of that node."""
        end = self.node + nodes - 1
        rest = Region(end, 1, self.unit + last, self.units - last)
        return Region(self.node, nodes, self.unit, self.units, last), rest


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
    """Its state afterwards: "completed", "failed", "timeout", ..."""
    where: Region
    share: float
    """What part of a node it has, but on a last one with fewer units."""
    cpus: int
    """On each node but such a last one."""
    lane: int
    """Tells jobs apart whose ids come from the same time."""
    array: int | None = None
    """Ordinal of the array's last task, whose id is the array's; None for a job of its own."""
    task: int = 0
    """Its number in the array."""
    leader: int | None = None
    """Ordinal of the first component of its heterogeneous job; None for a job of its own."""
    cleanup: int = 0
    """Seconds for which it is completing after its end."""
    pause: tuple[int, int] | None = None
    """For which part of its life it is suspended, in seconds since its start."""

    @property
    def id_moment(self) -> int:
        """When it got its id: when submitted, or for all but an array's last task when started."""
        return self.start if self.array is not None and self.array != self.ordinal else self.submit

    @property
    def family(self) -> int:
        """Ordinal of the job that stands for all tasks of an array, or all components of a heterogeneous job."""
        return self.array if self.array is not None else self.leader if self.leader is not None else self.ordinal

    def part_on(self, node: int) -> float:
        """How much it has on a node, measured by its first one."""
        where = self.where
        return len(where.units_on(node)) / where.units if where.last else 1.0

    def cpus_on(self, node: int) -> int:
        """CPUs that it holds on a node of the block."""
        return max(1, int(self.cpus * self.part_on(node)))

    def is_paused(self, age: int) -> bool:
        """True while it is suspended."""
        return self.pause is not None and self.pause[0] <= age < self.pause[1]

    def worked(self, age: int) -> int:
        """How long it has run, what it was suspended for left out."""
        if self.pause is None or age <= self.pause[0]:
            return age
        return max(self.pause[0], age - (self.pause[1] - self.pause[0]))

    def activity(self, age: int) -> Activity:
        """What it does at that age."""
        if self.is_paused(age):
            return RESTING._replace(memory=self.rhythm.at(self.worked(age)).memory)
        return self.rhythm.at(self.worked(age))

    def lively_before(self, age: int) -> int | None:
        """The last age before that one at which it may have kept its GPUs busy; None when there was none."""
        worked = self.worked(age)
        found = self.rhythm.lively_before(worked)
        if found is None or self.pause is None or found < self.pause[0]:
            return found
        return found + self.pause[1] - self.pause[0]

    def power(self, age: int) -> float:
        """Power share-seconds of each of its units up to that age."""
        return self.rhythm.power_until(self.worked(age)) * self.level

    def sums(self, age: int, node: int) -> Sums:
        """What it did on a node up to that age: CPU-seconds and bytes; power is counted by unit."""
        done = self.rhythm.until(self.worked(age))
        units = len(self.where.units_on(node))
        return Sums(
            0.0,
            done.cpu * self.cpus_on(node),
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
    """Of a unit, before each job: power share-seconds of those before it."""
    sums: list[Sums] = field(default_factory=lambda: [Sums()])
    """Of a node: the same for its other counters."""


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
        """The jobs that hold something at that second of the round."""
        return [job for job in self.jobs if job.start <= moment < job.end]

    def completing(self, moment: int) -> list[PlannedJob]:
        """The jobs that have ended, and whose nodes are being cleaned up."""
        return [job for job in self.jobs if job.end <= moment < job.end + job.cleanup]

    def waiting(self, moment: int) -> list[PlannedJob]:
        """The jobs that are submitted and not yet started."""
        return [job for job in self.jobs if job.submit <= moment < job.start]

    def ended(self, moment: int, since: int) -> list[PlannedJob]:
        """The jobs that ended after `since`, and are cleaned up."""
        return [job for job in self.jobs if since < job.end <= moment - job.cleanup]

    def activity(self, places: Sequence[tuple[int, float]], moment: int) -> Activity:
        """What is done on a GPU at that second of the round; `places`: its units, each with its part of the GPU."""
        if len(places) > 1:
            return mixed([(self.activity([(unit, part)], moment), part) for unit, part in places])
        job = self.on(places[0][0], moment)
        return job.activity(moment - job.start) if job else RESTING

    def lively_before(self, unit: int, moment: int) -> int | None:
        """The last second before that one at which a unit may have been busy; None when there was none."""
        lane = self.units[unit]
        for job in reversed(lane.jobs[: bisect_right(lane.ends, moment) + 1]):
            if job.start < moment:
                found = job.lively_before(min(moment, job.end) - job.start)
                if found is not None:
                    return job.start + found
        return None

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
            total += job.power(moment - job.start)
        return total

    def sums(self, node: int, moment: int) -> Sums:
        """What jobs did on one node since the round began."""
        lane = self.nodes[node]
        place = bisect_right(lane.ends, moment)
        total = lane.sums[place]
        for job in lane.jobs[place:]:
            if job.start < moment:
                total = total.plus(job.sums(moment - job.start, node))
        return total


def indexed(shape: Shape, jobs: list[PlannedJob]) -> Plan:
    """The plan that these jobs make, which must not overlap."""
    units = tuple(Lane() for _ in range(shape.nodes * shape.units))
    nodes = tuple(Lane() for _ in range(shape.nodes))
    for job in sorted(jobs, key=lambda job: job.end):
        span = job.end - job.start
        for node in range(job.where.node, job.where.node + job.where.nodes):
            lane = nodes[node]
            _append(lane, job)
            lane.sums.append(lane.sums[-1].plus(job.sums(span, node)))
        power = job.power(span)
        for unit in _units_of(job.where, shape):
            lane = units[unit]
            _append(lane, job)
            lane.powers.append(lane.powers[-1] + power)
    most = max((job.lane for job in jobs), default=0) + 1
    return Plan(shape, tuple(jobs), units, nodes, most)


def _append(lane: Lane, job: PlannedJob) -> None:
    lane.jobs.append(job)
    lane.ends.append(job.end)


def _units_of(region: Region, shape: Shape) -> Iterator[int]:
    for node in range(region.node, region.node + region.nodes):
        yield from (node * shape.units + unit for unit in region.units_on(node))

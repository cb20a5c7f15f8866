"""Blocks of neighbouring nodes that share jobs: which plan each follows when, and what its counters have counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from gpumon.model import GpuDevice, MigInstance
from gpumon_demo.chance import among, draw, whole
from gpumon_demo.clockwork import ROUND_SECONDS, SUBMIT_UNIT_SECONDS
from gpumon_demo.hardware import Machine, Slice
from gpumon_demo.plans import PLANS, Plan, PlannedJob
from gpumon_demo.rhythm import Sums

MIB = 2.0**20
DRIVER = "570.133.20"
_FEW = 8
"""So many rounds' sums are remembered; a look backwards needs two."""
_UPTIME_ROUNDS = 30
"""How long nodes ran between boots before the last one."""
_STEPS = (1, 3, 5, 7, 9, 11, 13, 15)
"""Odd, so that a block meets all of the plans before one comes again."""


class Unit(NamedTuple):
    """A GPU or a MIG slice of one."""

    device: GpuDevice
    card: int
    slice: Slice | None
    memory_mib: int
    gain: float
    """No two cards are alike: how hard this one works where the average card works 1."""
    warmth: float
    """Degrees above or below the average card of its type."""


@dataclass(frozen=True, slots=True)
class Host:
    """One node."""

    name: str
    number: int
    """Its place in the cluster, from 0."""
    machine: Machine
    units: tuple[Unit, ...]

    def units_of_card(self, card: int) -> tuple[int, ...]:
        """The places of a card's units among the node's."""
        return tuple(place for place, unit in enumerate(self.units) if unit.card == card)


class Held(NamedTuple):
    """A job of one round of one block."""

    block: Block
    round: int
    job: PlannedJob

    @property
    def round_began(self) -> int:
        """When the job's round began."""
        return self.block.offset + self.round * ROUND_SECONDS


@dataclass(eq=False)
class Block:
    """Some neighbours; all of them out of service when there are no plans."""

    number: int
    hosts: tuple[Host, ...]
    plans: tuple[Plan, ...]
    seed: int
    id_base: int = 0
    """Where its part of the job ids begins."""
    offset: int = 0
    """When rounds begin, so that not all blocks change at once."""
    last_boot: int = 0
    """The round with which its nodes were booted for the last time."""
    _past: dict[int, tuple[tuple[float, ...], tuple[Sums, ...]]] = field(
        default_factory=dict[int, "tuple[tuple[float, ...], tuple[Sums, ...]]"], repr=False
    )

    @cached_property
    def _order(self) -> tuple[int, int]:
        """With which plan it begins, and how many it goes on each round."""
        return whole(PLANS, self.seed, self.number, 1), among(_STEPS, self.seed, self.number, 2)

    @property
    def ids(self) -> int:
        """How many job ids it needs for one unit of time: rounds overlap, since jobs wait before theirs begins."""
        return 2 * max((plan.lanes for plan in self.plans), default=0)

    def place(self, moment: int) -> tuple[int, int]:
        """The round and how many seconds of it are over."""
        return divmod(moment - self.offset, ROUND_SECONDS)

    def plan(self, number: int) -> Plan:
        """The plan of that round."""
        first, step = self._order
        return self.plans[(first + number * step) % PLANS]

    def boot(self, number: int) -> int:
        """The round with which the nodes were booted, as seen from a round: before the last boot there were others."""
        since = number - self.last_boot
        return self.last_boot if since >= 0 else self.last_boot + since // _UPTIME_ROUNDS * _UPTIME_ROUNDS

    def running(self, moment: int) -> list[Held]:
        """The jobs that run."""
        if not self.plans:
            return []
        number, second = self.place(moment)
        return [Held(self, number, job) for job in self.plan(number).running(second)]

    def waiting(self, moment: int) -> list[Held]:
        """The jobs that wait, those of the next round among them."""
        if not self.plans:
            return []
        number, second = self.place(moment)
        found = [Held(self, number, job) for job in self.plan(number).waiting(second)]
        return found + [Held(self, number + 1, job) for job in self.plan(number + 1).waiting(second - ROUND_SECONDS)]

    def ended(self, moment: int, seconds: int) -> list[Held]:
        """The jobs that ended within the last `seconds`."""
        if not self.plans:
            return []
        number, second = self.place(moment)
        found = [Held(self, number, job) for job in self.plan(number).ended(second, second - seconds)]
        if second < seconds:
            late = second + ROUND_SECONDS
            found += [Held(self, number - 1, job) for job in self.plan(number - 1).ended(late, late - seconds)]
        return found

    def power(self, unit: int, moment: int) -> float:
        """Power share-seconds of one unit since the nodes were booted."""
        if not self.plans:
            return 0.0
        number, second = self.place(moment)
        return self._before(number)[0][unit] + self.plan(number).power(unit, second)

    def sums(self, node: int, moment: int) -> Sums:
        """What jobs did on one node since it was booted."""
        if not self.plans:
            return Sums()
        number, second = self.place(moment)
        return self._before(number)[1][node].plus(self.plan(number).sums(node, second))

    def _before(self, number: int) -> tuple[tuple[float, ...], tuple[Sums, ...]]:
        """What the whole rounds since the boot add up to; all plans come again after so many, which makes it short."""
        known = self._past.get(number)
        if known is not None:
            return known
        boot = self.boot(number)
        cycles, rest = divmod(number - boot, PLANS)
        powers = [0.0] * (len(self.hosts) * len(self.hosts[0].units or range(8)))
        sums = [Sums()] * len(self.hosts)
        for place in range(PLANS):
            times = cycles + (place < rest)
            plan = self.plan(boot + place)
            powers = [old + lane.powers[-1] * times for old, lane in zip(powers, plan.units, strict=True)]
            sums = [old.plus(lane.sums[-1], times) for old, lane in zip(sums, plan.nodes, strict=True)]
        found = (tuple(powers), tuple(sums))
        if len(self._past) > _FEW:
            self._past.clear()
        self._past[number] = found
        return found

    def job_id(self, held: Held, ids: int) -> int:
        """A job's number: later ones are higher, until the numbers start again after a month."""
        job = held.job
        return self._id(held, job.id_moment, job.lane, ids)

    def array_id(self, held: Held, ids: int) -> int:
        """The number of a job's array, which is that of its last task."""
        if held.job.array is None:
            raise ValueError(f"job {held.job.ordinal} is not part of an array")
        return self.job_id(Held(self, held.round, self.plan(held.round).jobs[held.job.array]), ids)

    def _id(self, held: Held, moment: int, lane: int, ids: int) -> int:
        unit = (held.round_began + moment) // SUBMIT_UNIT_SECONDS
        within = held.round % 2 * (self.ids // 2) + lane
        return job_number(unit, self.id_base + within, ids)


_UNITS_A_MONTH = 30 * 86_400 // SUBMIT_UNIT_SECONDS
_FIRST_ID = 10_000


def job_number(unit: int, origin: int, origins: int) -> int:
    """The id of the job that `origin` (of so many) submitted in that unit of time."""
    return _FIRST_ID + unit % _UNITS_A_MONTH * origins + origin


def units(name: str, number: int, machine: Machine, seed: int) -> tuple[Unit, ...]:
    """A node's GPUs and slices; () without GPUs."""
    found: list[Unit] = []
    for card in range(machine.cards):
        gain = 0.95 + 0.1 * draw(seed, number, card, 11)
        warmth = -3 + 6 * draw(seed, number, card, 12)
        cut: Sequence[Slice | None] = machine.slices[card] if card < len(machine.slices) else (None,)
        for part in cut:
            device = _device(name, number, card, part, machine, seed)
            size = part.memory_mib if part else machine.card.memory_mib if machine.card else 0
            found.append(Unit(device, card, part, size, gain, warmth))
    return tuple(found)


def _device(name: str, number: int, card: int, part: Slice | None, machine: Machine, seed: int) -> GpuDevice:
    kind = machine.card
    words = [whole(1 << 16, seed, number, card, 20 + place) for place in range(8)]
    text = "".join(f"{word:04x}" for word in words)
    size = (
        (part.memory_mib + (kind.reserved_mib // 7 if kind else 0))
        if part
        else kind.memory_mib + kind.reserved_mib
        if kind
        else 0
    )
    return GpuDevice(
        uuid=f"GPU-{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}",
        node=name,
        index=card,
        mig=MigInstance(part.id, part.profile) if part else None,
        model=kind.model if kind else None,
        driver=DRIVER,
        pci_bus_id=f"00000000:{0x18 + card * 0x11:02X}:00.0",
        memory_total_bytes=size * MIB,
        instance=f"{name}:9400",
    )

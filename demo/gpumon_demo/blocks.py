"""Blocks of neighbouring nodes that share jobs: which plan each follows when, and what its counters have counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from gpumon_demo.chance import among, whole
from gpumon_demo.clockwork import ROUND_SECONDS, SUBMIT_UNIT_SECONDS
from gpumon_demo.inventory import Host
from gpumon_demo.plans import PLANS, Plan, PlannedJob
from gpumon_demo.rhythm import Sums

_FEW = 8
"""So many rounds' sums are remembered; a look backwards needs two."""
_UPTIME_ROUNDS = 30
"""How long nodes ran between boots before the last one."""
_STEPS = (1, 3, 5, 7, 9, 11, 13, 15)
"""Odd, so that a block meets all of the plans before one comes again."""


class Held(NamedTuple):
    """A job of one round of one block."""

    block: Block
    round: int
    job: PlannedJob

    @property
    def round_began(self) -> int:
        """When the job's round began."""
        return self.block.offset + self.round * ROUND_SECONDS

    def age(self, moment: int) -> int:
        """How long before that moment it started, in seconds."""
        return moment - self.round_began - self.job.start


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
        """The jobs that hold something: they run, or are suspended."""
        if not self.plans:
            return []
        number, second = self.place(moment)
        return [Held(self, number, job) for job in self.plan(number).running(second)]

    def completing(self, moment: int) -> list[Held]:
        """The jobs that have ended, and whose nodes are being cleaned up."""
        if not self.plans:
            return []
        number, second = self.place(moment)
        return [Held(self, number, job) for job in self.plan(number).completing(second)]

    def waiting(self, moment: int) -> list[Held]:
        """The jobs that wait, those of the next round among them."""
        if not self.plans:
            return []
        number, second = self.place(moment)
        found = [Held(self, number, job) for job in self.plan(number).waiting(second)]
        return found + [Held(self, number + 1, job) for job in self.plan(number + 1).waiting(second - ROUND_SECONDS)]

    def ended(self, moment: int, seconds: int) -> list[Held]:
        """The jobs that ended within the last `seconds`, and hold no node any more."""
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
        powers = [0.0] * (len(self.hosts) * self.hosts[0].parts)
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
        unit = (held.round_began + held.job.id_moment) // SUBMIT_UNIT_SECONDS
        within = held.round % 2 * (self.ids // 2) + held.job.lane
        return job_number(unit, self.id_base + within, ids)

    def family_id(self, held: Held, ids: int) -> int:
        """The number of a job's array, which is its last task's, or of its heterogeneous job, which is the leader's."""
        return self.job_id(Held(self, held.round, self.plan(held.round).jobs[held.job.family]), ids)


_UNITS_A_MONTH = 30 * 86_400 // SUBMIT_UNIT_SECONDS
_FIRST_ID = 10_000


def job_number(unit: int, origin: int, origins: int) -> int:
    """The id of the job that `origin` (of so many) submitted in that unit of time."""
    return _FIRST_ID + unit % _UNITS_A_MONTH * origins + origin

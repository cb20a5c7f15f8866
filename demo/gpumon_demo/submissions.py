"""What a job of the plans asks for, and who asks: the same while it waits and when it has started."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpumon_demo import people
from gpumon_demo.blocks import Held
from gpumon_demo.chance import draw, early
from gpumon_demo.hardware import GIB
from gpumon_demo.rhythm import Kind

if TYPE_CHECKING:
    from gpumon_demo.cluster import Simulation

QOS = ("normal", "normal", "normal", "high", "low")
_ENDLESS_FROM = 36 * 3600
"""Who asks for so long on machines without GPUs gets them without a limit."""


class Owner(NamedTuple):
    """Who submitted a job, under which name; the same for all tasks of an array, or parts of a heterogeneous job."""

    user: str
    account: str
    name: str
    qos: str


def whose(simulation: Simulation, held: Held) -> Owner:
    """The owner of a job of the plans."""
    job = held.job
    keys = (simulation.seed, held.block.number, held.round, job.family)
    user, account = early(simulation.users, *keys, 71)
    qos = "interactive" if job.kind is Kind.INTERACTIVE else early(QOS, *keys, 73)
    kind = job.kind if job.leader is None else Kind.TRAIN
    return Owner(user, account, people.job_name(kind, *keys, 72), qos)


def time_limit(held: Held) -> float | None:
    """The seconds that a job asked for; None when it has no limit."""
    job = held.job
    is_endless = job.kind is Kind.CPU and job.limit >= _ENDLESS_FROM and job.ending != "timeout"
    return None if is_endless else float(job.limit)


def gpu_count(held: Held) -> int:
    """The GPUs and MIG slices that a job gets; with shards it gets none."""
    units = held.block.hosts[0].units
    return held.job.where.size if units and not units[held.job.where.unit].is_shard else 0


def memory_on(held: Held, place: int) -> int:
    """Bytes that a job has on one of its nodes."""
    share = held.job.share * held.job.part_on(place)
    return int(held.block.hosts[0].machine.memory_bytes * 0.9 * share) // GIB * GIB


def partition(held: Held) -> str:
    """Where a job was submitted to."""
    machine = held.block.hosts[0].machine
    return "debug" if machine.is_debug and held.job.kind is Kind.INTERACTIVE else machine.partition


def held_back(simulation: Simulation, held: Held) -> str:
    """What keeps a job from starting until it does; "" when it is only others that are before it."""
    job = held.job
    if job.array is not None:
        return ""
    chance = draw(simulation.seed, held.block.number, held.round, job.family, 74)
    for below, reason in ((0.05, "Dependency"), (0.1, "QOSMaxGRESPerUser"), (0.13, "BeginTime")):
        if chance < below:
            return reason
    return ""


def eligible_at(simulation: Simulation, held: Held) -> float:
    """From when on a job might start; for those that wait for a time or another job, when they do."""
    is_late = held_back(simulation, held) in {"Dependency", "BeginTime"}
    return float(held.round_began + (held.job.start if is_late else held.job.submit))


def priority(simulation: Simulation, held: Held) -> float:
    """What a job of the plans has; higher than those that never start."""
    chance = draw(simulation.seed, held.block.number, held.round, held.job.ordinal, 75)
    return float(20_000 + int(20_000 * chance))

"""What single GPUs and nodes said over time: the numbers of the snapshots of those moments, without all the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gpumon.source import Point
from gpumon_demo import hosts, sensors
from gpumon_demo.blocks import Block
from gpumon_demo.hardware import Card
from gpumon_demo.inventory import MIB, Host, Unit
from gpumon_demo.plans import Plan
from gpumon_demo.rhythm import RESTING, Activity

if TYPE_CHECKING:
    from gpumon_demo.cluster import Simulation


class _Look(NamedTuple):
    """One moment, as the nodes of a block count time."""

    moment: int
    plan: Plan | None
    """None in a block that is out of service."""
    second: int
    """Of the plan's round."""


class _Gpu(NamedTuple):
    """One GPU or slice, and where its work is planned."""

    block: Block
    card: Card
    unit: Unit
    places: tuple[tuple[int, float], ...]
    """Its units among those of the block, each with its part of the GPU."""
    card_units: tuple[tuple[int, float], ...]
    """The units of the whole card among those, each with its weight in the card's power."""
    is_silent: bool
    """True when its exporter falls silent from time to time."""
    is_hot: bool


def gpu_history(
    simulation: Simulation, keys: Sequence[str], field: str, moments: Sequence[int]
) -> Mapping[str, tuple[Point, ...]]:
    """One number of each GPU at these moments, but for those at which its exporter was silent."""
    value = _VALUES.get(field)
    if value is None:
        raise ValueError(f"there is no history of {field!r}; known are {', '.join(_VALUES)}")
    looks: dict[int, list[_Look]] = {}
    found: dict[str, tuple[Point, ...]] = {}
    for key in keys:
        gpu = _gpu(simulation, key)
        if gpu is None:
            continue
        heard = looks.get(gpu.block.number)
        if heard is None:
            heard = looks[gpu.block.number] = _looks(gpu.block, moments)
        if gpu.is_silent:
            heard = [look for look in heard if simulation.troubles.silent_since(look.moment) is None]
        told = [(look.moment, value(gpu, look)) for look in heard]
        points = tuple([Point(float(moment), number) for moment, number in told if number is not None])
        if points:
            found[key] = points
    return found


def node_history(
    simulation: Simulation, nodes: Sequence[str], field: str, moments: Sequence[int]
) -> Mapping[str, tuple[Point, ...]]:
    """One number of each node at these moments; a node that is down tells none."""
    if field != "load1" and field not in hosts.RATES:
        raise ValueError(f"there is no history of {field!r} of nodes")
    known = [simulation.host_by_name[name] for name in nodes if name in simulation.host_by_name]
    return {
        host.name: tuple([Point(float(moment), _of_node(simulation, host, field, moment)) for moment in moments])
        for host in known
        if moments and host.name != simulation.troubles.down
    }


def _of_node(simulation: Simulation, host: Host, field: str, moment: int) -> float:
    if field == "load1":
        return hosts.load1(simulation, host, moment)
    now, before = (hosts.counters(simulation, host, moment - back) for back in (0, hosts.RATE_SECONDS))
    return hosts.RATES[field](host, now, before)


def _gpu(simulation: Simulation, key: str) -> _Gpu | None:
    """The GPU of that key; None when there is none, or when its node never told of it."""
    known, troubles = simulation.gpu_of.get(key), simulation.troubles
    if known is None or known[0].name == troubles.down or known[0].machine.card is None:
        return None
    (host, places), card = known, known[0].machine.card
    block, number = simulation.block_of[host.name]
    first, units, unit = number * len(host.units), host.units, host.units[places[0]]
    return _Gpu(
        block,
        card,
        unit,
        tuple((first + place, units[place].part) for place in places),
        tuple((first + place, units[place].weight) for place in host.cards[unit.card]),
        host.name == troubles.silent,
        (host.name, unit.card) == troubles.hot,
    )


def _looks(block: Block, moments: Sequence[int]) -> list[_Look]:
    if not block.plans:
        return [_Look(moment, None, 0) for moment in moments]
    places = [(moment, *block.place(moment)) for moment in moments]
    return [_Look(moment, block.plan(number), second) for moment, number, second in places]


def _activity(gpu: _Gpu, look: _Look) -> Activity:
    return look.plan.activity(gpu.places, look.second) if look.plan else RESTING


def _utilization(gpu: _Gpu, look: _Look) -> float:
    return sensors.utilization(gpu.unit, _activity(gpu, look))


def _memory_used_bytes(gpu: _Gpu, look: _Look) -> float:
    plan = look.plan
    is_held = plan is not None and any(plan.on(unit, look.second) for unit, _ in gpu.places)
    return sensors.memory_used_mib(gpu.unit, _activity(gpu, look), is_held=is_held) * MIB


def _sm_active(gpu: _Gpu, look: _Look) -> float | None:
    is_slow = gpu.is_hot and sensors.is_slow(_degrees(gpu, look), is_hot=True)
    return sensors.sm_active(gpu.unit, _activity(gpu, look), is_slow=is_slow)


def _power_watts(gpu: _Gpu, look: _Look) -> float:
    """Of the whole card, all of its slices together."""
    share = 0.0
    for unit, weight in gpu.card_units:
        job = look.plan.on(unit, look.second) if look.plan else None
        if job:
            share += job.activity(look.second - job.start).power * job.level * weight
    return sensors.power_watts(gpu.card, share)


def _degrees(gpu: _Gpu, look: _Look) -> int:
    recent, block, moment = 0.0, gpu.block, look.moment
    for unit, weight in gpu.card_units:
        recent += sensors.recent_power(block, unit, moment, block.power(unit, moment)) * weight
    return sensors.temperature_celsius(gpu.card, gpu.unit, recent, is_hot=gpu.is_hot)


def _temperature_celsius(gpu: _Gpu, look: _Look) -> float:
    return float(_degrees(gpu, look))


_VALUES: Mapping[str, Callable[[_Gpu, _Look], float | None]] = {
    "utilization": _utilization,
    "memory_used_bytes": _memory_used_bytes,
    "power_watts": _power_watts,
    "temperature_celsius": _temperature_celsius,
    "sm_active": _sm_active,
}
"""By the model's name of the field."""

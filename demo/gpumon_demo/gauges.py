"""What dcgm-exporter would say of each GPU, rounded as it rounds: the work of its job and the troubles of its card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gpumon.model import Attribution, Gpu, GpuDetail
from gpumon_demo import idling, sensors
from gpumon_demo.blocks import Block, Held
from gpumon_demo.hardware import Card
from gpumon_demo.inventory import MIB, Host, Unit
from gpumon_demo.rhythm import RESTING, Activity, mixed

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster

_SLOW = 0.62
"""What is left of the clock when a card is too hot."""
_CAP_ABOVE = 0.86
"""Share of the power range from where on the power limit shows."""


class _Node(NamedTuple):
    """A node while its GPUs are put together."""

    cluster: Cluster
    host: Host
    card: Card
    block: Block
    first: int
    """Where its units begin among those of its block."""
    booted_at: int
    known_by: Attribution
    """How one knows who holds its GPUs."""


def gpus(cluster: Cluster, host: Host) -> tuple[Gpu, ...]:
    """A node's GPUs at the cluster's moment."""
    if host.machine.card is None:
        return ()
    block, place = cluster.simulation.block_of[host.name]
    booted_at, held = cluster.simulation.booted_at(host, cluster.moment), cluster.held_on(host)
    node = _Node(cluster, host, host.machine.card, block, place * host.parts, booted_at, _known_by(host, held))
    activities = _activities(held, cluster.moment)
    powers = [activity.power * (job.job.level if job else 0.0) for job, activity in zip(held, activities, strict=True)]
    heats: dict[int, _Heat] = {}
    found: list[Gpu] = []
    for places in host.gpus:
        unit = host.units[places[0]]
        heat = heats.get(unit.card)
        if heat is None:
            heat = heats[unit.card] = _heat(node, unit, powers)
        activity = activities[places[0]]
        if len(places) > 1:
            activity = mixed([(activities[number], host.units[number].part) for number in places])
        found.append(_gpu(node, places, _tenants(held, places), activity, heat))
    return tuple(found)


def _activities(held: Sequence[Held | None], moment: int) -> list[Activity]:
    """What is done on each unit; all units of one job do the same."""
    of_job: dict[int, Activity] = {}
    found: list[Activity] = []
    for one in held:
        if one is None:
            found.append(RESTING)
            continue
        known = of_job.get(one.job.ordinal)
        if known is None:
            known = of_job[one.job.ordinal] = one.job.activity(one.age(moment))
        found.append(known)
    return found


def last_words(told: tuple[Gpu, ...], now: Cluster, host: Host) -> tuple[Gpu, ...]:
    """What was told last, marked as old; who holds the GPUs is told by Slurm, and therefore new."""
    held, replace = now.held_on(host), msgspec.structs.replace
    known_by = _known_by(host, held)
    return tuple(
        replace(gpu, jobs=_ids(now, _tenants(held, places)), is_stale=True, held_by=known_by, idle_since=None)
        for gpu, places in zip(told, host.gpus, strict=True)
    )


def _known_by(host: Host, held: Sequence[Held | None]) -> Attribution:
    """How one knows who holds a node's GPUs: where an exporter names jobs, it is only by Slurm that none is there."""
    told_by = host.machine.told_by
    return Attribution.INDEX if told_by is Attribution.LABEL and not any(held) else told_by


def _tenants(held: Sequence[Held | None], places: Sequence[int]) -> list[Held]:
    """Those who hold a GPU, each once."""
    found = [one for place in places if (one := held[place]) is not None]
    return found if len(found) < 2 else [one for number, one in enumerate(found) if one not in found[:number]]


def _ids(cluster: Cluster, tenants: Sequence[Held]) -> tuple[str, ...]:
    ids = [cluster.job_of(held).id for held in tenants]
    return tuple(sorted(ids)) if len(ids) > 1 else tuple(ids)


class _Heat(NamedTuple):
    """Of a whole card."""

    power: float
    """Share of the range between idle and the limit."""
    recent: float
    """The same over the last minute."""
    joules: float
    """Since boot."""


def _heat(node: _Node, unit: Unit, powers: Sequence[float]) -> _Heat:
    now = recent = total = 0.0
    block, card, moment = node.block, node.card, node.cluster.moment
    for place in node.host.cards[unit.card]:
        weight, number = node.host.units[place].weight, node.first + place
        so_far = block.power(number, moment)
        now += powers[place] * weight
        recent += sensors.recent_power(block, number, moment, so_far) * weight
        total += so_far * weight
    joules = total * (card.limit_watts - card.idle_watts) + card.idle_watts * (moment - node.booted_at)
    return _Heat(now, recent, joules)


def _gpu(node: _Node, places: Sequence[int], tenants: Sequence[Held], activity: Activity, heat: _Heat) -> Gpu:
    cluster, host, card = node.cluster, node.host, node.card
    unit, moment = host.units[places[0]], cluster.moment
    is_hot = (host.name, unit.card) == cluster.simulation.troubles.hot
    temperature = sensors.temperature_celsius(card, unit, heat.recent, is_hot=is_hot)
    is_slow = sensors.is_slow(temperature, is_hot=is_hot)
    used = sensors.memory_used_mib(unit, activity, is_held=bool(tenants))
    busy = sensors.utilization(unit, activity)
    idle_since = None
    if tenants and busy < idling.IDLE_SHARE:
        mine = [(node.first + place, host.units[place].part) for place in places]
        idle_since = idling.idle_since(unit, mine, tenants, moment)
    return Gpu(
        device=unit.device,
        utilization=busy,
        engine_active=sensors.engine_active(unit, activity),
        sm_active=sensors.sm_active(unit, activity, is_slow=is_slow),
        tensor_active=round(activity.tensor * unit.gain * (_SLOW if is_slow else 1), 6),
        dram_active=round(min(1.0, activity.dram * unit.gain), 6),
        memory_used_bytes=used * MIB,
        temperature_celsius=float(temperature),
        power_watts=sensors.power_watts(card, heat.power),
        detail=_detail(node, unit, activity, used, temperature, heat, is_slow=is_slow),
        jobs=_ids(cluster, tenants),
        sampled_at=float(moment),
        held_by=node.known_by,
        idle_since=idle_since,
    )


def _detail(
    node: _Node, unit: Unit, activity: Activity, used: int, temperature: int, heat: _Heat, *, is_slow: bool
) -> GpuDetail:
    card, troubles = node.card, node.cluster.simulation.troubles
    place, is_whole, is_busy = (node.host.name, unit.card), unit.slice is None, activity.busy > 0.005
    is_remapped, is_fallen = place == troubles.remapped, place == troubles.fallen
    clock = round(card.sm_megahertz * (_SLOW if is_slow else 1 - 0.05 * heat.power) / 15) * 15 if is_busy else 210
    reasons = ("software thermal", "hardware thermal") if is_slow else ("power cap",) if heat.power > _CAP_ABOVE else ()
    return GpuDetail(
        memory_free_bytes=(unit.memory_mib - used) * MIB,
        memory_temperature_celsius=float(temperature + 7) if card.has_memory_sensor else None,
        sm_clock_megahertz=float(clock),
        memory_clock_megahertz=float(card.memory_megahertz if is_busy or used > 100 else 405),
        energy_joules=int(heat.joules * 1000) * 0.001,
        power_limit_watts=card.limit_watts,
        memory_copy_share=min(100, round(activity.dram * unit.gain * 100)) * 0.01 if is_whole else None,
        encoder_share=0.0 if is_whole else None,
        decoder_share=0.0 if is_whole else None,
        sm_occupancy=round(activity.sm * unit.gain * 0.55, 6) if is_whole else None,
        pcie_sent_bytes_per_second=float(int(activity.sent * 0.4 + activity.busy * 3e8 + 2e5)) if is_whole else None,
        pcie_received_bytes_per_second=(
            float(int(activity.read + activity.received * 0.4 + activity.busy * 6e8 + 1e5)) if is_whole else None
        ),
        nvlink_sent_bytes_per_second=float(int(activity.link)) if is_whole and card.has_nvlink else None,
        nvlink_received_bytes_per_second=float(int(activity.link)) if is_whole and card.has_nvlink else None,
        pcie_replays=(3.0 if is_fallen else 0.0) if is_whole else None,
        xid=(79 if is_fallen else 63 if is_remapped else 0) if is_whole else None,
        xid_recent=1 if is_fallen else None,
        ecc_corrected=(14.0 if is_remapped else 0.0) if is_whole else None,
        ecc_uncorrected=(1.0 if is_remapped else 0.0) if is_whole else None,
        remapped_rows_corrected=0.0 if is_whole else None,
        remapped_rows_uncorrected=(2.0 if is_remapped else 0.0) if is_whole else None,
        row_remap_failed=False if is_whole else None,
        row_remap_pending=is_remapped if is_whole else None,
        throttle_reasons=reasons,
        sampled_at=float(node.cluster.moment),
    )

"""What dcgm-exporter would say of each GPU, rounded as it rounds: the work of its job and the troubles of its card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gpumon.model import Gpu, GpuDetail
from gpumon_demo.blocks import MIB, Block, Held, Host, Unit
from gpumon_demo.hardware import Card
from gpumon_demo.rhythm import RESTING, Activity
from gpumon_demo.workload import running_job

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster

_SMOOTHED_SECONDS = 60
"""Heat does not follow power at once."""
_HOTTER = 21.0
_SLOW = 0.62
"""What is left of the clock when a card is too hot."""
_TOO_WARM = 82
"""Degrees above which it is."""
_CAP_ABOVE = 0.86
"""Share of the power range from where on the power limit shows."""


def gpus(cluster: Cluster, host: Host) -> tuple[Gpu, ...]:
    """A node's GPUs at the cluster's moment."""
    if host.machine.card is None:
        return ()
    block, place = cluster.simulation.block_of[host.name]
    held = cluster.held_on(host)
    activities = _activities(held, cluster.moment)
    powers = [activity.power * (job.job.level if job else 0.0) for job, activity in zip(held, activities, strict=True)]
    heats: dict[int, _Heat] = {}
    found: list[Gpu] = []
    for unit, job, activity in zip(host.units, held, activities, strict=True):
        heat = heats.get(unit.card)
        if heat is None:
            heat = heats[unit.card] = _heat(cluster, host, block, place, unit, powers)
        found.append(_gpu(cluster, host, unit, job, activity, heat))
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
            known = of_job[one.job.ordinal] = one.job.rhythm.at(moment - one.round_began - one.job.start)
        found.append(known)
    return found


def last_words(told: tuple[Gpu, ...], now: Cluster, host: Host) -> tuple[Gpu, ...]:
    """What was told last, marked as old; who holds the GPUs is told by Slurm, and therefore new."""
    held = now.held_on(host)
    return tuple(
        msgspec.structs.replace(gpu, jobs=_jobs(now, job), is_stale=True) for gpu, job in zip(told, held, strict=True)
    )


def engine_active(unit: Unit, activity: Activity) -> float:
    """Share of time in which the card's engine was active."""
    return round(min(1.0, activity.busy * unit.gain * 0.985), 6)


def utilization(unit: Unit, activity: Activity) -> float:
    """Busy share, in whole percents; of a slice, which has no such counter, its engine's."""
    if unit.slice:
        return engine_active(unit, activity)
    return min(100, round(activity.busy * unit.gain * 100)) * 0.01


def sm_active(unit: Unit, activity: Activity, *, is_slow: bool) -> float | None:
    """Share of the multiprocessors that have work; not told of slices."""
    return None if unit.slice else round(min(1.0, activity.sm * unit.gain * (0.7 if is_slow else 1)), 6)


def memory_used_mib(unit: Unit, activity: Activity, *, is_held: bool) -> int:
    """Framebuffer in use; a whole card's driver takes a little of it."""
    return round(activity.memory * unit.memory_mib) if is_held else 0 if unit.slice else 4


def temperature_celsius(card: Card, unit: Unit, recent: float, *, is_hot: bool) -> int:
    """A card's temperature, by the share of its power range that it used over the last while."""
    warmth = unit.warmth + (_HOTTER if is_hot else 0.0)
    return round(card.idle_celsius + (card.busy_celsius - card.idle_celsius) * recent + warmth)


def is_slow(temperature: int, *, is_hot: bool) -> bool:
    """True when the badly cooled card is held down for its heat."""
    return is_hot and temperature > _TOO_WARM


def power_watts(card: Card, share: float) -> float:
    """A card's draw at that share of its power range."""
    return round(card.idle_watts + (card.limit_watts - card.idle_watts) * share, 3)


def weight(unit: Unit) -> float:
    """What a unit's work counts for in its card's power."""
    return (unit.slice.sevenths / 7 if unit.slice else 1.0) * unit.gain


def _jobs(cluster: Cluster, held: Held | None) -> tuple[str, ...]:
    return () if held is None else (running_job(cluster.simulation, held).id,)


class _Heat(NamedTuple):
    """Of a whole card."""

    power: float
    """Share of the range between idle and the limit."""
    recent: float
    """The same over the last minute."""
    energy: float
    """Power share-seconds since boot."""


def _heat(cluster: Cluster, host: Host, block: Block, place: int, unit: Unit, powers: Sequence[float]) -> _Heat:
    moment, first = cluster.moment, place * len(host.units)
    now = recent = total = 0.0
    for number in host.units_of_card(unit.card):
        counts = weight(host.units[number])
        so_far = block.power(first + number, moment)
        now += powers[number] * counts
        recent += recent_power(block, first + number, moment, so_far) * counts
        total += so_far * counts
    return _Heat(now, recent, total)


def recent_power(block: Block, unit: int, moment: int, so_far: float) -> float:
    """Mean power share of a unit over the last while; `so_far` is what it summed up to since the boot."""
    before = block.power(unit, moment - _SMOOTHED_SECONDS)
    return (so_far - before if so_far >= before else so_far) / _SMOOTHED_SECONDS


def _gpu(cluster: Cluster, host: Host, unit: Unit, held: Held | None, activity: Activity, heat: _Heat) -> Gpu:
    card, troubles, moment = host.machine.card, cluster.simulation.troubles, cluster.moment
    assert card is not None  # noqa: S101  a unit is a part of a card
    place = (host.name, unit.card)
    is_hot = place == troubles.hot
    now, recent, energy = heat
    temperature = temperature_celsius(card, unit, recent, is_hot=is_hot)
    slow = is_slow(temperature, is_hot=is_hot)
    used = memory_used_mib(unit, activity, is_held=held is not None)
    return Gpu(
        device=unit.device,
        utilization=utilization(unit, activity),
        engine_active=engine_active(unit, activity),
        sm_active=sm_active(unit, activity, is_slow=slow),
        tensor_active=round(activity.tensor * unit.gain * (_SLOW if slow else 1), 6),
        dram_active=round(min(1.0, activity.dram * unit.gain), 6),
        memory_used_bytes=used * MIB,
        temperature_celsius=float(temperature),
        power_watts=power_watts(card, now),
        detail=_detail(cluster, host, unit, activity, card, used, now, temperature, energy, slow=slow),
        jobs=_jobs(cluster, held),
        sampled_at=float(moment),
    )


def _detail(
    cluster: Cluster,
    host: Host,
    unit: Unit,
    activity: Activity,
    card: Card,
    used: int,
    power: float,
    temperature: int,
    energy: float,
    *,
    slow: bool,
) -> GpuDetail:
    troubles, moment = cluster.simulation.troubles, cluster.moment
    booted_at = cluster.simulation.booted_at(host, moment)
    place, is_whole, is_busy = (host.name, unit.card), unit.slice is None, activity.busy > 0.005
    is_remapped, is_fallen = place == troubles.remapped, place == troubles.fallen
    clock = round(card.sm_megahertz * (_SLOW if slow else 1 - 0.05 * power) / 15) * 15 if is_busy else 210
    reasons = ("software thermal", "hardware thermal") if slow else ("power cap",) if power > _CAP_ABOVE else ()
    joules = energy * (card.limit_watts - card.idle_watts) + card.idle_watts * (moment - booted_at)
    return GpuDetail(
        memory_free_bytes=(unit.memory_mib - used) * MIB,
        memory_temperature_celsius=float(temperature + 7) if card.has_memory_sensor else None,
        sm_clock_megahertz=float(clock),
        memory_clock_megahertz=float(card.memory_megahertz if is_busy or used > 100 else 405),
        energy_joules=int(joules * 1000) * 0.001,
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
        sampled_at=float(moment),
    )

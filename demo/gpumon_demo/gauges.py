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
        part = host.units[number].slice
        weight = (part.sevenths / 7 if part else 1.0) * unit.gain
        before = block.power(first + number, moment - _SMOOTHED_SECONDS)
        so_far = block.power(first + number, moment)
        now += powers[number] * weight
        recent += (so_far - before if so_far >= before else so_far) / _SMOOTHED_SECONDS * weight
        total += so_far * weight
    return _Heat(now, recent, total)


def _gpu(cluster: Cluster, host: Host, unit: Unit, held: Held | None, activity: Activity, heat: _Heat) -> Gpu:
    card, troubles, moment = host.machine.card, cluster.simulation.troubles, cluster.moment
    assert card is not None  # noqa: S101  a unit is a part of a card
    place = (host.name, unit.card)
    is_hot = place == troubles.hot
    now, recent, energy = heat
    warmth = unit.warmth + (_HOTTER if is_hot else 0.0)
    temperature = round(card.idle_celsius + (card.busy_celsius - card.idle_celsius) * recent + warmth)
    is_slow = is_hot and temperature > 82
    engine = round(min(1.0, activity.busy * unit.gain * 0.985), 6)
    used = round(activity.memory * unit.memory_mib) if held else 0 if unit.slice else 4
    return Gpu(
        device=unit.device,
        utilization=engine if unit.slice else min(100, round(activity.busy * unit.gain * 100)) * 0.01,
        engine_active=engine,
        sm_active=None if unit.slice else round(min(1.0, activity.sm * unit.gain * (0.7 if is_slow else 1)), 6),
        tensor_active=round(activity.tensor * unit.gain * (_SLOW if is_slow else 1), 6),
        dram_active=round(min(1.0, activity.dram * unit.gain), 6),
        memory_used_bytes=used * MIB,
        temperature_celsius=float(temperature),
        power_watts=round(card.idle_watts + (card.limit_watts - card.idle_watts) * now, 3),
        detail=_detail(cluster, host, unit, activity, card, used, now, temperature, energy, is_slow=is_slow),
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
    is_slow: bool,
) -> GpuDetail:
    troubles, moment = cluster.simulation.troubles, cluster.moment
    booted_at = cluster.simulation.booted_at(host, moment)
    place, is_whole, is_busy = (host.name, unit.card), unit.slice is None, activity.busy > 0.005
    is_remapped, is_fallen = place == troubles.remapped, place == troubles.fallen
    clock = round(card.sm_megahertz * (_SLOW if is_slow else 1 - 0.05 * power) / 15) * 15 if is_busy else 210
    reasons = ("software thermal", "hardware thermal") if is_slow else ("power cap",) if power > _CAP_ABOVE else ()
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

"""What a card's sensors read while this and that is done on it, rounded as dcgm-exporter rounds."""

from __future__ import annotations

from gpumon_demo.blocks import Block
from gpumon_demo.hardware import Card
from gpumon_demo.inventory import Unit
from gpumon_demo.rhythm import Activity

_SMOOTHED_SECONDS = 60
"""Heat does not follow power at once."""
_HOTTER = 21.0
_TOO_WARM = 82
"""Degrees above which the badly cooled card is held down."""


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


def power_watts(card: Card, share: float) -> float:
    """A card's draw at that share of its power range."""
    return round(card.idle_watts + (card.limit_watts - card.idle_watts) * share, 3)


def recent_power(block: Block, unit: int, moment: int, so_far: float) -> float:
    """Mean power share of a block's unit over the last while; `so_far` is what it summed up to since the boot."""
    before = block.power(unit, moment - _SMOOTHED_SECONDS)
    return (so_far - before if so_far >= before else so_far) / _SMOOTHED_SECONDS


def temperature_celsius(card: Card, unit: Unit, recent: float, *, is_hot: bool) -> int:
    """A card's temperature, by the share of its power range that it used over the last while."""
    warmth = unit.warmth + (_HOTTER if is_hot else 0.0)
    return round(card.idle_celsius + (card.busy_celsius - card.idle_celsius) * recent + warmth)


def is_slow(temperature: int, *, is_hot: bool) -> bool:
    """True when the badly cooled card is held down for its heat."""
    return is_hot and temperature > _TOO_WARM

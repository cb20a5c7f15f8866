"""What the cells of the heatmap can show: one scale per number, from its lowest to its highest in ten levels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import msgspec

from gpumon import units
from gpumon.model import ClusterSnapshot, Gpu
from gpumon.settings import Thresholds
from gpumon.units import MISSING, Units
from gpumon_tui.heat import (
    ALARM,
    FREE,
    IDLE_HELD,
    LEVELS,
    LOST,
    SIGNS,
    STYLES,
    UNKNOWN,
    Cell,
    needs_a_person,
    tenths,
    use_level,
)

_COOLEST_CELSIUS, _STEP_CELSIUS = 20.0, 8.0
_STEP_WATTS = 100.0
_IDLE_STEPS = (60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0)
"""Seconds from which on each level of idle time begins."""
_AGES = ((60, 1.0, "s"), (100, 60.0, "m"), (48, 3600.0, "h"), (math.inf, 86_400.0, "d"))
"""Below how many of a unit that unit is used."""


class HeatScale(msgspec.Struct, frozen=True):
    """One number in the cells."""

    name: str
    """For people."""
    cells: tuple[Cell, ...]
    """Of each level."""
    ramp: str
    """What the theme's variables of its levels begin with."""
    legend: tuple[tuple[int, str], ...]
    """Some levels, and what they mean."""
    level: Callable[[Gpu, ClusterSnapshot, Thresholds], int]
    """Of a GPU that is neither silent nor in trouble."""
    text: Callable[[Gpu, ClusterSnapshot, Units], str]
    """What stands in a wide cell of such a level, at most three characters."""
    summary: Callable[[Sequence[Gpu], ClusterSnapshot, Units], str]
    """What stands beside a node's name: of all its GPUs that tell, at most four characters."""

    def levels_of(self, gpus: Sequence[Gpu], snapshot: ClusterSnapshot, thresholds: Thresholds) -> list[int]:
        """The level of each: silence, then what needs a person, come before any number."""
        level = self.level
        return [
            LOST if gpu.is_stale else ALARM if needs_a_person(gpu, thresholds) else level(gpu, snapshot, thresholds)
            for gpu in gpus
        ]


def _cells(begin: str) -> tuple[Cell, ...]:
    """Component classes of its own for numbers, the common ones above."""
    return tuple(zip(SIGNS, (*(f"{begin}-{level}" for level in range(LEVELS)), *STYLES[LEVELS:]), strict=True))


def _steps(value: float | None, lowest: float, step: float) -> int:
    return UNKNOWN if value is None else max(0, min(LEVELS - 1, int((value - lowest) // step)))


def _idle_level(gpu: Gpu, snapshot: ClusterSnapshot, thresholds: Thresholds) -> int:
    if gpu.idle_since is not None:
        return sum(snapshot.taken_at - gpu.idle_since >= step for step in _IDLE_STEPS)
    level = use_level(gpu, thresholds)
    return 0 if level < LEVELS else level


def _idle_text(gpu: Gpu, snapshot: ClusterSnapshot, _: Units) -> str:
    return "" if gpu.idle_since is None else _age(snapshot.taken_at - gpu.idle_since)


def _age(seconds: float) -> str:
    """In at most three characters: "45s", "90m", "47h", "12d"."""
    size, letter = next((size, letter) for most, size, letter in _AGES if seconds < most * size)
    return f"{max(0.0, seconds) // size:.0f}{letter}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:3.0f}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:3.0f}"


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: Sequence[float | None]) -> str:
    known = _known(values)
    return units.share(sum(known) / len(known) if known else None)


def _total_watts(gpus: Sequence[Gpu]) -> str:
    """By card: every slice of a card repeats the whole card's draw."""
    watts = {gpu.device.uuid: gpu.power_watts for gpu in gpus if gpu.power_watts is not None}
    total = sum(watts.values())
    return MISSING if not watts else f"{total:.0f}W" if total < 1000 else f"{total / 1000:.1f}k"


def _hottest(gpus: Sequence[Gpu], told: Units) -> str:
    known = _known([gpu.temperature_celsius for gpu in gpus])
    return told.degrees(max(known))[:-1] if known else MISSING


def _longest(gpus: Sequence[Gpu], snapshot: ClusterSnapshot) -> str:
    known = _known([gpu.idle_since for gpu in gpus])
    return _age(snapshot.taken_at - min(known)) if known else ""


def _degrees(gpu: Gpu, told: Units) -> str:
    return "" if gpu.temperature_celsius is None else f"{told.degrees(gpu.temperature_celsius)[:-2]:>3}"


UTILIZATION = HeatScale(
    "utilization",
    tuple(zip(SIGNS, STYLES, strict=True)),
    "heat",
    ((FREE, "free"), (IDLE_HELD, "idle, held"), (5, "busy 0-9")),
    lambda gpu, _, thresholds: use_level(gpu, thresholds),
    lambda gpu, _, __: _percent(gpu.utilization),
    lambda gpus, _, __: _mean([gpu.utilization for gpu in gpus]),
)
SCALES = (
    UTILIZATION,
    HeatScale(
        "memory",
        _cells("heat--memory"),
        "memory-heat",
        ((0, "empty"), (5, "half"), (9, "full")),
        lambda gpu, _, __: tenths(gpu.memory_share),
        lambda gpu, _, __: _percent(gpu.memory_share),
        lambda gpus, _, __: _mean([gpu.memory_share for gpu in gpus]),
    ),
    HeatScale(
        "power",
        _cells("heat--power"),
        "power-heat",
        ((1, "100 W"), (5, "500 W"), (9, "900 W and more")),
        lambda gpu, _, __: _steps(gpu.power_watts, 0.0, _STEP_WATTS),
        lambda gpu, _, __: _plain(gpu.power_watts),
        lambda gpus, _, __: _total_watts(gpus),
    ),
    HeatScale(
        "temperature",
        _cells("heat--temperature"),
        "temperature-heat",
        ((0, "20°C"), (5, "60°C"), (8, "84°C")),
        lambda gpu, _, __: _steps(gpu.temperature_celsius, _COOLEST_CELSIUS, _STEP_CELSIUS),
        lambda gpu, _, told: _degrees(gpu, told),
        lambda gpus, _, told: _hottest(gpus, told),
    ),
    HeatScale(
        "idle time",
        _cells("heat--idle"),
        "idle-heat",
        ((FREE, "free"), (0, "works"), (2, "5m"), (5, "1h"), (9, "a day"), (IDLE_HELD, "since when unknown")),
        _idle_level,
        _idle_text,
        lambda gpus, snapshot, _: _longest(gpus, snapshot),
    ),
)
"""In the order in which a key goes through them."""

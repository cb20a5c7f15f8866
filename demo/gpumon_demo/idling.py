"""Since when a GPU that somebody holds does nothing, found by leaps from one sign of life to the one before."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon.settings import Thresholds
from gpumon_demo import sensors
from gpumon_demo.blocks import Held
from gpumon_demo.clockwork import TICK_SECONDS
from gpumon_demo.inventory import Unit

IDLE_SHARE = Thresholds().idle_share
"""A GPU that is busy less than this is idle."""


def idle_since(unit: Unit, places: Sequence[tuple[int, float]], tenants: Sequence[Held], moment: int) -> float:
    """When a GPU that idles at `moment` did something last, or when the first of those who hold it began.

    `places`: its units among those of its block, each with its part of the GPU.
    """
    round_began, plan = tenants[0].round_began, tenants[0].block.plan(tenants[0].round)
    began, second = min(held.job.start for held in tenants), moment - round_began
    while True:
        signs = [at for number, _ in places if (at := plan.lively_before(number, second)) is not None]
        second = max(signs, default=began - 1)
        if second < began:
            return float(round_began + began)
        if sensors.utilization(unit, plan.activity(places, second)) >= IDLE_SHARE:
            return float(round_began + second + TICK_SECONDS)

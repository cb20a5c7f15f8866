"""How the simulated cluster counts time: in ticks, and in rounds after which a node's plan changes."""

from __future__ import annotations

import math

TICK_SECONDS = 5
"""Everything changes at multiples of this and stays the same in between, so that a scrape and a look within one tick
agree."""

ROUND_SECONDS = 48 * 3600
"""A block of nodes follows one plan for so long, then the next."""

SUBMIT_UNIT_SECONDS = 600
"""Job ids count in these: of two jobs of one origin, never more than one is submitted in each."""


def tick_of(moment: float) -> int:
    """The beginning of the tick that holds `moment`."""
    return math.floor(moment / TICK_SECONDS) * TICK_SECONDS

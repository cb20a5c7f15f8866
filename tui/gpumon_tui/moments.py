"""Moments as people read them: by this machine's clock, and how long ago or ahead."""

from __future__ import annotations

from time import localtime, strftime

from gpumon import units
from gpumon.units import MISSING


def clock(moment: float, now: float) -> str:
    """A moment as this machine's clock shows it: "14:05", with the day where that is not today's."""
    then, today = localtime(moment), localtime(now)
    return strftime("%H:%M" if (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday) else "%b %d %H:%M", then)


def when(moment: float | None, now: float) -> str:
    """A moment by the clock and from now: "14:05 (in 20m)"; a dash when it is not known."""
    if moment is None:
        return MISSING
    if moment > now:
        return f"{clock(moment, now)} (in {units.duration(moment - now)})"
    return f"{clock(moment, now)} ({units.duration(now - moment)} ago)"

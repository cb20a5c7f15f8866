"""Moments as people read them: the clock of this machine, and how far away they are."""

from __future__ import annotations

from time import localtime, strftime

from gpumon.units import MISSING, duration


def moment(at: float | None, now: float) -> str:
    """ "14:05 (2h 3m ago)" or "14:05 (in 20m)"; a dash when not known."""
    if at is None:
        return MISSING
    return f"{clock(at, now)} ({f'in {duration(at - now)}' if at > now else f'{duration(now - at)} ago'})"


def clock(at: float, now: float) -> str:
    """ "14:05", or "Tue 24 Nov 14:05" on another day than today."""
    then, today = localtime(at), localtime(now)
    is_today = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return strftime("%H:%M" if is_today else "%a %d %b %H:%M", then)

"""Why a GPU's clocks are held down, in words: NVML's bit mask and dcgm-exporter's event names."""

from __future__ import annotations

from functools import lru_cache

_BITS: tuple[tuple[int, str], ...] = (
    (0x2, "clock setting"),
    (0x4, "power cap"),
    (0x8, "hardware slowdown"),
    (0x10, "sync boost"),
    (0x20, "software thermal"),
    (0x40, "hardware thermal"),
    (0x80, "power brake"),
    (0x100, "display clock setting"),
)
"""Bits of nvmlClocksEventReasons (nvml.h); bit 0x1 means idle, which holds nothing down."""

_EVENTS = {
    "clocks_setting": "clock setting",
    "power_cap": "power cap",
    "hw_slowdown": "hardware slowdown",
    "sync_boost": "sync boost",
    "sw_thermal": "software thermal",
    "hw_thermal": "hardware thermal",
    "hw_power_brake": "power brake",
    "display_clocks": "display clock setting",
}
"""Values of the clock_event label of DCGM_EXP_CLOCK_EVENTS_COUNT; "gpu_idle" is left out as above."""

WORDS = tuple(word for _, word in _BITS)
"""Every word that can appear, in the order they are listed."""


@lru_cache(maxsize=512)
def reasons_of_mask(mask: float) -> tuple[str, ...]:
    """The reasons set in DCGM_FI_DEV_CLOCKS_EVENT_REASONS; () for none, or only idle."""
    bits = int(mask)
    return tuple(word for bit, word in _BITS if bits & bit)


def reason_of_event(event: str) -> str | None:
    """The reason behind a clock_event label; None for idle and for events not known."""
    return _EVENTS.get(event)

"""Numbers as people read them: shares, bytes, watts, degrees, durations and ages; a missing number is a dash."""

from __future__ import annotations

import msgspec

MISSING = "–"
"""What stands where a number is not known; never 0."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB")


class Units(msgspec.Struct, frozen=True):
    """The units a site likes to read; numbers stay in SI inside, only their text changes."""

    temperature: str = "celsius"
    """"celsius" or "fahrenheit"."""
    bytes: str = "binary"
    """"binary" (GiB, 1024) or "decimal" (GB, 1000)."""

    def size(self, value: float | None) -> str:
        """Bytes with at most three significant figures: 85899345920 -> '80.0 GiB'."""
        if value is None:
            return MISSING
        step, names = (1000, _DECIMAL) if self.bytes == "decimal" else (1024, _BINARY)
        size, unit = float(value), 0
        while abs(size) >= 1000 and unit < len(names) - 1:
            size /= step
            unit += 1
        digits = 0 if unit == 0 or abs(size) >= 99.95 else 1
        return f"{size:.{digits}f} {names[unit]}"

    def rate(self, value: float | None) -> str:
        """Bytes per second: 1572864 -> '1.5 MiB/s'."""
        return MISSING if value is None else f"{self.size(value)}/s"

    def degrees(self, celsius: float | None) -> str:
        """A temperature: 71.0 -> '71°C', or '160°F'."""
        if celsius is None:
            return MISSING
        return f"{celsius * 1.8 + 32:.0f}°F" if self.temperature == "fahrenheit" else f"{celsius:.0f}°C"


def share(value: float | None, digits: int = 0) -> str:
    """A share from 0 to 1 as a percentage: 0.427 -> '43%'."""
    return MISSING if value is None else f"{value * 100:.{digits}f}%"


def count(value: float | None) -> str:
    """A count with thousands grouped: 12345 -> '12,345'."""
    return MISSING if value is None else f"{value:,.0f}"


def number(value: float | None, digits: int = 1) -> str:
    """A plain number with a fixed number of digits: 3.14159 -> '3.1'."""
    return MISSING if value is None else f"{value:,.{digits}f}"


def watts(value: float | None) -> str:
    """Power: 412.3 -> '412 W', 12345 -> '12.3 kW', 1234567 -> '1.23 MW'."""
    if value is None:
        return MISSING
    if abs(value) >= 1_000_000:
        return f"{value / 1_000_000:.2f} MW"
    return f"{value / 1000:.1f} kW" if abs(value) >= 10_000 else f"{value:.0f} W"


def duration(seconds: float | None) -> str:
    """A length of time in its two largest units: 93784 -> '1d 2h', 61 -> '1m 1s'."""
    if seconds is None:
        return MISSING
    if seconds < 0:
        return "-" + duration(-seconds)
    whole = int(seconds)
    parts = ((whole // 86400, "d"), (whole // 3600 % 24, "h"), (whole // 60 % 60, "m"), (whole % 60, "s"))
    for place, (amount, letter) in enumerate(parts):
        if amount:
            following, small = parts[place + 1] if place + 1 < len(parts) else (0, "")
            return f"{amount}{letter} {following}{small}" if following else f"{amount}{letter}"
    return "0s"


def age(seconds: float | None) -> str:
    """How old something is, coarse on purpose so that it does not flicker: 4.2 -> '4s', 200 -> '3m'."""
    if seconds is None:
        return MISSING
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole}s"
    if whole < 7200:
        return f"{whole // 60}m"
    return f"{whole // 3600}h" if whole < 172_800 else f"{whole // 86400}d"

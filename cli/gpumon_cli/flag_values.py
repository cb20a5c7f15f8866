"""What the value of a flag may be; each reader raises argparse's ArgumentTypeError with the sentence to print."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

_TIME = re.compile(r"(?=[0-9])(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")


def whole(flag: str, least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number between these."""

    def number(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", text) or not least <= int(text) <= most:
            upper = f" to {most}" if most < 10**9 else " or more"
            raise argparse.ArgumentTypeError(f"{flag} takes a whole number, {least}{upper}, not {text!r}")
        return int(text)

    return number


def seconds(text: str) -> float:
    """`2.5` or `2.5s`, above 0."""
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]*)?s?", text) or not (number := float(text.rstrip("s"))):
        raise argparse.ArgumentTypeError(f"a number of seconds above 0 was expected, not {text!r}")
    return number


def words(text: str) -> list[str]:
    """`ann,bob` as two words; a flag that takes them may be repeated, too."""
    found = [word for part in text.split(",") if (word := part.strip())]
    if not found:
        raise argparse.ArgumentTypeError("at least one name is expected")
    return found


def time(text: str) -> float:
    """`30m`, `1h30m`, `2d`; a bare number is minutes, as in the configuration's idle_minutes."""
    match = _TIME.fullmatch(f"{text}m" if re.fullmatch("[0-9]{1,6}", text) else text)
    if match is None:
        raise argparse.ArgumentTypeError(f"--min takes a time like 30m, 2h or 1d, not {text!r}")
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3600 + minutes * 60 + rest

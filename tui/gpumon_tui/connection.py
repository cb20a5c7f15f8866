"""Whether the source answers, since when not, and when it is asked again."""

from __future__ import annotations

from enum import Enum, auto

import msgspec

_LONGEST_WAIT_SECONDS = 30.0


class Phase(Enum):
    """How it stands with the source."""

    STARTING = auto()
    """Asked for the first time, not answered yet."""
    LIVE = auto()
    """The last question was answered."""
    LOST = auto()
    """The last question failed."""


class Connection(msgspec.Struct, frozen=True):
    """What the screen says about the source; moments are this machine's monotonic clock."""

    phase: Phase = Phase.STARTING
    reason: str = ""
    """Why the last question failed."""
    advice: str = ""
    answered_at: float | None = None
    """When the picture on the screen came; None before the first."""
    retry_at: float | None = None
    """When the source is asked again after a failure; None when it is asked just now or never by itself."""
    interval_seconds: float | None = None
    """Between refreshes; None before the first answer."""


def wait_after(failures: int) -> float:
    """Seconds before the next try after so many failures in a row: 1, 2, 4, ... at most 30."""
    return min(_LONGEST_WAIT_SECONDS, 2.0 ** min(failures - 1, 10))

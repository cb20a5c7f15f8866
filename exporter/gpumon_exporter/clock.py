"""The time, so that a test can set it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Two clocks: what time it is, and how much has passed."""

    now: Callable[[], float] = time.time
    passed: Callable[[], float] = time.monotonic

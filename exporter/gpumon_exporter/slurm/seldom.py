"""What is asked now and then, and told for as long as it is not too old."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from gpumon_exporter.failures import NoAnswer

T = TypeVar("T")

SELDOM_SECONDS = 300.0
"""Between two questions about what hardly changes."""
RETRY_SECONDS = 60.0
"""Before a question is asked again that got no answer."""


class Budget:
    """The time that the less important questions of one reading may take together."""

    def __init__(self, seconds: float) -> None:
        """So much from now on."""
        self._until = time.monotonic() + seconds

    def is_left(self) -> bool:
        """Whether one more may be asked."""
        return time.monotonic() < self._until


class Seldom(Generic[T]):
    """The last answer to a question; without one, what stands for "not known"."""

    def __init__(self, unknown: T, ask: Callable[[], T], pause: float = SELDOM_SECONDS) -> None:
        """A question that is asked after each `pause` seconds, and raises NoAnswer."""
        self._unknown = unknown
        self._ask = ask
        self._pause = pause
        self._value = unknown
        self._due = float("-inf")

    def current(self, budget: Budget) -> T:
        """The answer; asks when it is due and there is time."""
        if time.monotonic() >= self._due:
            # One that is overdue is not told: it is as old as it may be.
            self._value = self._asked() if budget.is_left() else self._unknown
        return self._value

    def _asked(self) -> T:
        try:
            value = self._ask()
        except NoAnswer:
            self._due = time.monotonic() + RETRY_SECONDS
            return self._unknown
        self._due = time.monotonic() + self._pause
        return value

"""What is asked now and then, and told for as long as it is not too old."""

from __future__ import annotations

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

    def __init__(self, seconds: float, passed: Callable[[], float]) -> None:
        """So much from now on."""
        self.passed = passed
        self._until = passed() + seconds

    def is_left(self) -> bool:
        """Whether one more may be asked."""
        return self.passed() < self._until


class Seldom(Generic[T]):
    """The last answer to a question; without one, what stands for "not known"."""

    def __init__(
        self, unknown: T, ask: Callable[[], T], pause: float = SELDOM_SECONDS, retry: float = RETRY_SECONDS
    ) -> None:
        """A question that is asked again after `pause` seconds, or `retry` when it raised NoAnswer."""
        self._unknown = unknown
        self._ask = ask
        self._pause = pause
        self._retry = retry
        self._value = unknown
        self._due = float("-inf")

    def current(self, budget: Budget) -> T:
        """The answer; asks when it is due and there is time."""
        if budget.passed() >= self._due:
            # One that is overdue is not told: it is as old as it may be.
            self._value = self._asked(budget) if budget.is_left() else self._unknown
        return self._value

    def _asked(self, budget: Budget) -> T:
        try:
            value = self._ask()
        except NoAnswer:
            self._due = budget.passed() + self._retry
            return self._unknown
        self._due = budget.passed() + self._pause
        return value

"""How `gpumon setup` ends."""

from __future__ import annotations

from enum import IntEnum


class SetupCode(IntEnum):
    """The exit code is the truth."""

    OK = 0
    """Everything is as it should be."""
    INCOMPLETE = 1
    """Something failed, was held back, or cannot be done; all that was possible was done."""
    WOULD_CHANGE = 2
    """--check: nothing was done, and something would be."""

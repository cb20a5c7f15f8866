"""Ends a program when it is told to: a container's first process is not ended by a signal that it does not catch."""

from __future__ import annotations

import os
import signal
from types import FrameType


def leave_when_told() -> None:
    """At once, with success."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(_number: int, _frame: FrameType | None) -> None:
    os._exit(0)

"""Keeps Python's garbage collector from walking over ten thousand GPUs again and again.

What a refresh makes is freed by reference counting; only a few cycles of the libraries below need the collector.
"""

from __future__ import annotations

import atexit
import gc


def collect_rarely() -> None:
    """From now on the collector runs after tens of thousands of new objects instead of hundreds, and not at the end."""
    gc.set_threshold(50_000, 20, 50)
    # Python would end with a walk over all that was loaded, which takes a short command a tenth of its time.
    atexit.register(gc.freeze)


def settle() -> None:
    """Takes everything made so far out of the collector's rounds, which would make keys wait."""
    gc.collect()
    gc.freeze()

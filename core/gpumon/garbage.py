"""Keeps Python's garbage collector from walking over ten thousand GPUs again and again.

What a refresh makes is freed by reference counting; only a few cycles of the libraries below need the collector.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Generator
from contextlib import contextmanager


def collect_rarely() -> None:
    """From now on the collector runs after tens of thousands of new objects instead of hundreds, and not at the end."""
    gc.set_threshold(50_000, 20, 50)
    # Python would end with a walk over all that was loaded, which takes a short command a tenth of its time.
    atexit.register(gc.freeze)


def ignore() -> None:
    """From now on, until `settle`, the collector rests: of what a program loads at its start nothing is garbage."""
    gc.disable()


def settle() -> None:
    """Takes everything made so far out of the collector's rounds, which would make keys wait."""
    gc.collect()
    gc.freeze()
    gc.enable()


@contextmanager
def held_off() -> Generator[None]:
    """Meanwhile the collector does not run, in any thread: with as many objects as answers bring, all would wait.

    At the end it walks over the few of them that are left, before they are so many that a key has to wait for it.
    """
    was_running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_running:
            gc.collect(0)
            gc.enable()

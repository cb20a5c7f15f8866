"""Reads Slurm again and again in the background, on time and never two readings at once."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from gpumon_exporter.log import Troubles
from gpumon_exporter.slurm.records import Reading


@dataclass(frozen=True)
class Pace:
    """How often Slurm is read."""

    interval: float
    """Seconds between the starts of two readings."""
    timeout: float
    """Seconds that one command may take."""

    @property
    def first_within(self) -> float:
        """Seconds after which the first reading should be there."""
        return self.interval + self.timeout

    def good_for(self, took: float) -> float:
        """Seconds for which a reading is shown that took so long: until the next one should long be there."""
        return self.interval * max(1, math.ceil(took / self.interval)) + self.timeout


class Poller:
    """Reads at the times that an interval sets from the start on; one that takes longer leaves times out."""

    def __init__(
        self,
        read: Callable[[], Reading],
        publish: Callable[[Reading, float], None],
        pace: Pace,
        stopped: threading.Event,
    ) -> None:
        self._read = read
        self._publish = publish
        self._pace = pace
        self._stopped = stopped
        self._troubles = Troubles()

    def run(self) -> None:
        """Reads until it is stopped; a mistake of ours stops it, too, since without readings nothing here is of use."""
        began = time.monotonic()
        try:
            while not self._stopped.is_set():
                self._read_once()
                self._stopped.wait(self._pace.interval - (time.monotonic() - began) % self._pace.interval)
        finally:
            self._stopped.set()

    def _read_once(self) -> None:
        began = time.monotonic()
        reading = self._read()
        if self._stopped.is_set():
            return
        self._publish(reading, self._pace.good_for(time.monotonic() - began))
        for result in reading.commands:
            self._troubles.note(result.name, "" if result.is_ok else result.error or "it failed")

"""What Slurm and the exporter say of the same moment."""

from __future__ import annotations

import time
from dataclasses import dataclass

from real.daemons import PATIENCE, Daemon, Failed
from real.slurm import truth
from real.slurm.scenario import Scenario
from real.slurm.told import Told, told, wait_for_reading
from real.slurm.truth import Truth


@dataclass(frozen=True, repr=False)
class Compared:
    """Both answers."""

    slurm: Truth
    exporter: Told


def at_rest(scenario: Scenario, daemon: Daemon) -> Compared:
    """Both at a moment when nothing moves: Slurm says the same before and after.

    Raises:
        Failed: there was no such moment.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        before = truth.read(scenario.site, scenario.names)
        wait_for_reading(daemon)
        found = told(daemon)
        if truth.read(scenario.site, scenario.names) == before:
            return Compared(before, found)
    raise Failed("Slurm does not come to rest.")


def differences(found: Told, expected: Told) -> dict[str, dict[str, tuple[float | None, float | None]]]:
    """What is missing, too much or different, by family and labels: what is told, what was expected."""
    different: dict[str, dict[str, tuple[float | None, float | None]]] = {}
    for name, truth_ in expected.items():
        numbers = found.get(name, {})
        pairs = {str(dict(key)): (numbers.get(key), truth_.get(key)) for key in {*numbers, *truth_}}
        unlike = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        if unlike:
            different[name] = unlike
    return different

"""Since when a GPU has done nothing, from the highest use in each step of some time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf

import msgspec

from gpumon.prometheus.labels import GpuKeyLabels
from gpumon.prometheus.queries import GpuMetric
from gpumon.prometheus.wire import Series, finite


class Look(msgspec.Struct, frozen=True):
    """A look back: steps of equal length that end now."""

    now: float
    step: float
    steps: int

    @property
    def start(self) -> float:
        """When the first step ends."""
        return self.now - (self.steps - 1) * self.step


Peaks = Mapping[str, Sequence[float | None]]
"""By job that dcgm-exporter names, "" where it names none: the highest use in each step, None where none was told."""


def peaks(series: Iterable[Series[GpuKeyLabels]], metric: GpuMetric, look: Look) -> dict[str, Peaks]:
    """The peaks of each GPU, from a range query that tells the highest number within each step."""
    found: dict[str, dict[str, list[float | None]]] = {}
    for one in series:
        label = one.metric
        line = found.setdefault(label.key, {}).setdefault(label.hpc_job or label.jobid, [None] * look.steps)
        for at, text in one.values:
            place, value = round((at - look.start) / look.step), finite(text)
            if 0 <= place < look.steps and value is not None:
                line[place] = max(value * metric.factor, line[place] or 0.0)
    return dict(found)


class Quiet(msgspec.Struct, frozen=True):
    """When a GPU fell quiet."""

    since: float
    """At the latest; where it was quiet throughout, when the look back begins."""
    not_before: float
    """After this it was busy, or nothing told what it did; minus infinity where it was quiet throughout."""

    def corrected(self, known: float | None) -> float:
        """The better one of this and of what was known before, unless that is refuted."""
        return self.since if known is None or known <= self.not_before else min(known, self.since)


def quiet_since(looks: Sequence[tuple[Look, Peaks]], share: float, jobs: frozenset[str] | None = None) -> Quiet:
    """Since when the use never reached `share`, by looks back that each go further than the one before.

    The step in which it was busy last counts as a whole, and so does one of which nothing is told. With `jobs` only
    what was told under their names counts.
    """
    found = Quiet(inf, -inf)
    for look, lines in looks:
        wanted = [line for job, line in lines.items() if jobs is None or job in jobs]
        end = _last_stir(look, wanted, share)
        if end is not None:
            return Quiet(min(found.since, end), end - look.step)
        found = Quiet(look.start - look.step, -inf)
    return found


def _last_stir(look: Look, lines: Sequence[Sequence[float | None]], share: float) -> float | None:
    """When the last step ended that was not quiet; None when all of them were."""
    for place in reversed(range(look.steps)):
        told = [value for line in lines if (value := line[place]) is not None]
        if not told or max(told) >= share:
            return look.start + place * look.step
    return None

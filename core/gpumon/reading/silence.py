"""Which scrape targets answer, when each last did, and whose numbers are therefore old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

import msgspec

from gpumon.model import Exporter
from gpumon.prometheus.labels import TargetLabels
from gpumon.prometheus.wire import Matrix, Vector, finite
from gpumon.reading.names import host_of

TargetKey = tuple[str, str]
"""The job and instance labels of a scrape target."""

_PORTS = {"9400": "dcgm", "9100": "node", "8080": "slurm", "9341": "slurm", "9092": "slurm", "6817": "slurm"}
"""Where each kind of exporter listens when nobody moved it."""

_WORDS = (("dcgm", "dcgm"), ("nvidia", "dcgm"), ("gpu", "dcgm"), ("slurm", "slurm"), ("node", "node"))


class Pulse(msgspec.Struct, frozen=True):
    """What is known of one scrape target."""

    job: str
    instance: str
    node_label: str
    is_up: bool
    heard_at: float | None
    """When it last answered; None when it did not within the time looked at."""


class Pulses(msgspec.Struct, frozen=True):
    """All scrape targets of the server."""

    by_target: Mapping[TargetKey, Pulse] = msgspec.field(default_factory=dict[TargetKey, Pulse])

    @property
    def down(self) -> frozenset[TargetKey]:
        """The targets whose last scrape failed."""
        return frozenset(key for key, pulse in self.by_target.items() if not pulse.is_up)

    def heard_at(self, target: TargetKey) -> float | None:
        """When a target last answered; None when it is not known."""
        pulse = self.by_target.get(target)
        return pulse.heard_at if pulse else None

    def with_silence(self, raw: Matrix[TargetLabels]) -> Pulses:
        """The same, with the moment at which each silent target last answered, from its raw `up` samples."""
        found = dict(self.by_target)
        for series in raw.series:
            key = (series.metric.job, series.metric.instance)
            pulse = found.get(key)
            if pulse is None or pulse.is_up:
                continue
            answered = [at for at, value in series.values if value == "1"]
            found[key] = Pulse(pulse.job, pulse.instance, pulse.node_label, False, max(answered, default=None))
        return Pulses(found)


def read_pulses(times: Vector[TargetLabels], down: Vector[TargetLabels]) -> Pulses:
    """All targets: `times` from `timestamp(up)`, `down` from `up == 0`."""
    silent = {(sample.metric.job, sample.metric.instance) for sample in down.samples}
    found: dict[TargetKey, Pulse] = {}
    for sample in times.samples:
        label = sample.metric
        key = (label.job, label.instance)
        is_up = key not in silent
        found[key] = Pulse(label.job, label.instance, label.node, is_up, finite(sample.value[1]) if is_up else None)
    return Pulses(found)


def scrape_interval(raw: Matrix[TargetLabels]) -> float | None:
    """The most common distance between raw `up` samples, to a tenth of a second; None without two samples."""
    gaps: list[float] = []
    for series in raw.series:
        times = [at for at, _ in series.values]
        gaps.extend(round(later - earlier, 1) for earlier, later in pairwise(times))
    return max(set(gaps), key=gaps.count) if gaps else None


def kinds(pulses: Pulses, told: Mapping[str, Iterable[TargetKey]]) -> Mapping[TargetKey, str]:
    """What kind of exporter each target is: by what it, or a target of its job, told; else by port and job."""
    by_target = {target: kind for kind, targets in told.items() for target in targets}
    by_job = {job: kind for (job, _), kind in by_target.items()}
    return {target: by_target.get(target) or by_job.get(target[0]) or _guess(target) for target in pulses.by_target}


def _guess(target: TargetKey) -> str:
    job, instance = target
    port = instance.rsplit(":", 1)[-1]
    if port in _PORTS:
        return _PORTS[port]
    return next((kind for word, kind in _WORDS if word in job.lower()), "other")


def exporter(pulse: Pulse, kind: str) -> Exporter:
    """A target as the model names it."""
    return Exporter(kind, pulse.job, pulse.instance, pulse.is_up, pulse.heard_at)


def listed(instances: Iterable[str], most: int = 3) -> str:
    """A few hosts by name and the number of the others: "gpu01, gpu02 and 5 more"."""
    hosts = sorted({host_of(instance) for instance in instances})
    if len(hosts) <= most:
        return ", ".join(hosts)
    return f"{', '.join(hosts[: most - 1])} and {len(hosts) - most + 1} more"

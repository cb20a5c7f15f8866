"""One Slurm exporter's samples, looked up by metric and label, each series once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from gpumon.prometheus.wire import Sample, finite
from gpumon.reading.silence import TargetKey

_RENAMED = "exported_"
_OF_THE_TARGET = frozenset({"__name__", "job", "instance"})
Labels = tuple[tuple[str, str], ...]

ITS_OWN = "gpumon_exporter_"


class SlurmSamples(msgspec.Struct):
    """Numbers by metric and labels; the labels of the scrape target itself are left out."""

    targets: set[TargetKey] = msgspec.field(default_factory=set[TargetKey])
    series: dict[str, dict[Labels, float]] = msgspec.field(default_factory=dict[str, dict[Labels, float]])
    repeated: int = 0
    """Series that several targets told; the largest value stands."""

    def __contains__(self, metric: str) -> bool:
        return metric in self.series

    def one(self, metric: str) -> float | None:
        """The number of a metric without labels, added up over whatever labels it has; None when it is not exported."""
        found = self.series.get(metric)
        return None if not found else sum(found.values())

    def rows(self, metric: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """Each series of a metric with its labels."""
        for labels, value in self.series.get(metric, {}).items():
            yield dict(labels), value

    def by(self, metric: str, label: str) -> dict[str, float]:
        """Sums by one label; series without it are left out."""
        found: dict[str, float] = {}
        for labels, value in self.rows(metric):
            key = labels.get(label, "")
            if key:
                found[key] = found.get(key, 0.0) + value
        return found

    def once(self, metric: str, label: str) -> dict[str, float]:
        """The largest value for each value of a label: for what is repeated over partitions or states."""
        found: dict[str, float] = {}
        for labels, value in self.rows(metric):
            key = labels.get(label, "")
            if key and value > found.get(key, float("-inf")):
                found[key] = value
        return found

    def suffixed(self, prefix: str) -> dict[str, float]:
        """The sum of each metric that begins with `prefix`, by the rest of its name."""
        return {
            metric.removeprefix(prefix): self.one(metric) or 0.0 for metric in self.series if metric.startswith(prefix)
        }


def by_target(samples: Iterable[Sample[dict[str, str]]]) -> dict[TargetKey, list[Sample[dict[str, str]]]]:
    """The samples of each scrape target."""
    found: dict[TargetKey, list[Sample[dict[str, str]]]] = {}
    for sample in samples:
        found.setdefault((sample.metric.get("job", ""), sample.metric.get("instance", "")), []).append(sample)
    return found


def collected(parts: Mapping[TargetKey, Iterable[Sample[dict[str, str]]]]) -> SlurmSamples:
    """The samples of the targets that speak one dialect, each series once."""
    into = SlurmSamples(set(parts))
    for samples in parts.values():
        renamed: dict[str, bool] = {}
        for sample in samples:
            told, value = sample.metric, finite(sample.value[1])
            metric = told.get("__name__", "")
            if value is None or is_its_own(metric):
                continue
            if metric not in renamed:  # all series of a metric have labels of the same names
                renamed[metric] = any(name.startswith(_RENAMED) for name in told)
            own = _as_told(told) if renamed[metric] else told
            labels = tuple(sorted((name, text) for name, text in own.items() if name not in _OF_THE_TARGET))
            column = into.series.setdefault(metric, {})
            before = column.get(labels)
            into.repeated += before is not None
            column[labels] = value if before is None else max(before, value)
    return into


def is_its_own(metric: str) -> bool:
    """True for a metric with which gpumon's exporter speaks of itself: several of them may, each of itself."""
    return metric == "slurm_up" or metric.startswith(ITS_OWN)


def _as_told(labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels as the exporter spelled them.

    Without `honor_labels` Prometheus keeps a target's `node` and calls the exporter's `exported_node`.
    """
    own = {name.removeprefix(_RENAMED): text for name, text in labels.items() if name.startswith(_RENAMED)}
    return {name: text for name, text in labels.items() if not name.startswith(_RENAMED)} | own

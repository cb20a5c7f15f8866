"""Reads history: over which moments, and how the lines of some GPUs or nodes are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import GpuKeyLabels, NameLabels, TargetLabels
from gpumon.prometheus.queries import GpuMetric
from gpumon.reading import history as reading
from gpumon.reading.history import Line
from gpumon.reading.silence import TargetKey

_WINDOW_SCRAPES = 4
"""A rate over fewer scrapes has gaps where one of them is missing."""
_METRIC_OF = {metric.field: metric for metric in queries.LIVE_GPU_METRICS}


class Span(msgspec.Struct, frozen=True):
    """The moments of a range query."""

    start: float
    end: float
    step: float
    points: int
    """How many they are."""


def span(now: float, seconds: float, points: int, interval: float | None) -> Span | None:
    """At most `points` moments within the last `seconds`, no closer than scrapes are; None when there is none.

    They are the same ones again when asked a little later, so that a line does not flicker and a cache can serve.
    """
    if points < 1 or seconds <= 0:
        return None
    step = max(seconds / points, interval or 1.0)
    count = max(1, min(points, int(seconds / step + 1e-9)))
    end = now // step * step if count > 1 else now
    return Span(end - (count - 1) * step, end, step, count)


def mean_utilization(client: PrometheusClient, over: Span) -> Line:
    """Of all GPUs together; () when there are none."""
    matrix = client.query_range(queries.UTILIZATION_HISTORY, NameLabels, start=over.start, end=over.end, step=over.step)
    return reading.line(matrix.series[0])[-over.points :] if matrix.series else ()


def of_gpus(client: PrometheusClient, keys: Sequence[str], field: str, over: Span) -> dict[str, Line]:
    """The line of each GPU that has one; utilization as in the model: of MIG slices it is that of their engines."""
    if field not in _METRIC_OF:
        raise ValueError(f"there is no history of {field!r}; known are {', '.join(_METRIC_OF)}")
    metric = _METRIC_OF[field]
    whole = [key for key in keys if "/" not in key] if metric is queries.UTILIZATION else list(keys)
    found = _lines(client, whole, metric, over)
    if metric is queries.UTILIZATION:
        found |= _lines(client, [key for key in keys if key not in found], queries.ENGINE_ACTIVE, over)
    return found


def of_nodes(
    client: PrometheusClient, targets: Mapping[TargetKey, str], field: str, over: Span, interval: float
) -> dict[str, Line]:
    """The line of each node that has one; `targets` say which node_exporter tells about which node."""
    instances = {instance for _, instance in targets}
    promql = queries.node_history(field, instances, max(over.step, _WINDOW_SCRAPES * interval))
    if promql is None:
        raise ValueError(f"there is no history of {field!r} of nodes")
    if not targets:
        return {}
    matrix = client.query_range(promql, TargetLabels, start=over.start, end=over.end, step=over.step)
    found = {targets.get((one.metric.job, one.metric.instance), ""): reading.line(one) for one in matrix.series}
    return {node: points[-over.points :] for node, points in found.items() if node and points}


def _lines(client: PrometheusClient, keys: Sequence[str], metric: GpuMetric, over: Span) -> dict[str, Line]:
    if not keys:
        return {}
    promql = queries.gpu_metric_of(metric, reading.uuids(keys))
    matrix = client.query_range(promql, GpuKeyLabels, start=over.start, end=over.end, step=over.step)
    found = reading.lines(matrix.series, metric, keys)
    return {key: points[-over.points :] for key, points in found.items()}

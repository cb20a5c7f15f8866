"""From the series of a range query to lines of points, one for each GPU, in the model's units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gpumon.prometheus.labels import GpuKeyLabels, NameLabels, TargetLabels
from gpumon.prometheus.queries import GpuMetric
from gpumon.prometheus.wire import Series, finite
from gpumon.reading.gpus import NEVER_ZERO, OF_THE_CARD
from gpumon.source import Point

Line = tuple[Point, ...]
"""Oldest first; where nothing was told there is no point."""


def line(
    series: Series[NameLabels] | Series[GpuKeyLabels] | Series[TargetLabels],
    factor: float = 1.0,
    *,
    may_be_zero: bool = True,
) -> Line:
    """The points of one series that are numbers."""
    told = ((at, finite(text)) for at, text in series.values)
    return tuple(
        [Point(at, value * factor) for at, value in told if value is not None and (value or may_be_zero)],
    )


def uuids(keys: Iterable[str]) -> frozenset[str]:
    """The cards that these GPUs and slices are, or are parts of; a key is not taken apart for more than this."""
    return frozenset(name for key in keys for name in (key, card_of(key)))


def card_of(key: str) -> str:
    """The UUID of a slice's card; of a whole card its own."""
    return key.rpartition("/")[0] or key


def lines(series: Iterable[Series[GpuKeyLabels]], metric: GpuMetric, keys: Sequence[str]) -> dict[str, Line]:
    """The line of each GPU in `keys` that has one; a slice takes over what is told of its card as a whole."""
    may_be_zero = metric.field not in NEVER_ZERO
    told = {one.metric.key: line(one, metric.factor, may_be_zero=may_be_zero) for one in series}
    found = {key: told.get(key, ()) for key in keys}
    if metric.field in OF_THE_CARD:
        found = {key: points or told.get(card_of(key), ()) for key, points in found.items()}
    return {key: points for key, points in found.items() if points}

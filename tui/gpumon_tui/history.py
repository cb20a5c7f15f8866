"""History of some GPUs: what is asked for, over which range, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import msgspec

from gpumon.errors import GpumonError
from gpumon.source import ClusterSource, Point

CLUSTER_SECONDS = 1800.0
"""How far back the chart of the whole cluster goes."""
POINTS = 240
"""As many as a wide chart has columns of dots for."""
FRESH_SECONDS = 30.0
"""History is not asked for again before it is so old."""
MOST_GPUS = 256
"""Of a job that holds more, only so many are asked for."""


class Range(msgspec.Struct, frozen=True):
    """How far back a chart goes."""

    seconds: float
    label: str
    """In words: "1 hour"."""


RANGES = (
    Range(900.0, "15 minutes"),
    Range(3600.0, "1 hour"),
    Range(21_600.0, "6 hours"),
    Range(86_400.0, "24 hours"),
    Range(604_800.0, "7 days"),
)
"""From the shortest to the longest."""
FIRST_RANGE = 1
"""Which of them a chart begins with."""


class HistoryQuestion(msgspec.Struct, frozen=True):
    """One number of some GPUs, or of some nodes, over the last while."""

    keys: tuple[str, ...]
    """Of the GPUs, as in `Gpu.key`; the names of the nodes."""
    field: str
    """Of the model: "utilization", "power_watts", ..."""
    seconds: float
    is_of_nodes: bool = False


class GpuHistory(msgspec.Struct, frozen=True):
    """The answer to a question, or why there is none."""

    question: HistoryQuestion | None = None
    """None before anything was asked."""
    by_gpu: Mapping[str, tuple[Point, ...]] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Or by node; oldest first. One of which no history is held is not in it."""
    reason: str = ""
    """Why it could not be read."""


class Envelope(msgspec.Struct, frozen=True):
    """Many GPUs as three lines; of one GPU all three are the same."""

    mean: tuple[Point, ...] = ()
    lowest: tuple[Point, ...] = ()
    highest: tuple[Point, ...] = ()


def envelope_of(lines: Iterable[tuple[Point, ...]]) -> Envelope:
    """Mean, lowest and highest value at each moment of those that tell one then."""
    at: dict[float, list[float]] = {}
    for line in lines:
        for point in line:
            at.setdefault(point.at, []).append(point.value)
    moments = sorted(at.items())
    return Envelope(
        tuple(Point(moment, sum(values) / len(values)) for moment, values in moments),
        tuple(Point(moment, min(values)) for moment, values in moments),
        tuple(Point(moment, max(values)) for moment, values in moments),
    )


def answer(question: HistoryQuestion, source: ClusterSource) -> GpuHistory:
    """Asks the source, and says why when that fails; meant for the source's thread."""
    try:
        ask = source.node_history if question.is_of_nodes else source.gpu_history
        told = ask(question.keys, question.field, question.seconds, POINTS)
    except GpumonError as error:
        return GpuHistory(question, reason=error.message)
    return GpuHistory(question, told)

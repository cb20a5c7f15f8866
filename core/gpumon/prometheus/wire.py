"""What Prometheus' HTTP API answers, as typed structs, and how its bytes become them.

Decoding raises msgspec's own errors; the client, which knows who answered, puts them into words.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec

L = TypeVar("L", bound=msgspec.Struct | Mapping[str, str])
"""The labels a query wants: a Struct whose fields are label names with the default "", or `dict[str, str]` for all."""
W = TypeVar("W", bound=msgspec.Struct)
"""A kind of entry in a list."""

_DCGM_INT32_BLANK = 0x7FFFFFF0
_DCGM_INT32_BLANK_LAST = 0x7FFFFFFF
_DCGM_INT64_BLANK = float(0x7FFFFFFFFFFFFFF0)
_MINUS_INFINITY = float("-inf")


def finite(text: str) -> float | None:
    """The number in a sample's text; None for NaN, infinities, and the blanks DCGM writes where it knows nothing.

    The blanks stand in DCGM's `dcgm_structs.h`: DCGM_INT32_BLANK and DCGM_INT64_BLANK, each followed by up to fifteen
    reasons (not found, not supported, not permitted). DCGM_FP64_BLANK (2**47) is not one of them here: dcgm-exporter
    leaves it out itself, and a quota of 128 TiB is exactly that number of bytes.
    """
    try:
        value = float(text)
    except ValueError:
        return None
    if _MINUS_INFINITY < value < _DCGM_INT32_BLANK or _DCGM_INT32_BLANK_LAST < value < _DCGM_INT64_BLANK:
        return value
    return None


class Sample(msgspec.Struct, Generic[L], gc=False):
    """One series' value at one time."""

    metric: L
    value: tuple[float, str] = (0.0, "NaN")
    """Seconds since the epoch, and Prometheus' text ("1.5", "NaN", "+Inf"); a native histogram has no value: NaN."""


class Series(msgspec.Struct, Generic[L], gc=False):
    """One series' values over a range."""

    metric: L
    values: list[tuple[float, str]] = []
    """Each as in `Sample.value`, oldest first."""


class Vector(msgspec.Struct, Generic[L]):
    """The answer to an instant query."""

    samples: list[Sample[L]]
    warnings: tuple[str, ...] = ()
    """What Prometheus remarked about the answer: its `warnings` and `infos`."""


class Matrix(msgspec.Struct, Generic[L]):
    """The answer to a range query, or to an instant query with a range selector."""

    series: list[Series[L]]
    warnings: tuple[str, ...] = ()
    """As in `Vector.warnings`."""


class WireAlert(msgspec.Struct, gc=False):
    """An alert of /api/v1/alerts, under the names it has there."""

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    state: str = ""
    """"pending" or "firing"."""
    activeAt: str = ""  # noqa: N815  the name on the wire
    """RFC 3339."""
    value: str = ""


class WireTarget(msgspec.Struct, gc=False):
    """A scrape target of /api/v1/targets, under the names it has there; what the server does not tell is empty."""

    labels: dict[str, str] = {}
    discoveredLabels: dict[str, str] = {}  # noqa: N815  the name on the wire
    scrapePool: str = ""  # noqa: N815  the name on the wire
    scrapeUrl: str = ""  # noqa: N815  the name on the wire
    globalUrl: str = ""  # noqa: N815  the name on the wire
    lastError: str = ""  # noqa: N815  the name on the wire
    lastScrape: str = ""  # noqa: N815  the name on the wire
    """RFC 3339."""
    lastScrapeDuration: float = 0.0  # noqa: N815  the name on the wire
    """Seconds."""
    health: str = ""
    """"up", "down" or "unknown"."""
    scrapeInterval: str = ""  # noqa: N815  the name on the wire
    """A Prometheus duration such as "15s"; "" from VictoriaMetrics."""
    scrapeTimeout: str = ""  # noqa: N815  the name on the wire


class VectorData(msgspec.Struct, Generic[L], tag_field="resultType", tag="vector"):
    """An instant vector."""

    result: list[Sample[L]] | None = None


class MatrixData(msgspec.Struct, Generic[L], tag_field="resultType", tag="matrix"):
    """Range vectors."""

    result: list[Series[L]] | None = None


class ScalarData(msgspec.Struct, tag_field="resultType", tag="scalar"):
    """One number without labels."""

    result: tuple[float, str]


class StringData(msgspec.Struct, tag_field="resultType", tag="string"):
    """A text; gpumon asks for none."""

    result: tuple[float, str]


class Envelope(msgspec.Struct):
    """What is around every answer."""

    status: str
    """"success" or "error"."""
    error: str | None = None
    warnings: tuple[str, ...] | None = None
    infos: tuple[str, ...] | None = None
    is_partial: bool | None = msgspec.field(name="isPartial", default=None)
    """True when a VictoriaMetrics cluster answers without some of its storage."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Everything the server wants said about its answer."""
        partial = ("the answer is partial: some storage nodes did not take part",) if self.is_partial else ()
        return (*(self.warnings or ()), *(self.infos or ()), *partial)


class QueryAnswer(Envelope, Generic[L]):
    """The answer of /api/v1/query and /api/v1/query_range."""

    data: VectorData[L] | MatrixData[L] | ScalarData | StringData | None = None


class AlertsData(msgspec.Struct):
    """The alerts, with fields that may be null."""

    alerts: list[dict[str, Any]] | None = None


class AlertsAnswer(Envelope):
    """The answer of /api/v1/alerts."""

    data: AlertsData | None = None


class TargetsData(msgspec.Struct):
    """The targets, with fields that may be null."""

    active: list[dict[str, Any]] | None = msgspec.field(name="activeTargets", default=None)


class TargetsAnswer(Envelope):
    """The answer of /api/v1/targets."""

    data: TargetsData | None = None


class NamesAnswer(Envelope):
    """The answer of /api/v1/label/.../values."""

    data: list[str] | None = None


class BuildData(msgspec.Struct):
    """What the server says about itself."""

    version: str | None = None


class BuildAnswer(Envelope):
    """The answer of /api/v1/status/buildinfo."""

    data: BuildData | None = None


_LEARNING = threading.Lock()
"""Held while msgspec looks at a class for the first time: two threads that do so at once can end the whole process,
because one finds the half-filled notes of the other (seen with msgspec 0.22 as a segmentation fault)."""


def query_decoder(labels: type[L]) -> msgspec.json.Decoder[QueryAnswer[L]]:
    """Decodes answers to queries whose series carry `labels`; made once for each kind of labels."""
    kind: Any = labels  # mypy does not know that classes are hashable
    with _LEARNING:
        made: msgspec.json.Decoder[QueryAnswer[L]] = _query_decoder(kind)
    return made


@lru_cache(maxsize=64)
def _query_decoder(labels: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(QueryAnswer[labels])


def without_nulls(entries: list[dict[str, Any]] | None, wanted: type[W]) -> list[W]:
    """`entries` as a list of `wanted`, in which a null stands for an absent field."""
    kept = [{name: value for name, value in entry.items() if value is not None} for entry in entries or ()]
    with _LEARNING:
        return msgspec.convert(kept, list[wanted])  # type: ignore[valid-type]

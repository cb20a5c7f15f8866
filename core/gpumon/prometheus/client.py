"""The one client of the Prometheus HTTP API: Prometheus itself, Thanos, Mimir, VictoriaMetrics, or a proxy before one.

Importing this module, and making a client, is cheap: httpx is imported by the thread that asks first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from gpumon.errors import NotFound, QueryRejected, SourceError
from gpumon.prometheus.access import access
from gpumon.prometheus.wire import (
    AlertsAnswer,
    BuildAnswer,
    Envelope,
    L,
    Matrix,
    MatrixData,
    NamesAnswer,
    QueryAnswer,
    Sample,
    ScalarData,
    TargetsAnswer,
    Vector,
    VectorData,
    W,
    WireAlert,
    WireTarget,
    query_decoder,
    without_nulls,
)
from gpumon.settings import PrometheusSettings

if TYPE_CHECKING:
    import httpx

    from gpumon.prometheus.connection import Clock, Connection

T = TypeVar("T")
A = TypeVar("A", bound=Envelope)

_WORKERS = 4
_MOST_POINTS = 10_999
"""Prometheus refuses more than 11,000."""

_NAMES = msgspec.json.Decoder(NamesAnswer)
_ALERTS = msgspec.json.Decoder(AlertsAnswer)
_TARGETS = msgspec.json.Decoder(TargetsAnswer)
_BUILD = msgspec.json.Decoder(BuildAnswer)


class PrometheusClient:
    """Asks one Prometheus, from any thread, over at most four kept connections.

    Every method that asks raises a SourceError when there is no answer, each kind with its own sentence and advice.
    """

    def __init__(
        self,
        settings: PrometheusSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        max_answer_bytes: int = 256 * 2**20,
    ) -> None:
        """Nothing is sent yet.

        Raises:
            ConfigError: the address, a header or a certificate file cannot be used.
        """
        self._settings = settings
        self._access = access(settings)
        self._transport = transport
        self._max_answer_bytes = max_answer_bytes
        self._connection: Connection | None = None
        self._workers: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def __repr__(self) -> str:
        return f"PrometheusClient({self.url!r})"

    @property
    def url(self) -> str:
        """The address as it may be shown: without user and password."""
        return self._access.url

    @property
    def requests(self) -> int:
        """How many were sent so far."""
        return self._connection.requests if self._connection else 0

    @property
    def server_time(self) -> float | None:
        """The server's clock when it sent its newest answer, in whole seconds since the epoch."""
        clock = self._clock
        return None if clock is None else _date(clock.date)

    @property
    def clock_skew_seconds(self) -> float | None:
        """How far the server's clock is ahead of this machine's, exact to half a second and half a round trip."""
        clock = self._clock
        told = None if clock is None else _date(clock.date)
        if clock is None or told is None:
            return None
        return told + 0.5 - (clock.sent_at + clock.received_at) / 2

    def query(self, promql: str, labels: type[L], *, at: float | None = None) -> Vector[L]:
        """The instant vector that `promql` means now, or at `at`; a scalar comes as one sample without labels."""
        answer = self._query("/api/v1/query", {"query": promql, **_time(at)}, labels)
        data = answer.data
        if isinstance(data, VectorData):
            return Vector(data.result or [], answer.remarks)
        if isinstance(data, ScalarData):
            return Vector([Sample(msgspec.convert({}, labels), data.result)], answer.remarks)
        raise self._unexpected(promql, "a number for each series")

    def query_matrix(self, promql: str, labels: type[L], *, at: float | None = None) -> Matrix[L]:
        """The raw samples of an instant query with a range selector, each with its own time."""
        return self._matrix("/api/v1/query", {"query": promql, **_time(at)}, labels)

    def query_range(self, promql: str, labels: type[L], *, start: float, end: float, step: float) -> Matrix[L]:
        """The values of `promql` from `start` to `end`; `step` grows where there would be 11,000 points or more."""
        step = max(step, (end - start) / (_MOST_POINTS - 1))
        span = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:.3f}"}
        return self._matrix("/api/v1/query_range", {"query": promql, **span}, labels)

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T | SourceError]:
        """What each of `calls` returns, at its place; a SourceError that one raises is its result.

        They run in at most four threads, so none of them may call this in turn.
        """
        if len(calls) < 2:
            return [_outcome(call) for call in calls]
        with self._lock:
            futures = None if self._is_closed else self._submitted(calls)
        if futures is None:
            return [_outcome(call) for call in calls]
        return [future.result() for future in futures]

    def alerts(self) -> list[WireAlert]:
        """The alerts that are pending or firing."""
        answer = self._get("/api/v1/alerts", {}, _ALERTS)
        return self._entries(answer.data.alerts if answer.data else None, WireAlert)

    def targets(self) -> list[WireTarget]:
        """The active scrape targets."""
        answer = self._get("/api/v1/targets", {"state": "active"}, _TARGETS)
        return self._entries(answer.data.active if answer.data else None, WireTarget)

    def metric_names(self, *, start: float | None = None) -> frozenset[str]:
        """The metrics there are, or that had samples since `start`."""
        span = {} if start is None else {"start": f"{start:.3f}", "end": f"{max(time.time(), start):.3f}"}
        return frozenset(self._get("/api/v1/label/__name__/values", span, _NAMES).data or ())

    def build_version(self) -> str | None:
        """The server's version; None when it does not say."""
        try:
            answer = self._get("/api/v1/status/buildinfo", {}, _BUILD)
        except (NotFound, QueryRejected):
            return None
        return (answer.data.version if answer.data else None) or None

    def close(self) -> None:
        """Hangs up: whoever still waits for an answer gets a ConnectionLost at once."""
        with self._lock:
            self._is_closed = True
        if self._connection is not None:
            self._connection.close()
        if self._workers is not None:
            self._workers.shutdown(wait=False)

    def _submitted(self, calls: Sequence[Callable[[], T]]) -> list[Future[T | SourceError]]:
        if self._workers is None:
            self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="prometheus")
        return [self._workers.submit(_outcome, call) for call in calls]

    @property
    def _clock(self) -> Clock | None:
        return self._connection.clock if self._connection else None

    def _connected(self) -> Connection:
        from gpumon.prometheus import faults
        from gpumon.prometheus.connection import Connection

        with self._lock:
            if self._is_closed:
                raise faults.closed(self.url)
            if self._connection is None:
                self._connection = Connection(
                    self._access, self._settings.timeout_seconds, self._max_answer_bytes, self._transport
                )
            return self._connection

    def _matrix(self, path: str, parameters: Mapping[str, str], labels: type[L]) -> Matrix[L]:
        answer = self._query(path, parameters, labels)
        if isinstance(answer.data, MatrixData):
            return Matrix(answer.data.result or [], answer.remarks)
        raise self._unexpected(parameters["query"], "a range of values for each series")

    def _query(self, path: str, parameters: Mapping[str, str], labels: type[L]) -> QueryAnswer[L]:
        # without nocache VictoriaMetrics answers what was true 30 s ago
        asked = {**parameters, "timeout": f"{self._settings.timeout_seconds:g}", "nocache": "1"}
        return self._decoded(self._connected().body(path, asked, post=True), query_decoder(labels))

    def _get(self, path: str, parameters: Mapping[str, str], decoder: msgspec.json.Decoder[A]) -> A:
        return self._decoded(self._connected().body(path, parameters), decoder)

    def _decoded(self, body: bytes, decoder: msgspec.json.Decoder[A]) -> A:
        from gpumon.prometheus import faults

        try:
            answer = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise faults.undecodable(body, error, self._connected().asked) from error
        if answer.status != "success":
            raise faults.rejected(answer.error or f"status {answer.status}", self._connected().asked)
        return answer

    def _entries(self, entries: list[dict[str, Any]] | None, wanted: type[W]) -> list[W]:
        from gpumon.prometheus import faults

        try:
            return without_nulls(entries, wanted)
        except msgspec.ValidationError as error:
            raise faults.misshapen(str(error), self._connected().asked) from error

    def _unexpected(self, promql: str, wanted: str) -> SourceError:
        from gpumon.prometheus import faults

        return faults.misshapen(f"{wanted} was wanted of {promql}", self._connected().asked)


def _outcome(call: Callable[[], T]) -> T | SourceError:
    try:
        return call()
    except SourceError as error:
        return error


def _time(at: float | None) -> dict[str, str]:
    return {} if at is None else {"time": f"{at:.3f}"}


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None

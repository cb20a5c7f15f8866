"""One request of a refresh: its answer, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from gpumon.errors import NotFound, QueryRejected, Refused, SourceError, TlsFailed, UnknownHost
from gpumon.model import Problem, Severity
from gpumon.prometheus.client import PrometheusClient

Answer = TypeVar("Answer")


_OPTIONAL = frozenset({"alerts", "targets"})
"""Parts that Prometheus has and a mere query layer (Thanos, Mimir, VictoriaMetrics) need not have."""


_SERVER_GONE = (Refused, UnknownHost, TlsFailed)
"""Errors that speak of the server, not of one query: what was answered before them is no whole picture."""


class Ask(Generic[Answer]):
    """A request for one part of the picture, made together with others."""

    def __init__(self, part: str, call: Callable[[], Answer]) -> None:
        self.part = part
        self._call = call
        self.answer: Answer | None = None
        """None until it was answered, when it failed, and when it was forgotten."""
        self.error: SourceError | None = None
        self.warnings: tuple[str, ...] = ()
        """What Prometheus itself remarked on its answer."""

    def run(self) -> None:
        """Asks; a failure of the source stays with this part."""
        try:
            self.answer = self._call()
        except SourceError as error:
            self.error = error
        else:
            self.warnings = getattr(self.answer, "warnings", ())

    def forget(self) -> None:
        """Lets go of an answer that was taken in: those of one refresh of a large cluster are as large as itself."""
        self.answer = None

    @property
    def problem(self) -> Problem | None:
        """The failure as the snapshot says it."""
        if self.error is None:
            return None
        if self.part in _OPTIONAL and isinstance(self.error, (NotFound, QueryRejected)):
            return Problem(self.part, f"The server keeps no list of {self.part}.", "", Severity.NOTE)
        return Problem(self.part, self.error.message, self.error.advice, Severity.ERROR)


def ask_all(client: PrometheusClient, asks: Sequence[Ask[Any]]) -> None:
    """Runs every request, at most four at a time.

    Raises:
        SourceError: the server itself is out of reach: it went away in the middle, or answered not one of several.
    """
    client.together([ask.run for ask in asks])
    errors = [ask.error for ask in asks if ask.error is not None]
    gone = next((error for error in errors if isinstance(error, _SERVER_GONE)), None)
    if gone is not None or (errors and len(errors) == len(asks)):
        raise gone or errors[0]

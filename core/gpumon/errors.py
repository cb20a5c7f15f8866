"""Every failure gpumon expects, as one tree; each error says what failed, where, and what to do.

GpumonError
├── UsageError             a command line that cannot be understood (exit code 2)
│   └── FilterError        a filter term that is not one; points at the place
├── ConfigError            all mistakes of one configuration at once (exit code 2)
├── HistoryError           a range of history that cannot be had
└── SourceError            the cluster's numbers cannot be had (exit code 3)
    ├── Refused            nobody listens there
    ├── UnknownHost        the name does not resolve
    ├── TimedOut           no whole answer within the deadline
    ├── TlsFailed          no encrypted connection that both sides accept
    ├── ConnectionLost     the connection broke for another reason
    ├── Unauthorized       401 or 403
    ├── NotFound           404: most often a missing path prefix
    ├── NotPrometheus      something answered, but not Prometheus' JSON (a login page, Grafana, a proxy)
    ├── QueryRejected      Prometheus answered with an error of its own
    ├── AnswerCutOff       the answer ended in the middle
    ├── AnswerTooLarge     the answer is larger than any sensible one
    └── NoData             Prometheus answers but holds nothing that gpumon can show
"""

from __future__ import annotations

from collections.abc import Sequence


class GpumonError(Exception):
    """A failure that gpumon expects: shown as one sentence, never as a traceback."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        """What failed and where, as a sentence without a full stop's worth of guessing."""
        self.advice = advice
        """What to do about it; empty when the message says it all."""

    def __str__(self) -> str:
        return f"{self.message} {self.advice}" if self.advice else self.message


class UsageError(GpumonError):
    """The command line cannot be understood."""


class FilterError(UsageError):
    """A filter has a term that is not one."""

    def __init__(self, message: str, *, text: str, position: int, advice: str = "") -> None:
        pointer = f"{message}\n  {text}\n  {' ' * position}^"
        super().__init__(f"{pointer}\n{advice}" if advice else pointer)
        self.reason = message
        """The sentence alone, for a screen that marks the place itself."""
        self.text = text
        """The whole filter as it was typed."""
        self.position = position
        """Where in `text` the term begins, counted in characters from 0."""


class ConfigError(GpumonError):
    """One configuration's mistakes, all of them; each names file, key and what was expected."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)
        """One line per mistake."""


class HistoryError(GpumonError):
    """A range of history cannot be had from this source."""


class SourceError(GpumonError):
    """The cluster's numbers cannot be had."""


class Refused(SourceError):
    """Nobody listens at that address and port."""


class UnknownHost(SourceError):
    """The host's name does not resolve."""


class TimedOut(SourceError):
    """No whole answer came within the deadline."""


class TlsFailed(SourceError):
    """No encrypted connection came about that both sides accept."""


class ConnectionLost(SourceError):
    """The connection could not be made or broke, for a reason other than those above."""


class Unauthorized(SourceError):
    """The server answered 401 or 403."""


class NotFound(SourceError):
    """The server answered 404: most often the path prefix is missing or wrong."""


class NotPrometheus(SourceError):
    """Something answered, but not with Prometheus' JSON."""


class QueryRejected(SourceError):
    """Prometheus answered with an error of its own (400, 422, 503)."""


class AnswerCutOff(SourceError):
    """The answer ended in the middle."""


class AnswerTooLarge(SourceError):
    """The answer is larger than any that gpumon asks for."""


class NoData(SourceError):
    """Prometheus answers but holds nothing that gpumon can show."""

"""Steps from this machine to the server: configuration, connection, rights, path, and whether there is data."""

from __future__ import annotations

from collections.abc import Iterator

from gpumon import errors
from gpumon.errors import SourceError
from gpumon.settings import PrometheusSettings, Settings
from gpumon_cli.doctor.steps import Mark, Step

_STAGES: tuple[tuple[str, tuple[type[SourceError], ...], str], ...] = (
    (
        "reach",
        (errors.Refused, errors.UnknownHost, errors.TimedOut, errors.TlsFailed, errors.ConnectionLost),
        "{url} answers",
    ),
    ("auth", (errors.Unauthorized,), "{auth}"),
    ("path", (errors.NotFound, errors.NotPrometheus), "it speaks Prometheus' API under {path}"),
    (
        "answers",
        (errors.QueryRejected, errors.AnswerCutOff, errors.AnswerTooLarge),
        "queries are answered",
    ),
    ("data", (errors.NoData,), "it holds numbers of this cluster"),
)
"""What is passed one after the other, which failure means that it was not, and what is said when it was."""


def configuration_step(settings: Settings, where: str, *, overridden: bool) -> Step:
    """Which file holds, and which server that means."""
    target = f"Prometheus at {where}{' (from the command line)' if overridden else ''}"
    if settings.file is None:
        return Step("configuration", Mark.NOTE, f"no file; defaults hold, {target}")
    profile = f", cluster {settings.cluster}" if settings.cluster else ""
    return Step("configuration", Mark.FINE, f"{settings.file}{profile}; {target}")


def reach_steps(prometheus: PrometheusSettings, where: str, error: SourceError | None) -> Iterator[Step]:
    """One step for each stage up to the one that failed; all of them when nothing did."""
    words = {"url": where, "auth": _auth(prometheus), "path": _path(where)}
    for name, failures, text in _STAGES:
        if isinstance(error, failures):
            yield _failed(name, error)
            return
        yield Step(name, Mark.FINE, text.format_map(words))
    if error is not None:
        yield _failed("answers", error)


def _failed(name: str, error: SourceError) -> Step:
    return Step(name, Mark.BROKEN, error.message, (error.advice,) if error.advice else ())


def _auth(prometheus: PrometheusSettings) -> str:
    if prometheus.bearer_token is not None:
        kind = "the bearer token is accepted"
    elif prometheus.username is not None:
        kind = f"user {prometheus.username} is accepted"
    else:
        kind = "no login is configured, and none is asked for"
    return kind + (f"; client certificate {prometheus.client_cert_file}" if prometheus.client_cert_file else "")


def _path(url: str) -> str:
    rest = url.split("://", 1)[-1].partition("/")[2].strip("/")
    return f"/{rest}/api/v1" if rest else "/api/v1"

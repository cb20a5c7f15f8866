"""How the exporter itself does: the few series that stay when Slurm does not answer, made at each scrape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from gpumon_exporter import __version__
from gpumon_exporter.slurm.records import CommandResult, Reading


@dataclass(frozen=True)
class Standing:
    """How things stand at one scrape."""

    reading: Reading | None
    """How the last reading went; None before there was one."""
    is_up: bool | None
    """Whether it may be shown; None while the first one is awaited."""
    last_up: float | None
    """When Slurm last answered; None when it never did."""
    age: float | None
    """Seconds since then."""


def health(standing: Standing) -> Iterator[Metric]:
    """The exporter's own series."""
    if standing.is_up is not None:
        yield _one("slurm_up", "Whether Slurm answered: 1 when what is told is its last answer.", float(standing.is_up))
    if standing.last_up is not None:
        words = "When Slurm last answered, seconds since 1970."
        yield _one("gpumon_exporter_last_reading_time_seconds", words, standing.last_up)
    if standing.age is not None:
        words = "How long ago Slurm last answered, in seconds at the time of the scrape."
        yield _one("gpumon_exporter_reading_age_seconds", words, standing.age)
    yield _info(standing.reading)
    if standing.reading:
        yield from _commands(standing.reading.commands)
        if standing.is_up:
            yield from _gaps(standing.reading)


def text(families: Iterable[Metric], *, is_openmetrics: bool) -> bytes:
    """The text of `families` and of the process's own series, with the end that OpenMetrics wants."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Given(families))
    ProcessCollector(registry=registry)
    encode, _ = choose_encoder("application/openmetrics-text; version=1.0.0" if is_openmetrics else "")
    return encode(registry)


class _Given(Collector):
    """Hands out what it was given."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """The families."""
        return self._families


def _commands(results: Iterable[CommandResult]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "gpumon_exporter_command_up", "Whether a command of Slurm last went well.", labels=("command",)
    )
    duration = GaugeMetricFamily(
        "gpumon_exporter_command_duration_seconds", "How long it last took, in seconds.", labels=("command",)
    )
    success = GaugeMetricFamily(
        "gpumon_exporter_command_last_success_time_seconds",
        "When it last went well, seconds since 1970.",
        labels=("command",),
    )
    for result in results:
        up.add_metric((result.name,), float(result.is_ok))
        duration.add_metric((result.name,), result.seconds)
        if result.succeeded_at is not None:
            success.add_metric((result.name,), result.succeeded_at)
    return iter((up, duration, success))


def _gaps(reading: Reading) -> Iterator[Metric]:
    """What is not told."""
    left_out = GaugeMetricFamily(
        "gpumon_exporter_left_out", "What is not told one by one because it is too much.", labels=("what",)
    )
    for what, number in reading.left_out:
        left_out.add_metric((what,), number)
    hidden = GaugeMetricFamily(
        "gpumon_exporter_hidden", "What Slurm's PrivateData keeps from the exporter's user.", labels=("what",)
    )
    for what in reading.hidden:
        hidden.add_metric((what,), 1)
    yield from (left_out, hidden)
    yield _one(
        "gpumon_exporter_jobs_without_gpu_map",
        "Running jobs with GPUs of which Slurm did not tell which ones.",
        reading.jobs_without_gpu_map,
    )


def _info(reading: Reading | None) -> Metric:
    info = GaugeMetricFamily(
        "gpumon_exporter_info", "The exporter and what it reads.", labels=("version", "slurm_version", "cluster")
    )
    info.add_metric((__version__, reading.slurm_version if reading else "", reading.cluster if reading else ""), 1)
    return info


def _one(name: str, documentation: str, value: float) -> Metric:
    return GaugeMetricFamily(name, documentation, value=value)

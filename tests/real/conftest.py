"""Real daemons for the tests: each test gets its own, on free ports, and leaves none behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from gpumon.live.source import PrometheusSource
from gpumon.settings import PrometheusSettings, Settings, Thresholds
from needs import skipped_or_failed
from real import daemons
from real.daemons import Daemon, Engine, Missing, ScrapeJob
from real.exporters import TextExporter

ENGINES = {
    "prometheus": ("prometheus", "system"),
    "victoria-metrics": ("victoria-metrics", "system"),
    "newest-prometheus": ("prometheus", "newest"),
    "newest-victoria-metrics": ("victoria-metrics", "newest"),
}
"""What every reading is tried on; on Debian 12 Prometheus 2.42 and 3.5, VictoriaMetrics 1.79 and 1.145."""

PATIENT_SCRAPES = 10
"""At one scrape a second, a busy machine or VictoriaMetrics' write buffer is late by more than the usual three."""


def pytest_report_header() -> list[str]:
    """Says which versions were tested."""
    found = {name: daemons.version(kind, release) for name, (kind, release) in ENGINES.items()}
    return ["real daemons: " + ", ".join(f"{name} {version}" for name, version in found.items())]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Everything in this folder needs real daemons or a real terminal."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("real")


class StartEngine(Protocol):
    """Starts an engine that scrapes the jobs, by default until each target was scraped twice."""

    def __call__(self, *jobs: ScrapeJob, scrapes: int = 2, rules: str = "", interval: str = "1s") -> Engine: ...


@pytest.fixture
def endings() -> Iterator[ExitStack]:
    """What a test started, ended in reverse."""
    with ExitStack() as stack:
        yield stack


def starter(kind: str, release: str, folder: Path, endings: ExitStack) -> StartEngine:
    """A function that starts engines of one kind and has them stopped with the test."""

    def start(*jobs: ScrapeJob, scrapes: int = 2, rules: str = "", interval: str = "1s") -> Engine:
        place = folder / f"{kind}-{len(list(folder.iterdir()))}"
        place.mkdir()
        try:
            engine = daemons.start_engine(kind, release, jobs, place, rules=rules, interval=interval)
        except Missing as missing:
            skipped_or_failed(missing)
            raise
        endings.callback(engine.daemon.stop)
        engine.wait_for_scrapes(scrapes)
        return engine

    return start


@pytest.fixture(params=ENGINES)
def start_engine(request: pytest.FixtureRequest, tmp_path: Path, endings: ExitStack) -> StartEngine:
    """Starts an engine; the test runs once with each kind."""
    kind, release = ENGINES[request.param]
    return starter(kind, release, tmp_path, endings)


@pytest.fixture
def start_prometheus(tmp_path: Path, endings: ExitStack) -> StartEngine:
    """Starts this release's Prometheus, for what need not be tried on every engine."""
    return starter("prometheus", "system", tmp_path, endings)


@pytest.fixture
def serve(endings: ExitStack) -> Callable[[str], TextExporter]:
    """Serves a text as an exporter would."""

    def start(text: str) -> TextExporter:
        exporter = TextExporter(text)
        endings.callback(exporter.stop)
        return exporter

    return start


@pytest.fixture
def node_exporter(tmp_path: Path, endings: ExitStack) -> Daemon:
    """A real node_exporter that tells about this machine."""
    try:
        daemon = daemons.start_node_exporter("system", tmp_path)
    except Missing as missing:
        skipped_or_failed(missing)
        raise
    endings.callback(daemon.stop)
    return daemon


@pytest.fixture
def source_of(endings: ExitStack) -> Callable[[Engine], PrometheusSource]:
    """The product's own reading of an engine."""

    def open_source(engine: Engine) -> PrometheusSource:
        source = PrometheusSource(
            Settings(
                prometheus=PrometheusSettings(url=engine.url), thresholds=Thresholds(stale_scrapes=PATIENT_SCRAPES)
            )
        )
        endings.callback(source.close)
        return source

    return open_source

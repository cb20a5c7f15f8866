"""A real Slurm for the tests of this folder: one cluster, one scenario, one exporter that reads it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from real.conftest import skipped_or_failed
from real.daemons import Daemon, Engine, Failed, Missing, ScrapeJob, start_engine
from real.exporters import TextExporter
from real.slurm import truth
from real.slurm.cards import card_text
from real.slurm.scenario import Scenario
from real.slurm.told import Told, exporter, told, wait_for_reading
from real.slurm.truth import Truth
from slurm_site.site import SlurmSite

QUIET_SECONDS = 60.0


@pytest.fixture(scope="session")
def site() -> Iterator[SlurmSite]:
    """A cluster without jobs."""
    try:
        cluster = SlurmSite()
    except Missing as missing:
        skipped_or_failed(missing)
        raise
    with cluster:
        yield cluster


@pytest.fixture(scope="session")
def scenario(site: SlurmSite) -> Scenario:
    """The cluster with jobs of every kind."""
    jobs = Scenario(site)
    jobs.fill()
    return jobs


@pytest.fixture(scope="session")
def exporter_of_site(site: SlurmSite) -> Iterator[Daemon]:
    """An exporter that reads the cluster each second."""
    daemon = exporter(site, site.folder / "log" / "exporter")
    daemon.start()
    yield daemon
    daemon.stop()


@pytest.fixture(scope="session")
def engine(exporter_of_site: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Prometheus that scrapes each second the exporter and what tells of the cards."""
    cards = TextExporter(card_text())
    slurm = ScrapeJob("slurm", {"head": exporter_of_site.url.removeprefix("http://")})
    folder = tmp_path_factory.mktemp("prometheus")
    try:
        found = start_engine("prometheus", "system", [slurm, ScrapeJob("dcgm", {"cards": cards.address})], folder)
    except Missing as missing:
        skipped_or_failed(missing)
        raise
    found.wait_for_scrapes()
    yield found
    found.daemon.stop()
    cards.stop()


@dataclass(frozen=True)
class Compared:
    """What Slurm says and what the exporter tells of the same moment."""

    slurm: Truth
    exporter: Told


@pytest.fixture(scope="session")
def compared(scenario: Scenario, exporter_of_site: Daemon) -> Compared:
    """Both at a moment when nothing moves: Slurm says the same before and after."""
    deadline = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < deadline:
        before = truth.read(scenario.site, scenario.names)
        wait_for_reading(exporter_of_site)
        found = told(exporter_of_site)
        if truth.read(scenario.site, scenario.names) == before:
            return Compared(before, found)
    raise Failed("Slurm does not come to rest.")

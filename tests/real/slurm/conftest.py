"""A real Slurm for the tests of this folder: one cluster, one scenario, one exporter that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType
from typing import cast

import pytest

from needs import skipped_or_failed
from real.daemons import Daemon, Engine, Missing, ScrapeJob, start_engine
from real.exporters import TextExporter
from real.slurm.cards import card_text
from real.slurm.compared import Compared, at_rest
from real.slurm.scenario import Scenario
from real.slurm.told import exporter
from slurm_site.newest import newest_programs
from slurm_site.site import SlurmSite


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a module's tests with the releases of Slurm that it names: this system's, and the newest suite's."""
    module = cast("ModuleType", metafunc.module)
    if "site" in metafunc.fixturenames:
        releases: tuple[str, ...] = getattr(module, "RELEASES", ("system",))
        metafunc.parametrize("site", releases, indirect=True, scope="session")


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Iterator[SlurmSite]:
    """A cluster without jobs."""
    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(SlurmSite(newest_programs() if request.param == "newest" else None))
        except Missing as missing:
            skipped_or_failed(missing)
            raise
        yield cluster


@dataclass(frozen=True)
class Filled:
    """The cluster with jobs of every kind, and an exporter that has read it."""

    scenario: Scenario
    exporter: Daemon
    compared: Compared


@pytest.fixture(scope="session")
def filled(site: SlurmSite) -> Iterator[Filled]:
    """Compared before any test can touch it, in whatever order tests run."""
    jobs = Scenario(site)
    jobs.fill()
    daemon = exporter(site, site.folder / "log" / "exporter")
    daemon.start()
    try:
        yield Filled(jobs, daemon, at_rest(jobs, daemon))
    finally:
        daemon.stop()


@pytest.fixture(scope="session")
def scenario(filled: Filled) -> Scenario:
    """The jobs of the cluster."""
    return filled.scenario


@pytest.fixture(scope="session")
def exporter_of_site(filled: Filled) -> Daemon:
    """An exporter that reads the cluster each second."""
    return filled.exporter


@pytest.fixture(scope="session")
def compared(filled: Filled) -> Compared:
    """What Slurm and the exporter said of the jobs of every kind."""
    return filled.compared


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

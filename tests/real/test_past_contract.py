"""The simulated past, put into a real engine, reads as it was: charts of GPUs, and since when they idle."""

from __future__ import annotations

import re
import subprocess
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gpumon.live.source import PrometheusSource
from gpumon.model import Severity
from gpumon.settings import Thresholds
from gpumon_demo.clockwork import TICK_SECONDS
from gpumon_demo.cluster import Cluster, Simulation
from gpumon_demo.dcgm_text import dcgm
from gpumon_demo.server import ExporterServer
from gpumon_demo.source import DemoSource
from needs import skipped_or_failed
from real import daemons
from real.conftest import ENGINES
from real.daemons import Engine, Missing, ScrapeJob, simulated_jobs, until

pytestmark = pytest.mark.xdist_group("past")  # several such clusters at once are more than two cores can play

PAST_SECONDS = 3 * 3600
SCRAPED_EVERY = 3 * TICK_SECONDS
"""Charts have their points at multiples of it."""
AHEAD_SECONDS = 45
"""The present is laid so far ahead that the engine runs when it comes: there must be no gap. On a machine that is too
busy for that it is laid further ahead."""
NEWEST_SECONDS = 60
"""What is so new may be of the first scrapes already, which an engine dates by its own clock."""
CHARTED = ("GPU_UTIL", "FB_USED", "GPU_TEMP", "POWER_USAGE", "SM_ACTIVE", "GR_ENGINE_ACTIVE")
FIELDS = ("utilization", "memory_used_bytes", "power_watts", "temperature_celsius", "sm_active")
_SAMPLE = re.compile(rf"(DCGM_FI_(?:DEV|PROF)_(?:{'|'.join(CHARTED)}))\{{(.*)\}} (\S+)")
_JOB = re.compile(',hpc_job="[0-9]+"')

SourceOf = Callable[[Engine], PrometheusSource]


def said(cluster: Cluster) -> Iterator[tuple[str, str, str]]:
    """Metric, labels and value of each charted sample that the exporters told at one moment.

    Without jobs: where a label changes a scrape ends the old series at once, and a text has no way to say so.
    """
    for host in cluster.simulation.hosts:
        heard = cluster.simulation.troubles.last_heard(host.name, cluster.moment)
        if host.machine.card is not None and heard == cluster.moment:
            for metric, labels, value in _SAMPLE.findall(dcgm(cluster, host)):
                yield metric, f'{_JOB.sub("", labels)},instance="{host.name}:9400",job="dcgm"', value


def written(simulation: Simulation, now: int, unit_seconds: float) -> str:
    """What was scraped until `now`, metric by metric, with times in that unit."""
    told: dict[str, list[str]] = {}
    for moment in range(now - PAST_SECONDS, now + 1, SCRAPED_EVERY):
        for metric, labels, value in said(simulation.at(moment)):
            told.setdefault(metric, []).append(f"{metric}{{{labels}}} {value} {moment / unit_seconds:.0f}\n")
    return "".join(f"# TYPE {metric} gauge\n" + "".join(lines) for metric, lines in told.items())


def start_prometheus(release: str, jobs: Sequence[ScrapeJob], folder: Path, simulation: Simulation, now: int) -> Engine:
    """A Prometheus whose past was written by its own tool; it takes no sample that is older than that."""
    promtool = daemons.program("promtool", "system")
    (folder / "past").write_text(written(simulation, now, 1.0) + "# EOF\n")
    blocks = ["tsdb", "create-blocks-from", "openmetrics", str(folder / "past"), str(folder / "data")]
    subprocess.run([*promtool, *blocks], check=True, capture_output=True)
    return daemons.start_engine("prometheus", release, jobs, folder)


def start_victoria_metrics(
    release: str, jobs: Sequence[ScrapeJob], folder: Path, simulation: Simulation, now: int
) -> Engine:
    """A VictoriaMetrics that was told its past."""
    engine = daemons.start_engine("victoria-metrics", release, jobs, folder)
    text = written(simulation, now, 0.001).encode()
    with urllib.request.urlopen(f"{engine.url}/api/v1/import/prometheus", data=text, timeout=60):
        return engine


STARTS = {"prometheus": start_prometheus, "victoria-metrics": start_victoria_metrics}


def has_past(engine: Engine) -> bool:
    """True when every GPU has all of its past; VictoriaMetrics takes a while, and then shows it piece by piece."""
    least = (PAST_SECONDS - 3600) / SCRAPED_EVERY
    series = f'DCGM_FI_DEV_GPU_TEMP{{look!="{time.monotonic()}"}}[3h]'
    return bool(engine.query(f"min(sum by (UUID, GPU_I_ID) (count_over_time({series}))) > {least}"))


@dataclass
class Past:
    """An engine with a past, and what is simulated in it: from `now` on time stands still."""

    now: int
    simulation: Simulation
    engine: Engine


@contextmanager
def laid(engine: str, folder: Path, ahead: int) -> Generator[Past]:
    """An engine with a past that ends so many seconds from now."""
    kind, release = ENGINES[engine]
    now = int(time.time()) // SCRAPED_EVERY * SCRAPED_EVERY + ahead
    simulation = Simulation(28, seed=1, begins_at=now, falls_silent_at=now - 2 * 3600)
    with ExporterServer(clock=lambda: float(now), simulation=simulation) as server:
        started = STARTS[kind](release, [*simulated_jobs(server.url)], folder, simulation, now)
        try:
            yield Past(now, simulation, started)
        finally:
            started.daemon.stop()


@pytest.fixture(name="past", scope="module", params=ENGINES)
def _past(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    ahead = AHEAD_SECONDS
    with ExitStack() as stack:
        try:
            past = stack.enter_context(laid(request.param, tmp_path_factory.mktemp("past"), ahead))
            while time.time() >= past.now:
                stack.pop_all().close()
                ahead *= 2
                past = stack.enter_context(laid(request.param, tmp_path_factory.mktemp("past"), ahead))
        except Missing as missing:
            skipped_or_failed(missing)
            raise
        until(lambda: time.time() > past.now, "the present has come", 2.0 * ahead)
        past.engine.wait_for_scrapes()
        until(lambda: has_past(past.engine), "the past can be asked for")
        yield past


@pytest.fixture(name="demo")
def _demo(past: Past) -> DemoSource:
    return DemoSource(clock=lambda: float(past.now), simulation=past.simulation)


@pytest.fixture(name="live")
def _live(past: Past, source_of: SourceOf) -> PrometheusSource:
    """One whose first reading had everything: on a busy machine a scrape may come too late."""
    read: list[PrometheusSource] = []

    def is_whole() -> bool:
        read.append(source_of(past.engine))
        snapshot = read[-1].snapshot()
        return snapshot.jobs is not None and not any(each.severity is Severity.ERROR for each in snapshot.problems)

    until(is_whole, "everything is told")
    return read[-1]


def test_gpus_idle_since_just_then(past: Past, demo: DemoSource, live: PrometheusSource) -> None:
    expected = {gpu.key: gpu.idle_since for gpu in demo.snapshot().gpus if gpu.idle_since is not None}
    found = {gpu.key: gpu.idle_since for gpu in live.snapshot().gpus if gpu.idle_since is not None}
    assert found.keys() == expected.keys()
    was_silent = {gpu.key for gpu in demo.snapshot().gpus_of(past.simulation.troubles.silent)}
    for key, since in expected.items():
        if key in was_silent:  # the look ends where its exporter told nothing, and never claims more than it saw
            assert found[key] >= since - SCRAPED_EVERY
            continue
        exact_to = 60 if past.now - since < 3600 else 600
        seen = max(since, past.now - PAST_SECONDS)  # what was before the past that was laid, no engine knows
        assert found[key] - seen <= exact_to, key
        if found[key] < since - SCRAPED_EVERY:  # it did something, and nobody scraped it just then
            assert not busy_scrapes(past, key, found[key], since), key


def busy_scrapes(past: Past, key: str, begin: float, end: float) -> list[int]:
    """The scrapes between two times that saw a GPU at work."""
    moments = [at for at in range(past.now, int(begin), -SCRAPED_EVERY) if begin < at < end]
    return [at for at in moments if utilization_at(past.simulation, key, at) >= Thresholds().idle_share]


def utilization_at(simulation: Simulation, key: str, moment: int) -> float:
    """What was scraped of a GPU then; of slices their engines' use."""
    gpu = DemoSource(clock=lambda: float(moment), simulation=simulation).snapshot().gpu_by_key[key]
    return gpu.utilization or 0.0


@pytest.mark.parametrize("field", FIELDS)
def test_charts_show_the_same_past(past: Past, demo: DemoSource, live: PrometheusSource, field: str) -> None:
    live.snapshot()
    keys = [gpu.key for gpu in demo.snapshot().gpus]
    told = [source.gpu_history(keys, field, 5400, 90) for source in (demo, live)]
    assert told[0].keys() == told[1].keys()
    for key in told[0]:
        expected, found = (
            {point.at: point.value for point in lines[key] if point.at < past.now - NEWEST_SECONDS} for lines in told
        )
        both = expected.keys() & found.keys()
        assert len(both) > 60
        assert {at: found[at] for at in both} == pytest.approx({at: expected[at] for at in both}, rel=1e-6)

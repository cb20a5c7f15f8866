"""Real engines take every query gpumon sends, and every stranger's name as the string it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import TargetLabels
from gpumon.prometheus.queries import any_of, quoted
from gpumon.settings import PrometheusSettings
from real.conftest import StartEngine
from real.daemons import ScrapeJob
from real.exporters import TextExporter

HOSTILE = [
    'a"} or up or {x="',
    "back\\slash\\n",
    "new\nline",
    "{}[]()|^$.*+?",
    "–ünï\u202ecøde 🦉",
    "\x1b[31mred",
    "[bold]x[/]",
    "x" * 300,
    "per%cent's",
]

EVERY_QUERY = [
    queries.ALL_GPU_SAMPLES,
    queries.SIZES,
    queries.gpu_devices("DCGM_FI_DEV_FB_USED"),
    *(queries.gpu_metric(metric) for metric in queries.GPU_METRICS),
    queries.UP_TIMES,
    queries.DOWN,
    queries.last_words(HOSTILE),
    queries.NODE_SAMPLES,
    queries.NODE_CORES,
    queries.NODE_CPU_SHARE,
    *(queries.node_rate(metric, left_out) for _, metric, left_out in queries.NODE_RATES),
    queries.SLURM_SAMPLES,
    queries.SLURM_STANDING,
    queries.SLURM_HOLDING,
    queries.JOB_INFO,
    queries.HOLDING_JOB_INFO,
    queries.JOB_GPUS,
    *(queries.job_number(metric) for metric, _ in queries.JOB_NUMBERS),
    queries.jobs_in_detail(HOSTILE),
    queries.GPU_MAP,
    queries.JOBS_OF_GPUS,
    queries.JOBS_OF_NODES,
    queries.UTILIZATION_HISTORY,
    queries.gpu_metric_of(queries.UTILIZATION, HOSTILE),
    queries.gpu_peaks(queries.UTILIZATION, HOSTILE, 60.0),
]


@pytest.fixture
def client(start_engine: StartEngine, serve: Callable[[str], TextExporter]) -> Iterator[PrometheusClient]:
    """A client of each engine in turn."""
    engine = start_engine(ScrapeJob("any", {"server-a:1": serve("something 1\n").address}))
    client = PrometheusClient(PrometheusSettings(url=engine.url))
    yield client
    client.close()


def test_every_query_is_understood(client: PrometheusClient) -> None:
    for promql in EVERY_QUERY:
        client.query(promql, TargetLabels)
    client.query_matrix(queries.silent_since(HOSTILE), TargetLabels)
    client.query_matrix(queries.up_history(HOSTILE[0], HOSTILE[1]), TargetLabels)
    client.query_range(queries.UTILIZATION_HISTORY, TargetLabels, start=0, end=100, step=10)


def test_a_strangers_name_is_matched_as_it_is_and_nothing_else(client: PrometheusClient) -> None:
    for name in HOSTILE:
        literal = quoted(name.replace("$", "$$"))
        named = f'label_replace(vector(1), "node", {literal}, "", "")'
        (sample,) = client.query(named, TargetLabels).samples
        assert sample.metric.node == name
        for wanted, hit in ((any_of([name, "other"]), "yes"), (any_of([name + "x", "other"]), "")):
            (sample,) = client.query(f'label_replace({named}, "job", "yes", "node", {wanted})', TargetLabels).samples
            assert sample.metric.job == hit, name

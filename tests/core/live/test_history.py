"""History of GPUs: one line for each, whatever its jobs were, in the model's units and with its gaps."""

from __future__ import annotations

import pytest

from fake_prometheus import FakePrometheus
from gpumon.live import PrometheusSource
from gpumon.live.history import span
from gpumon.prometheus.client import PrometheusClient
from gpumon.settings import PrometheusSettings, Settings
from gpumon.source import Parts
from samples import captured

STEP = 60
HOUR = 3600


def source(server: FakePrometheus) -> PrometheusSource:
    """A source that knows the server's clock and how often it scrapes."""
    settings = Settings(prometheus=PrometheusSettings(url="http://head:9090"))
    live = PrometheusSource(settings, PrometheusClient(settings.prometheus, transport=server.transport()))
    server.scrape(captured("dcgm-l4-eks.prom"), job="dcgm", instance="l4:9400")
    live.snapshot(Parts.GPUS)
    server.asked.clear()
    return live


def steady(value: float | str, *, since: int = HOUR, until: int = 0) -> list[tuple[float, float | str]]:
    """The same value every 15 s."""
    return [(ago, value) for ago in range(until, since + STEP, 15)]


def test_a_line_has_as_many_points_as_were_asked_for_in_the_models_units() -> None:
    server = FakePrometheus()
    server.remember("DCGM_FI_DEV_GPU_UTIL", steady(40), UUID="GPU-a")
    server.remember("DCGM_FI_DEV_FB_USED", steady(3), UUID="GPU-a")
    live = source(server)
    line = live.gpu_history(["GPU-a"], "utilization", HOUR, 60)["GPU-a"]
    assert len(line) == 60
    assert {point.value for point in line} == {0.4}
    assert [line[1].at - line[0].at, line[-1].at - line[0].at] == [STEP, HOUR - STEP]
    assert server.now - STEP < line[-1].at <= server.now + 1
    used = live.gpu_history(["GPU-a"], "memory_used_bytes", HOUR, 10)["GPU-a"]
    assert {point.value for point in used} == {3 * 2**20}


def test_a_new_job_makes_no_new_line() -> None:
    server = FakePrometheus()
    server.remember("DCGM_FI_DEV_GPU_UTIL", steady(90, until=1800), UUID="GPU-a", hpc_job="1")
    server.remember("DCGM_FI_DEV_GPU_UTIL", steady(10, since=1700), UUID="GPU-a", hpc_job="2")
    (line,) = source(server).gpu_history(["GPU-a"], "utilization", HOUR, 60).values()
    assert len(line) == 60
    assert (line[0].value, line[-1].value) == (0.9, 0.1)


def test_a_gap_stays_a_gap_and_what_is_no_number_is_none() -> None:
    server = FakePrometheus()
    server.remember("DCGM_FI_DEV_POWER_USAGE", [*steady(200, until=2400), *steady(300, since=1140)], UUID="GPU-a")
    server.remember("DCGM_FI_DEV_POWER_USAGE", steady("NaN"), UUID="GPU-b")
    server.remember("DCGM_FI_DEV_POWER_USAGE", steady("9223372036854775794"), UUID="GPU-c")
    found = source(server).gpu_history(["GPU-a", "GPU-b", "GPU-c", "GPU-gone"], "power_watts", HOUR, 60)
    assert list(found) == ["GPU-a"]
    moments = [round(server.now - point.at) for point in found["GPU-a"]]
    assert not [ago for ago in moments if 1300 < ago < 2300]
    assert {point.value for point in found["GPU-a"]} == {200.0, 300.0}


def test_a_card_without_a_sensor_has_no_temperature_of_zero() -> None:
    server = FakePrometheus()
    server.remember("DCGM_FI_DEV_GPU_TEMP", steady(0), UUID="GPU-a")
    assert source(server).gpu_history(["GPU-a"], "temperature_celsius", HOUR, 60) == {}


def test_slices_are_as_busy_as_their_engines_and_cards_without_the_usual_number_too() -> None:
    server = FakePrometheus()
    server.remember("DCGM_FI_DEV_GPU_UTIL", steady(77), UUID="GPU-a")
    server.remember("DCGM_FI_DEV_GPU_UTIL", steady(50), UUID="GPU-whole")
    server.remember("DCGM_FI_PROF_GR_ENGINE_ACTIVE", steady(0.11), UUID="GPU-whole")
    for name, value in (("3", 0.25), ("5", 0.5)):
        server.remember("DCGM_FI_PROF_GR_ENGINE_ACTIVE", steady(value), UUID="GPU-a", GPU_I_ID=name)
    server.remember("DCGM_FI_PROF_GR_ENGINE_ACTIVE", steady(0.75), UUID="GPU-other")
    keys = ["GPU-a/3", "GPU-a/5", "GPU-whole", "GPU-other"]
    found = source(server).gpu_history(keys, "utilization", HOUR, 10)
    assert {key: line[0].value for key, line in found.items()} == {
        "GPU-a/3": 0.25,
        "GPU-a/5": 0.5,
        "GPU-whole": 0.5,
        "GPU-other": 0.75,
    }


def test_a_slice_takes_its_cards_temperature_but_not_its_memory() -> None:
    server = FakePrometheus()
    server.remember("DCGM_FI_DEV_GPU_TEMP", steady(61), UUID="GPU-a")
    server.remember("DCGM_FI_DEV_FB_USED", steady(40000), UUID="GPU-a")
    live = source(server)
    assert live.gpu_history(["GPU-a/3"], "temperature_celsius", HOUR, 10)["GPU-a/3"][0].value == 61.0
    assert live.gpu_history(["GPU-a/3"], "memory_used_bytes", HOUR, 10) == {}


def test_only_the_gpus_in_question_are_asked_for_and_by_their_exact_names() -> None:
    server = FakePrometheus()
    live = source(server)
    live.gpu_history(['GPU-"} or up{', "GPU-a.b/1"], "sm_active", HOUR, 10)
    (asked,) = server.asked
    assert asked == (
        'max by (UUID, GPU_I_ID) (DCGM_FI_PROF_SM_ACTIVE{UUID=~"GPU-\\"\\\\} or up\\\\{|GPU-a\\\\.b|GPU-a\\\\.b/1"})'
    )


def test_without_gpus_points_or_time_nothing_is_asked() -> None:
    server = FakePrometheus()
    live = source(server)
    assert live.gpu_history([], "power_watts", HOUR, 10) == {}
    assert live.gpu_history(["GPU-a"], "power_watts", HOUR, 0) == {}
    assert live.utilization_history(0, 10) == ()
    assert server.asked == []


def test_a_field_without_history_is_a_bug() -> None:
    with pytest.raises(ValueError, match="no history of 'xid'"):
        source(FakePrometheus()).gpu_history(["GPU-a"], "xid", HOUR, 10)


def test_the_mean_of_all_gpus_has_its_points_too() -> None:
    server = FakePrometheus()
    for uuid, value in (("GPU-a", 20), ("GPU-b", 60)):
        server.remember("DCGM_FI_DEV_GPU_UTIL", steady(value), UUID=uuid)
    line = source(server).utilization_history(HOUR, 60)
    assert (len(line), {point.value for point in line}) == (60, {0.4})


@pytest.mark.parametrize(
    ("seconds", "points", "interval", "step", "count"),
    [
        (3600, 60, 15, 60, 60),
        (600, 240, 15, 15, 40),
        (604800, 240, 15, 2520, 240),
        (10, 60, 15, 15, 1),
        (600, 60, None, 10, 60),
    ],
)
def test_points_fit_the_scrape_interval(
    seconds: float, points: int, interval: float | None, step: float, count: int
) -> None:
    found = span(1_000_003.0, seconds, points, interval)
    assert found is not None
    assert (found.step, found.points) == (step, count)
    assert found.end - found.start == (count - 1) * step
    assert 1_000_003.0 - step < found.end <= 1_000_003.0


def test_the_same_moments_are_asked_for_a_little_later() -> None:
    assert span(1_000_020.0, 3600, 60, 15.0) == span(1_000_055.0, 3600, 60, 15.0) != span(1_000_090.0, 3600, 60, 15.0)


def of_nodes() -> tuple[FakePrometheus, PrometheusSource]:
    """A server with two nodes, and a source that has read it."""
    server = FakePrometheus()
    live = source(server)
    server.scrape(captured("node_exporter-1.5.0.prom"), job="node", instance="a:9100", node="a")
    server.scrape(captured("node_exporter-1.5.0.prom"), job="node", instance="b:9100", node="b")
    live.snapshot(Parts.NODES)
    server.asked.clear()
    return server, live


def test_the_load_of_a_node_is_what_its_own_exporter_told() -> None:
    server, live = of_nodes()
    for name, load in (("a", 2.5), ("b", 7.0)):
        server.remember("node_load1", steady(load), job="node", instance=f"{name}:9100")
    found = live.node_history(["a", "nobody"], "load1", HOUR, 60)
    assert list(found) == ["a"]
    assert len(found["a"]) == 60
    assert {point.value for point in found["a"]} == {2.5}


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("cpu_share", 'rate(node_cpu_seconds_total{mode="idle",instance=~"a:9100"}[60s])'),
        ("network_received_bytes_per_second", 'instance=~"a:9100"}[60s])'),
        ("network_sent_bytes_per_second", "rate(node_network_transmit_bytes_total{device!~"),
    ],
)
def test_a_rate_is_a_mean_over_some_scrapes_of_that_target_alone(field: str, words: str) -> None:
    server, live = of_nodes()
    assert live.node_history(["a"], field, HOUR, 60) == {}
    (asked,) = server.asked
    assert words in asked


def test_nodes_that_nobody_tells_about_are_not_asked_for() -> None:
    server, live = of_nodes()
    assert live.node_history(["nobody"], "load1", HOUR, 60) == {}
    assert live.node_history(["a"], "load1", HOUR, 0) == {}
    assert server.asked == []
    with pytest.raises(ValueError, match="no history of 'uptime'"):
        live.node_history(["a"], "uptime", HOUR, 60)

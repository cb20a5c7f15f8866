"""A whole refresh: the same picture whatever the tier, partial truth where something fails, few queries always."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from fake_prometheus import FakePrometheus
from gpumon.errors import NoData, QueryRejected, Refused
from gpumon.live import PrometheusSource
from gpumon.live import gpus as tiers
from gpumon.model import ClusterSnapshot, Severity, Tier
from gpumon.prometheus.client import PrometheusClient
from gpumon.settings import PrometheusSettings, Settings
from gpumon.source import Parts
from samples import captured

JOBS = """
gpumon_job_info{job_id="7",user="alice",state="running",name="train [a]",partition="gpu",nodes="msxf-hpc-64-35-ai"} 1
gpumon_job_info{job_id="8",user="bob",state="pending",reason="Resources",name="waits",partition="gpu"} 1
gpumon_job_gpus{job_id="7"} 2
gpumon_job_gpus{job_id="8"} 8
gpumon_job_start_time_seconds{job_id="7"} 999000
gpumon_job_submit_time_seconds{job_id="7"} 998000
gpumon_job_gpu{job_id="7",user="alice",node="msxf-hpc-64-35-ai",gpu="3",share="whole"} 1
gpumon_job_gpu{job_id="7",user="alice",node="msxf-hpc-64-35-ai",gpu="0",share="mig"} 1
"""

GPU_MAP = """
gpumon_slurm_gpu_info{node="msxf-hpc-64-35-ai",gpu="0",UUID="GPU-1f027ee8-6e1e-2b8c-0108-3d370e5f0418",GPU_I_ID="3"} 1
gpumon_slurm_gpu_info{node="msxf-hpc-64-35-ai",gpu="3",UUID="GPU-9e5b8fec-61bf-5124-a0a9-079af1b65cc6",GPU_I_ID=""} 1
"""


def cluster() -> FakePrometheus:
    """A MIG node with a map of its GPUs, an L4, an L40S, one master with Slurm and node_exporter, and two jobs."""
    server = FakePrometheus()
    server.scrape(captured("dcgm-a800-8gpu-mig.prom"), job="dcgm", instance="msxf-hpc-64-35-ai:9400")
    server.scrape(captured("dcgm-l4-eks.prom"), job="dcgm", instance="l4:9400")
    server.scrape(captured("dcgm-l40s-upcloud.prom"), job="dcgm", instance="l40s:9400")
    server.scrape(captured("node_exporter-1.5.0.prom"), job="node", instance="gpu01:9100")
    server.scrape(GPU_MAP, job="node", instance="msxf-hpc-64-35-ai:9100")
    server.scrape(captured("vpenso.prom") + JOBS, job="slurm", instance="head:8080")
    return server


def source(server: FakePrometheus) -> PrometheusSource:
    settings = Settings(prometheus=PrometheusSettings(url="http://head:9090"))
    return PrometheusSource(settings, PrometheusClient(settings.prometheus, transport=server.transport()))


def texts(snapshot: ClusterSnapshot) -> list[str]:
    return [problem.text for problem in snapshot.problems]


def test_everything_is_found() -> None:
    snapshot = source(cluster()).snapshot()
    assert len(snapshot.gpus) == 12
    assert {node.name for node in snapshot.nodes} >= {"gpu01", "cpu01", "gpu1-wl8sg", "msxf-hpc-64-35-ai"}
    assert snapshot.queue is not None
    assert [(dialect.part, dialect.name) for dialect in snapshot.dialects] == [
        ("gpus", "dcgm-exporter"),
        ("nodes", "node_exporter"),
        ("slurm", "vpenso prometheus-slurm-exporter"),
        ("jobs", "gpumon-slurm-exporter"),
    ]
    assert snapshot.problems == ()
    assert snapshot.scrape_interval_seconds == 15.0
    assert snapshot.taken_at == 1_000_000.0
    assert {gpu.sampled_at for gpu in snapshot.gpus} == {999_998.0}


@pytest.mark.parametrize(
    ("one_query", "turns", "tier"), [pytest.param(5, 4000, Tier.FULL, marks=pytest.mark.thorough), (1, 2, Tier.TURNS)]
)
def test_every_tier_sees_the_same_cluster(
    monkeypatch: pytest.MonkeyPatch, one_query: int, turns: int, tier: Tier
) -> None:
    plain = source(cluster()).snapshot()
    monkeypatch.setattr(tiers, "ONE_QUERY_UP_TO", one_query)
    monkeypatch.setattr(tiers, "IN_TURNS_FROM", turns)
    other_source = source(cluster())
    for _ in range(15):
        other = other_source.snapshot(Parts.ALL | Parts.DETAIL)
        assert other.tier is tier
        assert other.gpus == plain.gpus
        assert other.jobs == plain.jobs
        assert other.nodes == plain.nodes
        assert other.dialects == plain.dialects


def test_in_turns_everything_comes_without_a_false_word_about_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = source(cluster()).snapshot()
    monkeypatch.setattr(tiers, "ONE_QUERY_UP_TO", 1)
    monkeypatch.setattr(tiers, "IN_TURNS_FROM", 2)
    live = source(cluster())
    first = live.snapshot()
    assert [gpu.utilization for gpu in first.gpus] == [gpu.utilization for gpu in plain.gpus]
    assert first.gpus[0].detail.sm_clock_megahertz is None
    assert "in turns" in first.why_missing("gpus", "sm_clock_megahertz")
    lacks = {lack.metric for lack in plain.dialects[0].lacks}
    last = first
    for _ in range(14):
        last = live.snapshot()
        assert {lack.metric for lack in last.dialects[0].lacks} <= lacks
    assert last.gpus == plain.gpus
    assert last.dialects == plain.dialects


def test_the_number_of_queries_does_not_depend_on_the_cluster() -> None:
    small, large = FakePrometheus(), FakePrometheus()
    for place in range(2):
        small.scrape(captured("dcgm-l4-eks.prom"), job="dcgm", instance=f"n{place}:9400")
    for place in range(60):
        text = captured("dcgm-l4-eks.prom").replace("GPU-c2f7", f"GPU-{place:04}")
        large.scrape(text, job="dcgm", instance=f"n{place}:9400")
    counts = [source(server).snapshot().queries for server in (small, large)]
    assert counts[0] == counts[1] <= 20


def test_a_second_refresh_asks_less() -> None:
    live = source(cluster())
    assert live.snapshot().queries > live.snapshot().queries


def test_jobs_and_gpus_find_each_other() -> None:
    snapshot = source(cluster()).snapshot()
    assert snapshot.jobs is not None
    job = snapshot.job_by_id["7"]
    numbers = {snapshot.gpu_by_key[key].device.number for key in job.held}
    assert numbers == {"1", "0.3"}
    assert (job.gpus, job.started_at, job.name) == (2.0, 999_000.0, "train [a]")
    free = next(gpu for gpu in snapshot.gpus if gpu.device.number == "2")
    assert free.jobs == ()
    assert snapshot.users_of(snapshot.gpu_by_key[job.held[0]]) == ("alice",)


def test_a_new_job_is_asked_for_by_its_id_alone() -> None:
    server = cluster()
    live = source(server)
    live.snapshot()
    server.scrape(
        'gpumon_job_info{job_id="9",user="eve",state="running"} 1\ngpumon_job_gpus{job_id="9"} 4\n',
        job="slurm",
        instance="head:8080",
    )
    server.asked.clear()
    snapshot = live.snapshot()
    assert snapshot.job_by_id["9"].gpus == 4.0
    assert [promql for promql in server.asked if 'job_id=~"9"' in promql]
    assert not [promql for promql in server.asked if promql.startswith("max by (job_id)")]


def test_a_job_that_starts_is_read_again() -> None:
    server = cluster()
    live = source(server)
    live.snapshot()
    server.series = [row for row in server.series if row[0].get("job_id") != "8"]
    text = (
        'gpumon_job_info{job_id="8",user="bob",state="running"} 1\ngpumon_job_start_time_seconds{job_id="8"} 999990\n'
    )
    server.scrape(text, job="slurm", instance="head:8080")
    assert live.snapshot().job_by_id["8"].started_at == 999_990.0


def test_an_ended_job_is_gone_and_its_gpus_are_free() -> None:
    server = cluster()
    live = source(server)
    live.snapshot()
    server.series = [row for row in server.series if row[0].get("job_id") != "7"]
    snapshot = live.snapshot()
    assert "7" not in snapshot.job_by_id
    assert all(gpu.jobs == () for gpu in snapshot.gpus)


def test_in_turns_a_job_is_seen_to_start_and_to_end_within_two_refreshes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "ONE_QUERY_UP_TO", 1)
    monkeypatch.setattr(tiers, "IN_TURNS_FROM", 2)
    server = cluster()
    live = source(server)
    others = [row for row in server.series if row[0].get("job_id") != "8"]
    assert live.snapshot().job_by_id["8"].state == "pending"
    server.series = list(others)
    server.scrape('gpumon_job_info{job_id="8",user="bob",state="running"} 1\n', job="slurm", instance="head:8080")
    assert "running" in {live.snapshot().job_by_id["8"].state, live.snapshot().job_by_id["8"].state}
    server.series = others
    assert not [None for _ in range(2) if "8" in live.snapshot().job_by_id][1:]


def test_jobs_come_in_the_order_of_their_numbers() -> None:
    server = cluster()
    for number in (100, 11, 9):
        server.scrape(f'gpumon_job_info{{job_id="{number}",state="pending"}} 1\n', job="slurm", instance="head:8080")
    jobs = source(server).snapshot().jobs
    assert jobs is not None
    assert [job.id for job in jobs] == ["7", "8", "9", "11", "100"]


def test_a_job_that_did_not_change_is_the_same_object() -> None:
    live = source(cluster())
    first, second = live.snapshot(), live.snapshot()
    assert first.job_by_id["7"] is second.job_by_id["7"]


@pytest.mark.parametrize("one_query", [500, 1])
def test_a_silent_exporters_gpus_stay_dated_and_old(monkeypatch: pytest.MonkeyPatch, one_query: int) -> None:
    monkeypatch.setattr(tiers, "ONE_QUERY_UP_TO", one_query)
    server = cluster()
    live = source(server)
    before = live.snapshot()
    server.fall_silent("dcgm", "l4:9400")
    server.heard["dcgm", "l4:9400"] = server.now - 420
    after = live.snapshot()
    assert len(after.gpus) == len(before.gpus)
    old = [gpu for gpu in after.gpus if gpu.is_stale]
    assert [(gpu.device.model, gpu.sampled_at, gpu.temperature_celsius) for gpu in old] == [
        ("NVIDIA L4", server.now - 420, 31.0)
    ]
    assert any("l4:9400 has been silent for 7m" in text for text in texts(after))
    exporter = after.node_by_name["i-030791dc5a37cd257"].exporters[0]
    assert (exporter.kind, exporter.is_up, exporter.scraped_at) == ("dcgm", False, server.now - 420)


def test_a_first_look_finds_silent_exporters_too() -> None:
    server = cluster()
    server.fall_silent("dcgm", "l4:9400")
    server.fall_silent("node", "gpu01:9100")
    snapshot = source(server).snapshot()
    assert [gpu.device.model for gpu in snapshot.gpus if gpu.is_stale] == ["NVIDIA L4"]
    node = snapshot.node_by_name["gpu01"]
    assert (node.is_stale, node.load1) == (True, 2.23)


def test_an_exporter_that_comes_back_is_fresh_again() -> None:
    server = cluster()
    live = source(server)
    server.fall_silent("dcgm", "l4:9400")
    live.snapshot()
    server.scrape(captured("dcgm-l4-eks.prom"), job="dcgm", instance="l4:9400")
    server.silent.clear()
    snapshot = live.snapshot()
    assert not any(gpu.is_stale for gpu in snapshot.gpus)
    assert len(snapshot.gpus) == 12


def test_a_gpu_that_is_gone_while_its_exporter_speaks_is_gone() -> None:
    server = cluster()
    live = source(server)
    live.snapshot()
    server.series = [row for row in server.series if row[0].get("modelName") != "NVIDIA L4"]
    assert len(live.snapshot().gpus) == 11


def test_old_values_of_a_target_that_is_up_are_marked_old() -> None:
    server = cluster()
    server.heard["dcgm", "l4:9400"] = server.now - 60
    snapshot = source(server).snapshot()
    assert [gpu.device.model for gpu in snapshot.gpus if gpu.is_stale] == ["NVIDIA L4"]


def _refuse(pattern: str, message: str) -> Callable[[str], httpx.Response | None]:
    def fault(asked: str) -> httpx.Response | None:
        if re.search(pattern, asked):
            body = {"status": "error", "errorType": "execution", "error": message}
            return httpx.Response(422, json=body)
        return None

    return fault


@pytest.mark.parametrize(
    ("pattern", "part"),
    [("DCGM_FI_DEV_GPU_UTIL", "gpus"), ("node_load1", "nodes"), ("slurm_queue", "slurm")],
)
def test_a_failing_query_takes_only_its_part(pattern: str, part: str) -> None:
    server = cluster()
    server.fault = _refuse(pattern, "query processing would load too many samples")
    snapshot = source(server).snapshot()
    failed = [problem for problem in snapshot.problems if problem.severity is Severity.ERROR]
    assert [problem.part for problem in failed] == [part]
    assert "too many samples" in failed[0].text
    assert bool(snapshot.gpus) is (part != "gpus")
    assert (snapshot.queue is not None) is (part != "slurm")


def test_a_query_layer_without_alerts_and_targets_is_no_fault() -> None:
    server = cluster()
    server.fault = lambda asked: httpx.Response(404, text="404 page not found") if asked.startswith("/") else None
    snapshot = source(server).snapshot()
    assert (snapshot.alerts, snapshot.targets) == (None, None)
    assert {(problem.part, problem.severity) for problem in snapshot.problems} == {
        ("alerts", Severity.NOTE),
        ("targets", Severity.NOTE),
    }


def test_when_everything_fails_the_source_is_out_of_reach() -> None:
    server = cluster()
    server.fault = _refuse(".", "out of order")
    with pytest.raises(QueryRejected, match="out of order"):
        source(server).snapshot()


def test_nobody_listening_is_one_error() -> None:
    settings = Settings(prometheus=PrometheusSettings(url="http://127.0.0.1:9"))
    with pytest.raises(Refused):
        PrometheusSource(settings).snapshot()


def test_an_empty_server_says_so() -> None:
    with pytest.raises(NoData, match="holds no samples"):
        source(FakePrometheus()).snapshot()


def test_a_server_with_other_things_says_what_is_missing() -> None:
    server = FakePrometheus()
    server.scrape("redis_up 1\n", job="redis", instance="cache:9121")
    with pytest.raises(NoData, match=r"scrapes 1 targets, but none of them tells about GPUs \(dcgm-exporter\)"):
        source(server).snapshot()


def test_missing_exporters_are_named_one_by_one() -> None:
    server = FakePrometheus()
    server.scrape(captured("dcgm-l4-eks.prom"), job="dcgm", instance="l4:9400")
    snapshot = source(server).snapshot()
    assert {problem.part for problem in snapshot.problems} == {"nodes", "slurm"}
    assert "no current Slurm series" in " ".join(texts(snapshot))
    assert snapshot.why_missing("slurm", "state") == "Prometheus holds no current Slurm series."


def test_prometheus_remarks_are_passed_on() -> None:
    def fault(asked: str) -> httpx.Response | None:
        if "slurm_queue" in asked:
            text = '{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["store 2 is down"]}'
            return httpx.Response(200, text=text)
        return None

    server = cluster()
    server.fault = fault
    assert any("store 2 is down" in text for text in texts(source(server).snapshot()))


def test_only_wanted_parts_are_asked_for() -> None:
    server = cluster()
    snapshot = source(server).snapshot(Parts.GPUS)
    assert len(snapshot.gpus) == 12
    assert (snapshot.nodes, snapshot.queue, snapshot.jobs, snapshot.alerts, snapshot.targets) == (
        (),
        None,
        None,
        None,
        None,
    )
    assert not [promql for promql in server.asked if "node_load1" in promql and "last_over_time" not in promql]
    assert snapshot.problems == ()


def test_simulated_data_says_so_even_when_only_gpus_are_asked_for() -> None:
    server = cluster()
    server.scrape('gpumon_demo_info{seed="1"} 1\n', job="slurm", instance="head:8080")
    assert source(server).snapshot(Parts.GPUS).is_simulated
    assert source(server).snapshot().is_simulated
    assert not source(cluster()).snapshot().is_simulated


def test_hostile_names_come_through_whole() -> None:
    hostile = "\x1b[31m[red]x[/]\u202e'\\\"\n" + "n" * 300
    escaped = hostile.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    server = cluster()
    server.scrape(
        f'gpumon_job_info{{job_id="66",user="{escaped}",name="{escaped}",state="running"}} 1\n',
        job="slurm",
        instance="head:8080",
    )
    assert source(server).snapshot().job_by_id["66"].name == hostile


def test_a_job_known_by_its_number_alone_has_an_unknown_user() -> None:
    server = FakePrometheus()
    server.scrape(captured("dcgm-constructed-hpc_job.prom"), job="dcgm", instance="a800:9400")
    snapshot = source(server).snapshot()
    held = [gpu for gpu in snapshot.gpus if gpu.jobs]
    assert len(held) == 5
    assert {snapshot.users_of(gpu) for gpu in held} == {None}

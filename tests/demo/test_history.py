"""The history of single GPUs is what the snapshots of those moments showed."""

from __future__ import annotations

import pytest

from gpumon_demo.cluster import BEGIN, Simulation
from gpumon_demo.source import DemoSource

FIELDS = ("utilization", "memory_used_bytes", "power_watts", "temperature_celsius", "sm_active")
NOW = BEGIN + 90_000.0


def _source(simulation: Simulation, now: float = NOW) -> DemoSource:
    return DemoSource(clock=lambda: now, simulation=simulation)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("seconds", [600, 30 * 3600, 7 * 86_400])
def test_history_is_what_the_snapshots_of_those_moments_showed(
    cluster_of_12: Simulation, field: str, seconds: float
) -> None:
    source = _source(cluster_of_12)
    keys = [gpu.key for gpu in source.snapshot().gpus]
    told = {
        key: {point.at: point.value for point in line}
        for key, line in source.gpu_history(keys, field, seconds, 6).items()
    }
    moments = {at for line in told.values() for at in line}
    assert len(moments) == 6
    for moment in moments:
        fresh = [gpu for gpu in _source(cluster_of_12, moment).snapshot().gpus if not gpu.is_stale]
        shown = {gpu.key: value for gpu in fresh if (value := getattr(gpu, field)) is not None}
        assert {key: line[moment] for key, line in told.items() if moment in line} == shown


def test_history_has_a_gap_where_the_exporter_was_silent() -> None:
    simulation = Simulation(12, 1, falls_silent_at=NOW - 900)
    keys = [gpu.key for gpu in _source(simulation).snapshot().gpus]
    told = _source(simulation).gpu_history(keys, "utilization", 3600, 60)
    silent = simulation.troubles.silent
    newest = {gpu.key: told[gpu.key][-1].at for gpu in _source(simulation).snapshot().gpus if gpu.node == silent}
    assert newest
    assert {at <= NOW - 900 for at in newest.values()} == {True}
    others = {line[-1].at for key, line in told.items() if key not in newest}
    assert others == {NOW}


def test_gpus_that_nobody_knows_have_no_history() -> None:
    source = _source(Simulation(33, 1))
    down = source.simulation.troubles.down
    host = next(host for host in source.simulation.hosts if host.name == down)
    assert source.gpu_history([host.units[0].device.key, "GPU-nobody"], "utilization", 3600, 60) == {}


@pytest.mark.parametrize(("seconds", "points", "most"), [(3600, 60, 60), (60, 240, 12), (3600, 0, 0), (0, 60, 0)])
def test_history_never_has_more_points_than_asked_for(
    cluster_of_12: Simulation, seconds: float, points: int, most: int
) -> None:
    source = _source(cluster_of_12)
    key = source.snapshot().gpus[0].key
    line = source.gpu_history([key], "power_watts", seconds, points).get(key, ())
    assert len(line) == most
    assert list(line) == sorted(line, key=lambda point: point.at)
    assert all(NOW - seconds <= point.at <= NOW for point in line)


@pytest.mark.parametrize("nodes", [12, pytest.param(33, marks=pytest.mark.thorough)])
def test_an_idle_gpu_has_been_idle_since_just_then(nodes: int) -> None:
    simulation, looked_at = Simulation(nodes, 1), 0
    for now in (NOW, NOW + 40_000, NOW + 80_000):
        source = _source(simulation, now)
        snapshot = source.snapshot()
        for gpu in snapshot.gpus:
            if gpu.idle_since is None:
                busy = gpu.utilization or 0.0
                assert not gpu.jobs or gpu.is_stale or busy >= 0.05
                continue
            assert gpu.jobs
            began = min(snapshot.job_by_id[job].started_at or 0.0 for job in gpu.jobs)
            ticks = round((now - gpu.idle_since) / 5) + 2
            line = source.gpu_history([gpu.key], "utilization", ticks * 5, ticks)[gpu.key]
            before, *since = (point.value for point in line)
            assert gpu.idle_since == began or before >= 0.05
            assert max(since) < 0.05
            assert line[1].at == gpu.idle_since
            looked_at += 1
    assert looked_at > 10


@pytest.mark.parametrize(
    "field", ["cpu_share", "load1", "network_received_bytes_per_second", "network_sent_bytes_per_second"]
)
def test_the_history_of_nodes_is_what_the_snapshots_of_those_moments_showed(
    cluster_of_12: Simulation, field: str
) -> None:
    source = _source(cluster_of_12)
    names = [node.name for node in source.snapshot().nodes]
    told = source.node_history([*names, "nobody"], field, 3600, 6)
    assert set(told) == set(names) - {cluster_of_12.troubles.down}
    for place in range(6):
        moment = told[names[0]][place].at
        shown = _source(cluster_of_12, moment).snapshot().node_by_name
        assert {name: line[place].value for name, line in told.items()} == {n: getattr(shown[n], field) for n in told}


def test_there_is_no_history_of_what_no_chart_shows(cluster_of_12: Simulation) -> None:
    with pytest.raises(ValueError, match="no history of 'uptime'"):
        _source(cluster_of_12).node_history(["gpu-a01"], "uptime", 3600, 6)

"""The demo's source speaks like a real reading of the same exporters."""

from __future__ import annotations

import pytest

from gpumon.model import ClusterSnapshot
from gpumon.source import ClusterSource, Parts
from gpumon_demo.cluster import BEGIN, Simulation
from gpumon_demo.source import DemoSource


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, now: float = BEGIN) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="source")
def _source(clock: Clock, cluster_of_12: Simulation) -> DemoSource:
    return DemoSource(clock=clock, simulation=cluster_of_12)


def test_without_a_simulation_its_troubles_are_laid_around_the_start() -> None:
    clock = Clock(BEGIN + 3_456_789)
    source = DemoSource(5, 2, clock)
    assert source.label == "demo, seed 2, 5 nodes"
    assert {gpu.node for gpu in source.snapshot().gpus if gpu.is_stale} == {source.simulation.troubles.silent}
    for node in source.snapshot().nodes:
        assert node.booted_at is not None
        assert 86_400 < clock.now - node.booted_at < 60 * 86_400


def test_it_is_a_cluster_source(source: DemoSource) -> None:
    as_source: ClusterSource = source
    assert as_source.label == "demo, seed 1, 12 nodes"
    assert as_source.snapshot().source == as_source.label
    as_source.close()


def test_every_snapshot_says_that_it_is_simulated(source: DemoSource) -> None:
    for parts in (Parts.ALL, Parts.GPUS, Parts.SLURM | Parts.JOBS):
        assert source.snapshot(parts).is_simulated


def test_every_part_of_the_whole_is_filled(source: DemoSource) -> None:
    snapshot = source.snapshot()
    assert snapshot.gpus
    assert snapshot.nodes
    assert snapshot.jobs
    assert snapshot.queue is not None
    assert snapshot.queue.by_state
    assert snapshot.partitions
    assert snapshot.users
    assert snapshot.accounts
    assert snapshot.reservations
    assert snapshot.alerts
    assert snapshot.targets
    assert {dialect.part for dialect in snapshot.dialects} == {"gpus", "nodes", "slurm", "jobs"}
    assert snapshot.scrape_interval_seconds == 5


@pytest.mark.parametrize(
    ("part", "names"),
    [
        (Parts.GPUS, {"gpus"}),
        (Parts.NODES, {"nodes"}),
        (Parts.SLURM, {"queue", "partitions", "users", "accounts", "reservations"}),
        (Parts.JOBS, {"jobs"}),
        (Parts.ALERTS, {"alerts"}),
        (Parts.TARGETS, {"targets"}),
    ],
)
def test_only_what_is_wanted_is_told(source: DemoSource, part: Parts, names: set[str]) -> None:
    snapshot = source.snapshot(part)
    everything = ("gpus", "nodes", "queue", "partitions", "users", "accounts", "reservations", "jobs", "alerts")
    assert {name for name in (*everything, "targets") if getattr(snapshot, name)} == names
    assert {dialect.part for dialect in snapshot.dialects} <= {"gpus", "nodes", "slurm", "jobs"} & (
        names | ({"slurm"} if part is Parts.SLURM else set())
    )


def test_an_exporter_has_been_silent_for_minutes_when_the_demo_starts(source: DemoSource) -> None:
    snapshot = source.snapshot()
    silent = source.simulation.troubles.silent
    stale = [gpu for gpu in snapshot.gpus if gpu.is_stale]
    assert {gpu.node for gpu in stale} == {silent}
    assert {gpu.sampled_at for gpu in stale} == {BEGIN - 245}
    said = [problem for problem in snapshot.problems if silent in problem.text]
    assert len(said) == 1
    assert said[0].advice
    broken = [target for target in snapshot.targets or () if target.health == "down"]
    assert [(target.node, bool(target.last_error)) for target in broken] == [(silent, True)]
    node = snapshot.node_by_name[silent]
    assert [(one.kind, one.is_up) for one in node.exporters] == [("dcgm", False), ("node", True)]


def test_the_silent_exporter_comes_back(source: DemoSource, clock: Clock) -> None:
    clock.now += 1800
    snapshot = source.snapshot()
    assert not any(gpu.is_stale for gpu in snapshot.gpus)
    assert not snapshot.problems


def test_a_problem_is_told_only_with_its_part(source: DemoSource) -> None:
    assert not source.snapshot(Parts.JOBS).problems
    assert source.snapshot(Parts.GPUS).problems


def test_the_model_is_consistent_in_itself(source: DemoSource, clock: Clock) -> None:
    for hour in range(0, 200, 19):
        clock.now = BEGIN + hour * 3600
        snapshot = source.snapshot()
        _check(snapshot)


def _check(snapshot: ClusterSnapshot) -> None:
    names = [node.name for node in snapshot.nodes]
    assert names == sorted(names)
    for node in snapshot.nodes:
        assert tuple(gpu.key for gpu in snapshot.gpus_of(node.name)) == node.gpus
    for gpu in snapshot.gpus:
        assert gpu.key in snapshot.node_by_name[gpu.node].gpus
        assert gpu.jobs is not None
        for job_id in gpu.jobs:
            assert gpu.key in snapshot.job_by_id[job_id].held
            assert snapshot.users_of(gpu)
    for alert in snapshot.alerts or ():
        assert alert.node in snapshot.node_by_name


def test_values_stay_the_same_until_the_tick_is_over_while_the_clock_runs(source: DemoSource, clock: Clock) -> None:
    first = source.snapshot()
    clock.now += 4.5
    second = source.snapshot()
    assert second.taken_at == first.taken_at + 4.5
    assert second.gpus == first.gpus
    clock.now += 0.5
    assert source.snapshot().gpus != first.gpus


def test_two_sources_on_one_simulation_agree() -> None:
    simulation, clock = Simulation(12, 9), Clock(BEGIN + 777)
    one, other = (DemoSource(clock=clock, simulation=simulation) for _ in range(2))
    assert one.snapshot().gpus == other.snapshot().gpus


def test_history_exists_from_the_first_second(source: DemoSource) -> None:
    points = source.utilization_history(3600, 60)
    assert len(points) == 60
    assert [point.at for point in points] == sorted({point.at for point in points})
    assert points[-1].at <= BEGIN
    assert points[0].at >= BEGIN - 3600
    assert all(0 <= point.value <= 1 for point in points)
    assert len({point.value for point in points}) > 10


@pytest.mark.parametrize(("seconds", "points"), [(3600, 1), (60, 100), (86_400, 7), (7, 3)])
def test_history_never_has_more_points_than_asked_for(source: DemoSource, seconds: float, points: int) -> None:
    assert 1 <= len(source.utilization_history(seconds, points)) <= points


@pytest.mark.parametrize(("seconds", "points"), [(0, 10), (-5, 10), (3600, 0)])
def test_no_history_is_no_history(source: DemoSource, seconds: float, points: int) -> None:
    assert source.utilization_history(seconds, points) == ()


def test_history_does_not_change_when_it_is_asked_for_again(source: DemoSource, clock: Clock) -> None:
    before = {point.at: point.value for point in source.utilization_history(3600, 60)}
    clock.now += 600
    after = {point.at: point.value for point in source.utilization_history(3600, 60)}
    shared = before.keys() & after.keys()
    assert len(shared) > 40
    assert all(before[at] == after[at] for at in shared)


def test_history_is_about_what_snapshots_show(source: DemoSource, clock: Clock) -> None:
    for point in source.utilization_history(7200, 8):
        clock.now = point.at
        whole = [gpu.utilization for gpu in source.snapshot().gpus if not gpu.device.mig and not gpu.is_stale]
        shown = [share for share in whole if share is not None]
        assert point.value == pytest.approx(sum(shown) / len(shown), abs=0.06)

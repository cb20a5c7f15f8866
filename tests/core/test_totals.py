"""Totals of a cluster: what is counted, what is left out, and what stays unknown."""

from __future__ import annotations

import pytest

from gpumon.model import (
    Alert,
    ClusterSnapshot,
    Exporter,
    Gpu,
    GpuDetail,
    GpuDevice,
    Job,
    MigInstance,
    Node,
    NodeSlurm,
    Queue,
    Target,
)
from gpumon.settings import Thresholds
from gpumon.totals import ClusterTotals


def card(
    number: int,
    *,
    mig: str | None = None,
    utilization: float | None = None,
    power: float | None = None,
    celsius: float | None = None,
    used: float | None = None,
    size: float | None = None,
    jobs: tuple[str, ...] | None = None,
    xid: int | None = None,
    idle_since: float | None = None,
    is_stale: bool = False,
) -> Gpu:
    slice_ = None if mig is None else MigInstance(mig, "1g.10gb")
    device = GpuDevice(uuid=f"GPU-{number}", node="gpu1", index=number, mig=slice_, memory_total_bytes=size)
    return Gpu(
        device,
        utilization=utilization,
        power_watts=power,
        temperature_celsius=celsius,
        memory_used_bytes=used,
        jobs=jobs,
        is_stale=is_stale,
        idle_since=idle_since,
        detail=GpuDetail(xid=xid),
    )


def totals(*gpus: Gpu) -> ClusterTotals:
    return ClusterTotals.of(ClusterSnapshot(gpus=gpus))


def test_of_nothing_nothing_is_known() -> None:
    known = ClusterTotals.of(ClusterSnapshot())
    assert known == ClusterTotals()
    assert known.gpus_lost is None
    assert known.memory_share is None
    assert known.nodes_up == 0


def test_power_is_counted_once_for_a_card_whatever_its_slices() -> None:
    known = totals(card(0, mig="1", power=300.0), card(0, mig="2", power=300.0), card(1, power=100.0))
    assert known.power_watts == 400.0
    assert known.gpus == 3


def test_a_slice_that_does_not_tell_its_power_does_not_hide_the_card() -> None:
    assert totals(card(0, mig="1", power=300.0), card(0, mig="2")).power_watts == 300.0


def test_the_mean_is_of_those_that_tell() -> None:
    assert totals(card(0, utilization=1.0), card(1, utilization=0.5), card(2)).utilization_share == 0.75


def test_old_numbers_are_left_out_and_counted_as_lost() -> None:
    known = totals(card(0, utilization=0.5, power=100.0), card(1, utilization=1.0, power=300.0, is_stale=True))
    assert (known.utilization_share, known.power_watts) == (0.5, 100.0)
    assert (known.gpus, known.gpus_stale, known.gpus_lost) == (2, 1, 1)


def test_what_slurm_has_and_no_exporter_tells_about_is_lost() -> None:
    node = Node("gpu1", slurm=NodeSlurm(state="idle", gpus_total=8), gpus=("GPU-0",))
    assert ClusterTotals.of(ClusterSnapshot(gpus=(card(0),), nodes=(node,))).gpus_lost == 7


def test_nobody_can_call_nothing_lost_while_slurm_does_not_say_how_many_there_should_be() -> None:
    assert ClusterTotals.of(ClusterSnapshot(gpus=(card(0),), nodes=(Node("gpu1", gpus=("GPU-0",)),))).gpus_lost is None


def test_more_slices_than_slurm_has_cards_are_not_a_negative_loss() -> None:
    node = Node("gpu1", slurm=NodeSlurm(state="idle", gpus_total=1), gpus=("GPU-0/1", "GPU-0/2"))
    snapshot = ClusterSnapshot(gpus=(card(0, mig="1"), card(0, mig="2")), nodes=(node,))
    assert ClusterTotals.of(snapshot).gpus_lost == 0


def test_idle_is_held_and_not_working() -> None:
    known = totals(
        card(0, utilization=0.01, jobs=("1",)),
        card(1, utilization=0.9, jobs=("1",)),
        card(2, utilization=0.0, jobs=()),
        card(3, jobs=("2",)),
    )
    assert (known.gpus_allocated, known.gpus_free, known.gpus_idle, known.gpus_busy) == (3, 1, 1, 1)


def test_what_idle_gpus_waste_adds_up_and_is_unknown_where_one_is() -> None:
    idle = (
        card(0, utilization=0.0, jobs=("7",), idle_since=-50.0),
        card(1, utilization=0.0, jobs=("7",), idle_since=-30.0),
    )
    busy, free = card(2, utilization=0.9, jobs=("8",)), card(3, utilization=0.0, jobs=())
    assert totals(*idle, busy, free).wasted_gpu_seconds == 80.0
    assert totals(busy, free).wasted_gpu_seconds == 0.0
    assert totals(*idle, card(4, utilization=0.0, jobs=("7",))).wasted_gpu_seconds is None
    assert totals(card(0, utilization=0.0)).wasted_gpu_seconds is None


def test_where_not_every_holder_is_known_slurms_count_stands() -> None:
    gpus = card(0, jobs=("7",)), card(1)
    queue = Queue(gpus_total=4, gpus_allocated=3)
    counted = ClusterTotals.of(ClusterSnapshot(gpus=gpus, queue=queue))
    assert (counted.gpus_allocated, counted.gpus_free) == (3, 1)
    assert (totals(*gpus).gpus_allocated, totals(*gpus).gpus_free) == (1, 0)


def test_who_is_idle_is_unknown_when_nobody_tells_of_jobs() -> None:
    known = totals(card(0, utilization=0.0))
    assert known.gpus_idle is None
    assert known.gpus_allocated is None
    assert known.gpus_busy == 0


def test_without_jobs_at_the_gpus_slurm_says_how_many_are_allocated() -> None:
    known = ClusterTotals.of(ClusterSnapshot(gpus=(card(0),), queue=Queue(gpus_total=8, gpus_allocated=5)))
    assert (known.gpus_allocated, known.gpus_free) == (5, 3)


@pytest.mark.parametrize(("celsius", "hot"), [(None, None), (84.9, 0), (85.0, 1)])
def test_hot_begins_at_the_threshold(celsius: float | None, hot: int | None) -> None:
    assert totals(card(0, celsius=celsius)).gpus_hot == hot


def test_thresholds_are_those_of_the_site() -> None:
    snapshot = ClusterSnapshot(gpus=(card(0, utilization=0.2, celsius=60.0, jobs=("1",)),))
    known = ClusterTotals.of(snapshot, Thresholds(temperature_celsius=50.0, idle_share=0.3))
    assert (known.gpus_hot, known.gpus_idle, known.gpus_busy) == (1, 1, 0)


def test_memory_counts_only_where_use_and_size_are_known() -> None:
    known = totals(card(0, used=40.0, size=80.0), card(1, size=80.0), card(2, used=1.0))
    assert (known.memory_used_bytes, known.memory_total_bytes, known.memory_share) == (40.0, 80.0, 0.5)


def test_an_xid_of_zero_is_no_xid() -> None:
    assert totals(card(0, xid=0), card(1, xid=79), card(2)).gpus_with_xid == 1
    assert totals(card(0)).gpus_with_xid is None


def test_nodes_are_up_unless_slurm_or_their_exporters_say_otherwise() -> None:
    nodes = (
        Node("a", slurm=NodeSlurm(state="idle")),
        Node("b", slurm=NodeSlurm(state="idle", flags=("drain",))),
        Node("c", exporters=(Exporter("node", "node", "c:9100", False),)),
        Node("d", sampled_at=1.0, is_stale=True),
        Node("e", sampled_at=1.0),
    )
    known = ClusterTotals.of(ClusterSnapshot(nodes=nodes))
    assert (known.nodes, known.nodes_up, known.nodes_out_of_use, known.nodes_silent) == (5, 2, 1, 2)


def test_without_slurm_nobody_knows_what_is_out_of_use() -> None:
    assert ClusterTotals.of(ClusterSnapshot(nodes=(Node("a"),))).nodes_out_of_use is None


def test_jobs_come_from_the_queue_else_from_the_jobs() -> None:
    jobs = (Job("1", state="running"), Job("2", state="pending"), Job("3", state="pending"))
    assert ClusterTotals.of(ClusterSnapshot(jobs=jobs)).jobs_pending == 2
    queue = Queue(by_state={"running": 7})
    known = ClusterTotals.of(ClusterSnapshot(jobs=jobs, queue=queue))
    assert (known.jobs_running, known.jobs_pending) == (7, 0)


def test_only_firing_alerts_and_targets_that_are_down_count() -> None:
    snapshot = ClusterSnapshot(
        alerts=(Alert("A", "firing"), Alert("B", "pending")),
        targets=(Target("j", "a:1", "a", "up"), Target("j", "b:1", "b", "down"), Target("j", "c:1", "c", "unknown")),
    )
    known = ClusterTotals.of(snapshot)
    assert (known.alerts_firing, known.targets_down) == (1, 1)

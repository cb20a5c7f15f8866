"""Every number of a reading comes out under its name, once, and what is not known is not there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from exporter_readings import FULL, HOSTILE, TRAINING, Series, names, series, value
from gpumon_exporter.metrics.exposition import Family, Samples, block
from gpumon_exporter.metrics.jobs import job_families
from gpumon_exporter.metrics.nodes import node_families
from gpumon_exporter.metrics.partitions import partition_families, reservation_families
from gpumon_exporter.metrics.queue import finished_families, queue_families
from gpumon_exporter.slurm.records import NodeGpus, Reading, SlurmJob, SlurmNode

Families = Callable[[Reading], Iterable["tuple[Family, Samples]"]]
EVERYTHING: tuple[Families, ...] = (
    job_families,
    node_families,
    partition_families,
    reservation_families,
    queue_families,
    finished_families,
)


def told(reading: Reading, *kinds: Families) -> Series:
    """What is told of a reading."""
    return series(
        b"".join(part for families in kinds or EVERYTHING for part in block(families(reading)).plain).decode()
    )


def test_a_job_is_told_with_its_labels_and_numbers() -> None:
    jobs = told(FULL, job_families)
    assert value(
        jobs, "gpumon_job_info", job_id="101", array_job_id="", array_task_id="", het_job_id="", user="alice",
        account="physics", partition="h100", qos="normal", name=HOSTILE, state="running", reason="",
        nodes="gpu[01-02]",
    ) == 1  # fmt: skip
    numbers = {name: found for (name, labels), found in jobs.items() if labels == frozenset({("job_id", "101")})}
    assert numbers == {
        "gpumon_job_submit_time_seconds": 1000.0,
        "gpumon_job_eligible_time_seconds": 1001.0,
        "gpumon_job_start_time_seconds": 1002.5,
        "gpumon_job_end_time_seconds": 4602.5,
        "gpumon_job_time_limit_seconds": 3600.0,
        "gpumon_job_cpus": 12.0,
        "gpumon_job_memory_bytes": 2.0**36,
        "gpumon_job_gpus": 3.0,
        "gpumon_job_node_count": 2.0,
        "gpumon_job_priority": 4294901757.0,
    }


def test_a_waiting_array_tells_its_tasks_and_its_planned_start_and_no_start() -> None:
    jobs = told(FULL, job_families)
    assert value(jobs, "gpumon_job_array_tasks", job_id="102") == 99
    assert value(jobs, "gpumon_job_estimated_start_time_seconds", job_id="102") == 5000
    assert value(jobs, "gpumon_job_start_time_seconds", job_id="102") is None
    assert value(jobs, "gpumon_job_time_limit_seconds", job_id="102") is None


def test_each_gpu_is_told_with_its_job_and_the_owner() -> None:
    jobs = told(FULL, job_families)
    owner = {"user": "alice", "account": "physics", "partition": "h100"}
    held = {"job_id": "101", **owner, "node": "gpu02", "gpu": "0", "type": "h100", "share": "whole"}
    assert value(jobs, "gpumon_job_gpu", **held) == 1
    assert sum(name == "gpumon_job_gpu" for name, _ in jobs) == 4


def test_a_gpu_of_a_job_that_is_not_told_has_no_owner_rather_than_a_wrong_one() -> None:
    nobody = {"user": "", "account": "", "partition": ""}
    slice_ = {"node": "mig01", "gpu": "7", "type": "a100_1g.5gb", "share": "mig"}
    assert value(told(FULL, job_families), "gpumon_job_gpu", job_id="103", **nobody, **slice_) == 1


def test_a_job_of_which_nothing_is_known_has_no_numbers() -> None:
    bare = told(replace(FULL, jobs=(SlurmJob("7", gpus=0),), holds=()), job_families)
    assert names(bare) == {"gpumon_job_info", "gpumon_job_gpus"}
    assert value(bare, "gpumon_job_gpus", job_id="7") == 0


def test_a_node_is_told_with_its_state_and_reason() -> None:
    nodes = told(FULL, node_families)
    drained = {"node": "gpu02", "state": "mixed", "flags": "drain", "reason": "kernel\nupdate", "reason_user": "root"}
    assert value(nodes, "gpumon_node_info", **drained, features="") == 1
    assert value(nodes, "gpumon_node_state_since_seconds", node="gpu01") == 1500
    assert value(nodes, "gpumon_node_state_since_seconds", node="gpu02") is None
    assert value(nodes, "gpumon_node_memory_allocated_bytes", node="gpu01") == 2.0**29
    assert value(nodes, "gpumon_node_partition_info", node="gpu01", partition="debug") == 1


def test_gpus_of_a_node_are_told_by_type() -> None:
    nodes = told(FULL, node_families)
    by_type = {
        (suffix, kind): value(nodes, f"gpumon_node_{suffix}", node="gpu04", type=kind)
        for suffix in ("gpus", "gpus_allocated", "gpus_shared")
        for kind in ("a100", "l40s")
    }
    assert list(by_type.values()) == [4, 4, 1, 0, 1, 0]
    assert value(nodes, "gpumon_node_gpus_expected", node="gpu04") == 8
    assert value(nodes, "gpumon_node_gpus_expected", node="cpu01") == 0
    assert value(nodes, "gpumon_node_shards", node="gpu04") == 32
    assert value(nodes, "gpumon_node_shards_allocated", node="gpu04") == 5
    assert value(nodes, "gpumon_node_shards", node="gpu01") is None


def test_a_partition_is_told_with_its_limits_and_what_its_nodes_have() -> None:
    partitions = told(FULL, partition_families)
    assert value(partitions, "gpumon_partition_info", partition="h100", state="up", default="true", qos="part") == 1
    assert value(partitions, "gpumon_partition_info", partition="a100", state="drain", default="false", qos="") == 1
    assert value(partitions, "gpumon_partition_max_time_seconds", partition="h100") == 86400
    assert value(partitions, "gpumon_partition_max_time_seconds", partition="a100") is None
    assert value(partitions, "gpumon_partition_default_time_seconds", partition="a100") == 3600
    assert value(partitions, "gpumon_partition_max_nodes", partition="h100") == 2
    assert value(partitions, "gpumon_partition_nodes", partition="h100") == 3
    assert value(partitions, "gpumon_partition_gpus", partition="h100") == 24
    assert value(partitions, "gpumon_partition_gpus_allocated", partition="h100") == 5
    assert value(partitions, "gpumon_partition_gpus", partition="cpu") == 0


def test_a_reservation_is_told() -> None:
    reservations = told(FULL, reservation_families)
    labels = {"nodes": "gpu[01-02]", "users": "root", "accounts": "ml", "partition": "h100"}
    flags = {"reservation": "maint", "state": "ACTIVE", "flags": "MAINT,SPEC_NODES"}
    assert value(reservations, "gpumon_reservation_info", **labels, **flags) == 1
    assert value(reservations, "gpumon_reservation_start_time_seconds", reservation="maint") == 3000
    assert value(reservations, "gpumon_reservation_end_time_seconds", reservation="maint") == 4000
    assert value(reservations, "gpumon_reservation_node_count", reservation="maint") == 2


def test_the_queue_is_told_in_totals_that_count_every_task_once() -> None:
    queue = told(FULL, queue_families)
    assert value(queue, "gpumon_user_gpus_running", user="alice") == 3
    assert value(queue, "gpumon_account_gpus_running", account="physics") == 3
    assert value(queue, "gpumon_user_gpus_running", user="carol") is None, "what is suspended does not run"
    assert value(queue, "gpumon_pending_jobs", partition="a100,h100", reason="Resources") == 99
    assert value(queue, "gpumon_pending_gpus", partition="a100,h100", reason="Resources") == 99
    assert value(queue, "gpumon_pending_jobs", partition="h100", reason="Dependency") == 1
    assert value(queue, "gpumon_oldest_pending_time_seconds", partition="h100") == 900
    assert value(queue, "gpumon_oldest_pending_time_seconds", partition="a100") == 900


def test_what_ended_lately_is_told() -> None:
    finished = told(FULL, finished_families)
    assert value(finished, "gpumon_finished_jobs", partition="h100", state="completed") == 5
    assert value(finished, "gpumon_finished_jobs_window_seconds") == 3600
    owner = {"user": "carol", "account": "ml", "partition": "h100"}
    assert value(finished, "gpumon_finished_job_info", job_id="90", **owner, state="failed", exit_code="1:0") == 1
    assert value(finished, "gpumon_finished_job_end_time_seconds", job_id="90") == 1990


@pytest.mark.parametrize("text", [HOSTILE, "", "a" * 300, "Пример", "\x00", "\x85\u2028\ufeff"])
def test_any_text_in_any_label_comes_out_unchanged(text: str) -> None:
    job = replace(TRAINING, name=text, account=text, reason=text, nodes=text)
    node = SlurmNode(text, "idle", reason=text, features=text, gpus=(NodeGpus(text, 1, 0),))
    labels = [dict(place) for _, place in told(Reading(0.0, is_up=True, jobs=(job,), nodes=(node,)))]
    assert any(label.get("name") == text and label.get("nodes") == text for label in labels)
    assert any(label.get("node") == text and label.get("reason") == text for label in labels)
    assert any(label.get("type") == text for label in labels)

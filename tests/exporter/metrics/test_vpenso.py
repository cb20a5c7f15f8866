"""vpenso's names with vpenso's meaning, so that dashboards go on working, and right where vpenso is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from exporter_readings import FULL, Series, series, value
from gpumon_exporter.metrics.exposition import block
from gpumon_exporter.metrics.vpenso import vpenso_families, word_of
from gpumon_exporter.slurm.records import NodeGpus, Reading, SlurmNode

CAPTURED = Path(__file__).parents[2] / "data" / "exporters" / "vpenso.prom"
OURS = {"slurm_gpus_alloc", "slurm_gpus_idle", "slurm_gpus_other", "slurm_gpus_total", "slurm_gpus_utilization",
        "slurm_partition_jobs_running"}  # fmt: skip
"""What the captured exporter had switched off, or does not have."""


def told(reading: Reading) -> Series:
    """What is told under vpenso's names."""
    return series(b"".join(block(vpenso_families(reading)).plain).decode())


def shapes(found: Series) -> set[tuple[str, frozenset[str]]]:
    """Names with the names of their labels."""
    return {(name, frozenset(label for label, _ in labels)) for name, labels in found if name.startswith("slurm_")}


def test_the_names_and_labels_are_those_of_the_real_exporter() -> None:
    mine = {shape for shape in shapes(told(FULL)) if shape[0] not in OURS}
    assert mine == shapes(series(CAPTURED.read_text(encoding="utf-8")))


def test_cpus_are_counted_once_for_each_node() -> None:
    found = told(FULL)
    assert [value(found, f"slurm_cpus_{word}") for word in ("alloc", "idle", "other", "total")] == [78, 170, 216, 464]
    assert value(found, "slurm_partition_cpus_allocated", partition="h100") == 74
    assert value(found, "slurm_partition_cpus_idle", partition="debug") == 94
    assert value(found, "slurm_partition_cpus_other", partition="h100") == 216
    assert value(found, "slurm_partition_cpus_total", partition="cpu") == 16


def test_gpus_in_use_count_wherever_they_are_and_idle_ones_only_where_jobs_may_go() -> None:
    found = told(FULL)
    assert value(found, "slurm_gpus_total") == 32
    assert value(found, "slurm_gpus_alloc") == 3 + 2 + (1 + 1), "on a draining node, and by shards, too"
    assert value(found, "slurm_gpus_idle") == 5 + 6
    assert value(found, "slurm_gpus_other") == 6 + 8
    assert value(found, "slurm_gpus_utilization") == 7 / 32


def test_mig_slices_and_untyped_gpus_count() -> None:
    slices = SlurmNode(
        "mig01", "mixed", gpus=(NodeGpus("a100", 7, 7), NodeGpus("a100_1g.5gb", 7, 3), NodeGpus("", 2, 1))
    )
    found = told(replace(FULL, nodes=(slices,)))
    assert [value(found, f"slurm_gpus_{word}") for word in ("total", "alloc", "idle", "other")] == [16, 11, 5, 0]


def test_a_cluster_without_gpus_has_no_share_of_them_in_use() -> None:
    assert value(told(replace(FULL, nodes=())), "slurm_gpus_utilization") is None


def test_every_node_is_under_one_word() -> None:
    found = told(FULL)
    words = ("alloc", "comp", "down", "drain", "err", "fail", "idle", "maint", "mix", "resv")
    assert [value(found, f"slurm_nodes_{word}") for word in words] == [0, 1, 1, 1, 0, 0, 1, 0, 1, 0]
    assert value(found, "slurm_node_cpu_alloc", node="gpu02", status="draining") == 40
    assert value(found, "slurm_node_mem_total", node="gpu01", status="mixed") == 1024
    assert value(found, "slurm_node_mem_alloc", node="gpu02", status="draining") is None


@pytest.mark.parametrize(
    ("state", "flags", "word"),
    [
        ("mixed", "planned", "mixed"),
        ("mixed", "drain", "draining"),
        ("idle", "drain", "drained"),
        ("idle", "completing+drain", "draining"),
        ("down", "drain", "drained"),
        ("idle", "maint+reserved", "maint"),
        ("allocated", "maint", "allocated"),
        ("idle", "reserved", "reserved"),
        ("mixed", "reserved", "mixed"),
        ("mixed", "completing", "completing"),
        ("allocated", "completing", "allocated"),
        ("idle", "powered_down+cloud", "idle"),
        ("down", "not_responding", "down"),
        ("idle", "fail", "fail"),
        ("unknown", "not_responding", "unknown"),
    ],
)
def test_the_word_for_a_node_is_the_one_that_sinfo_says(state: str, flags: str, word: str) -> None:
    assert word_of(SlurmNode("n", state, tuple(flags.split("+")))) == word


def test_reserved_nodes_are_counted_as_reserved() -> None:
    assert value(told(replace(FULL, nodes=(SlurmNode("n", "idle", ("reserved",)),))), "slurm_nodes_resv") == 1


def test_the_queue_counts_every_state_and_dependencies_among_the_pending() -> None:
    found = told(FULL)
    states = ("pending", "pending_dependency", "running", "suspended", "completed", "failed")
    assert [value(found, f"slurm_queue_{state}") for state in states] == [100, 1, 3, 1, 5, 0]


def test_users_and_accounts_are_told_with_what_they_have() -> None:
    found = told(FULL)
    assert value(found, "slurm_user_jobs_running", user="alice") == 3
    assert value(found, "slurm_user_cpus_running", user="alice") == 20
    assert value(found, "slurm_account_jobs_pending", account="ml") == 100
    assert value(found, "slurm_account_jobs_suspended", account="ml") == 1
    assert value(found, "slurm_account_fairshare", account="ml") == 0.25
    assert value(found, "slurm_user_jobs_running", user="bob") is None


def test_a_job_that_may_start_in_two_partitions_waits_in_both() -> None:
    found = told(FULL)
    assert value(found, "slurm_partition_jobs_pending", partition="h100") == 100
    assert value(found, "slurm_partition_jobs_pending", partition="a100") == 99
    assert value(found, "slurm_partition_jobs_running", partition="h100") == 1


def test_the_scheduler_is_told_and_left_out_when_it_is_not_known() -> None:
    assert value(told(FULL), "slurm_scheduler_backfill_mean_cycle") == 8168
    silent = told(replace(FULL, scheduler=None))
    assert not [name for name, _ in silent if name.startswith("slurm_scheduler")]

"""Real texts of four Slurm exporters, all of the same lab cluster, lead to the same picture as far as each tells it."""

from __future__ import annotations

import pytest

from gpumon.model import Partition, UserUsage
from gpumon.reading.slurm.dialects import SlurmFound, read_slurm
from gpumon.reading.slurm.states import job_word, node_state
from samples import captured, plain_samples

NATIVE = [
    f"slurm-native-26.05-{name}.prom" for name in ("jobs", "jobs-users-accts", "nodes", "partitions", "scheduler")
]


def found(*names: str) -> SlurmFound:
    told = [
        sample
        for place, name in enumerate(names)
        for sample in plain_samples(captured(name), instance=f"head:{8080 + place}")
    ]
    slurm = read_slurm(told)
    assert slurm is not None
    return slurm


def user(slurm: SlurmFound, name: str) -> UserUsage:
    return next(one for one in slurm.reading.users if one.name == name)


def partition(slurm: SlurmFound, name: str) -> Partition:
    return next(one for one in slurm.reading.partitions if one.name == name)


@pytest.mark.parametrize(
    ("names", "dialect"),
    [
        (["vpenso.prom"], "vpenso prometheus-slurm-exporter"),
        (["vpenso-slurm26.05.prom"], "vpenso prometheus-slurm-exporter"),
        (["sckyzo.prom"], "SckyzO slurm_exporter"),
        (["rivosinc.prom"], "rivosinc prometheus-slurm-exporter"),
        (NATIVE, "Slurm's own metrics"),
    ],
)
def test_each_dialect_is_recognised(names: list[str], dialect: str) -> None:
    slurm = found(*names)
    assert slurm.dialect == dialect
    assert slurm.problems == ()
    assert not slurm.is_simulated
    assert slurm.reading.lacks


def test_vpenso() -> None:
    slurm = found("vpenso.prom")
    queue = slurm.reading.queue
    assert queue.by_state["pending"] == 1039, "waiting for a dependency is pending too, not besides"
    assert "pending_dependency" not in queue.by_state
    assert user(slurm, "alice") == UserUsage("alice", 5, 10, 1, 76, None)
    assert user(slurm, "bob").jobs_suspended == 0
    assert partition(slurm, "a100") == Partition("a100", 256, 86, 170, None, None, None, None, 2)
    nodes = slurm.reading.nodes
    assert (nodes["cpu01"].state, nodes["cpu01"].memory_total_bytes) == ("mixed", 1031000 * 2**20)
    assert nodes["gpu02"].is_out_of_use
    assert queue.gpus_total is None


def test_sckyzo_counts_a_node_once_though_it_is_in_two_partitions() -> None:
    slurm = found("sckyzo.prom")
    assert len(slurm.reading.nodes) == 9
    assert sum(slurm.reading.queue.nodes_by_state.values()) == 9
    assert slurm.reading.nodes["cpu01"].partitions == ("cpu", "old")
    assert slurm.reading.nodes["cpu01"].cpus_total == 128


def test_sckyzo_counts_gpus_by_node_and_no_shards() -> None:
    slurm = found("sckyzo.prom")
    nodes = slurm.reading.nodes
    assert nodes["gpu04"].gpus_total == 8
    assert nodes["cpu01"].gpus_total == 0
    assert sum(node.gpus_total or 0 for node in nodes.values()) == 70
    assert slurm.reading.queue.gpus_allocated == sum(node.gpus_allocated or 0 for node in nodes.values()) == 42


def test_sckyzo_tells_drain_reasons_reservations_and_pending_reasons() -> None:
    slurm = found("sckyzo.prom")
    assert slurm.reading.nodes["gpu02"].reason == "kernel update 6.1.0-40"
    assert slurm.reading.nodes["gpu02"].since == pytest.approx(1.795442643e09)
    assert slurm.reading.reservations is not None
    names = [one.name for one in slurm.reading.reservations]
    assert names == ["maint_nov", "mlteam", "workshop"]
    assert slurm.reading.reservations[0].nodes == "gpu[01-02]"
    assert slurm.reading.reservations[2].state == "active"
    assert slurm.reading.queue.pending_reasons["Resources"] >= 1
    assert user(slurm, "alice").gpus_running == 14
    assert partition(slurm, "a100").gpus_total == 22


def test_rivosinc() -> None:
    slurm = found("rivosinc.prom")
    assert slurm.reading.queue.nodes_by_state["drained"] == 1
    assert slurm.reading.queue.by_state["cancelled"] > 0
    assert partition(slurm, "a100").cpus_total == 256
    assert partition(slurm, "a100").nodes == 2
    assert user(slurm, "alice").jobs_running == found("vpenso.prom").reading.users[0].jobs_running
    assert slurm.reading.nodes == {}


def test_slurms_own_metrics() -> None:
    slurm = found(*NATIVE)
    nodes = slurm.reading.nodes
    assert nodes["gpu01"].memory_total_bytes == 1031000 * 2**20, "MiB, though the name ends in _bytes"
    assert nodes["gpu01"].gpus_total == 8
    assert slurm.reading.queue.gpus_total == 70
    assert sum(slurm.reading.queue.nodes_by_state.values()) == 9, "flags are not counted beside states"
    assert slurm.reading.queue.nodes_by_state.get("idle", 0) == 0, "a drained node is not idle"
    assert slurm.reading.queue.nodes_by_state["drained"] >= 1
    assert user(slurm, "alice").gpus_running is not None
    assert partition(slurm, "h100").gpus_total
    assert len(slurm.targets) == 4, "the scheduler's endpoint tells nothing that is shown"


def test_of_two_exporters_the_richer_is_believed_and_the_other_named() -> None:
    slurm = found("vpenso.prom", "sckyzo.prom")
    assert slurm.dialect == "SckyzO slurm_exporter"
    assert user(slurm, "bob").jobs_pending == 1004
    assert "vpenso" in slurm.problems[0].text


def test_the_same_exporter_scraped_twice_counts_once() -> None:
    once, twice = found("vpenso.prom"), found("vpenso.prom", "vpenso.prom")
    assert twice.reading == once.reading
    assert "several targets" in twice.problems[0].text


def test_no_slurm_series_no_slurm() -> None:
    assert read_slurm([]) is None
    assert read_slurm(plain_samples(captured("dcgm-l4-eks.prom"))) is None


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("mixed-", ("mixed", ("planned",))),
        ("down*", ("down", ("not_responding",))),
        ("MIXED+DRAIN", ("mixed", ("drain",))),
        ("idle~", ("idle", ("powered_down",))),
        ("alloc", ("allocated", ())),
        ("", ("", ())),
        ("drained*", ("drained", ("not_responding",))),
    ],
)
def test_sinfos_marks_become_flags(text: str, state: tuple[str, tuple[str, ...]]) -> None:
    assert node_state(text) == state


def test_job_states_have_one_spelling() -> None:
    assert [job_word(word) for word in ("CANCELED", "RUNNING", "node_failed")] == ["cancelled", "running", "node_fail"]

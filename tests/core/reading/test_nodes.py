"""A real node_exporter text becomes what a node's row needs."""

from __future__ import annotations

import pytest

from gpumon.model import Filesystem, NodeSlurm
from gpumon.prometheus.labels import NodeLabels, TargetLabels
from gpumon.prometheus.wire import Sample
from gpumon.reading.names import NodeNames
from gpumon.reading.nodes import (
    NodeFacts,
    NodeReadings,
    filesystems,
    node_dialect,
    nodes,
    read_gauges,
    read_rate,
    targets_by_node,
)
from samples import captured, samples

TARGET = ("node", "gpu01:9100")


def read(*instances: str) -> NodeReadings:
    readings = NodeReadings()
    for instance in instances or (TARGET[1],):
        told = samples(captured("node_exporter-1.5.0.prom"), NodeLabels, job="node", instance=instance)
        read_gauges(told, readings)
    return readings


def rate(value: str) -> list[Sample[TargetLabels]]:
    return [Sample(TargetLabels(job="node", instance="gpu01:9100"), (0.0, value))]


def test_load_memory_uptime_and_disks_are_found() -> None:
    readings = read()
    read_rate(rate("0.25"), "cpu_share", readings)
    read_rate(rate("64"), "cores", readings)
    (node,) = nodes({"gpu01": NodeFacts(TARGET, 1000.0)}, readings)
    assert (node.load1, node.load5, node.cpu_share, node.cores) == (2.23, 2.63, 0.25, 64)
    assert node.memory_total_bytes == 25276502016.0
    assert node.booted_at == 1795439225.0
    assert node.memory_used_share == pytest.approx(0.107, abs=0.01)
    assert node.filesystems[0].mountpoint == "/"


def test_a_rate_below_zero_or_not_a_number_is_not_shown() -> None:
    readings = read()
    read_rate(rate("-0.0001"), "cpu_share", readings)
    assert readings.values[TARGET]["cpu_share"] == 0.0
    read_rate(rate("NaN"), "cpu_share", readings)
    assert "cpu_share" not in readings.values[TARGET]


def test_a_device_mounted_twice_counts_once_and_the_fullest_comes_first() -> None:
    found = filesystems(
        {
            "sda1\0/": [100.0, 50.0],
            "sda1\0/var/lib/docker": [100.0, 50.0],
            "sdb1\0/scratch": [100.0, 5.0],
            "sdc1\0/broken": [None, 5.0],
            "sdd1\0/empty": [0.0, 0.0],
        }
    )
    assert found == (Filesystem("/scratch", 100.0, 5.0), Filesystem("/", 100.0, 50.0))
    assert found[0].used_share == 0.95


def test_two_targets_of_one_node_are_reported_and_not_added_up() -> None:
    readings = read("gpu01:9100", "gpu01.lab:9100")
    by_node, twice = targets_by_node(readings, NodeNames())
    assert list(by_node) == ["gpu01"]
    assert len(twice["gpu01"]) == 2


def test_the_machines_own_name_is_kept_for_addresses() -> None:
    readings = read("10.0.0.7:9100")
    name = readings.nodenames["10.0.0.7"]
    by_node, _ = targets_by_node(readings, NodeNames(reported=readings.nodenames))
    assert list(by_node) == [name.split(".", 1)[0]]


def test_a_node_that_only_slurm_names_has_dashes_not_zeros() -> None:
    (node,) = nodes({"cpu01": NodeFacts(slurm=NodeSlurm(state="down", flags=("drain",)))}, NodeReadings())
    assert (node.load1, node.cpu_share, node.memory_used_share, node.disk_used_share) == (None,) * 4
    assert node.slurm is not None
    assert (node.slurm.words, node.slurm.is_out_of_use) == ("down+drain", True)


def test_nodes_come_as_people_count() -> None:
    found = nodes({name: NodeFacts() for name in ("gpu10", "gpu2", "gpu1")}, NodeReadings())
    assert [node.name for node in found] == ["gpu1", "gpu2", "gpu10"]


def test_missing_collectors_are_named() -> None:
    readings = NodeReadings()
    read_gauges(samples("node_load1 1\n", NodeLabels, job="node", instance="a:9100"), readings)
    dialect = node_dialect(readings, None)
    assert dialect is not None
    assert {lack.fields[0] for lack in dialect.lacks} >= {"cpu_share", "memory_available_bytes", "filesystems"}
    assert "--collector.meminfo" in " ".join(lack.remedy for lack in dialect.lacks)
    assert node_dialect(NodeReadings(), None) is None

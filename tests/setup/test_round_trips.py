"""How often machines are asked: on a large cluster the way there and back is what a run waits for."""

from __future__ import annotations

import pytest

from setup.deployments import Cluster
from setup.fake_host import FakeHost

NODES = [f"n{number}" for number in range(1, 9)]


@pytest.fixture
def eight(cluster: Cluster) -> Cluster:
    """A master, its Slurm, and eight nodes with GPUs."""
    master = cluster["head"]
    cluster.hosts.clear()
    cluster.hosts["head"] = master
    cluster.hosts.update({name: FakeHost(name, f"10.77.0.{20 + at}", gpus=4) for at, name in enumerate(NODES)})
    cluster.prometheus.attach()
    cluster.configure('[setup]\nmaster = "head"\nnodes = ["n[1-8]"]\n')
    return cluster


def test_the_whole_stack_with_nothing_to_change_takes_one_connection_and_one_round_trip(eight: Cluster) -> None:
    assert eight.run("--yes") == 0
    for typed in (("--yes",), ("--check",), ("plan",), ("status",)):
        assert eight.run(*typed) == 0
        assert sorted(eight.dialled) == sorted(eight.hosts)
        assert {host.asked for host in eight.hosts.values()} == {1}


def test_a_change_takes_a_node_no_more_than_a_look_the_work_and_another_look(eight: Cluster) -> None:
    assert eight.run("--yes") == 0
    for name in NODES:
        eight[name].containers["gpumon-node-exporter"].is_running = False
    assert eight.run("--yes", "--only", "node_exporter") == 0
    assert sorted(eight.dialled) == sorted(eight.hosts)
    tried_whether_ports_are_shut = NODES[0]
    assert {eight[name].asked for name in NODES if name != tried_whether_ports_are_shut} == {3}


def test_a_first_run_looks_twice_at_what_it_is_to_write(eight: Cluster) -> None:
    assert eight.run("--yes") == 0
    assert sorted(eight.dialled) == sorted(eight.hosts)
    assert {eight[name].asked for name in NODES[1:]} == {4}


def test_a_run_about_one_node_asks_no_other_node(eight: Cluster) -> None:
    assert eight.run("--yes") == 0
    assert eight.run("--yes", "--limit", "n1") == 0
    assert sorted(eight.dialled) == ["head", "n1"]
    assert eight["n1"].asked == 1
    assert eight["head"].asked == 2

"""How the cluster stands, and nodes that come and go while Prometheus runs on."""

from __future__ import annotations

import json
import re

import pytest

from gpumon.errors import UsageError
from gpumon_setup.failures import Unreachable
from setup.deployments import CONFIG, Cluster
from setup.fake_host import FakeHost

TARGETS = "/etc/gpumon/prometheus/targets/node.json"


def deployed(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster.run("--yes") == 0
    capsys.readouterr()


def prometheus_runs(cluster: Cluster) -> list[tuple[str, ...]]:
    """All that was done to Prometheus itself."""
    return [argv for argv in cluster["head"].ran if "gpumon-prometheus" in argv or "--name=gpumon-prometheus" in argv]


def test_status_tells_every_component_with_its_version(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster.run("status") == 1
    assert {re.split(" {2,}", line)[1] for line in capsys.readouterr().out.splitlines()[:-1]} == {"missing"}
    deployed(cluster, capsys)
    assert cluster.run("status") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "node_exporter as planned v1.11.1 head,gpu[1-2]" in said
    assert said.endswith("Everything is as planned.")


def test_status_tells_what_is_down_and_what_differs(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    cluster["gpu1"].containers["gpumon-node-exporter"].is_running = False
    cluster["gpu2"].files["/etc/gpumon/dcgm-exporter/counters.csv"].content = b"mine"
    assert cluster.run("status", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    stands = {(one["host"], one["component"]): one["stand"] for one in told["components"]}
    assert stands["gpu1", "node_exporter"] == "down"
    assert stands["gpu2", "dcgm_exporter"] == "differs"
    assert stands["gpu2", "node_exporter"] == "as planned"
    assert told["is_as_planned"] is False


def test_a_node_comes_in_while_prometheus_runs_on(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    before = prometheus_runs(cluster)
    cluster.hosts["gpu3"] = FakeHost("gpu3", "10.77.0.5", gpus=4)
    cluster.prometheus.attach()
    assert cluster.run("add-node", "gpu3", "--yes") == 0
    said = capsys.readouterr().out
    assert '+nodes = ["gpu[1-3]"]' in said
    assert "node_exporter is scraped: head,gpu[1-3]" in said
    assert prometheus_runs(cluster) == before
    assert "10.77.0.5:9100" in cluster["head"].text(TARGETS)
    assert "10.77.0.5 gpu3" in cluster["gpu1"].text("/etc/hosts")
    with pytest.raises(UsageError, match="gpu3: there already"):
        cluster.run("add-node", "gpu3", "--yes")


def test_a_node_goes_with_all_that_was_made_there(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    untouched = cluster["gpu2"].picture()
    deployed(cluster, capsys)
    before = prometheus_runs(cluster)
    assert cluster.run("remove-node", "gpu2", "--yes") == 0
    assert cluster["gpu2"].picture() == untouched
    assert prometheus_runs(cluster) == before
    assert "gpu2" not in cluster["head"].text(TARGETS)
    assert "gpu2" not in cluster["head"].text("/etc/hosts")
    assert cluster.file.read_text() == CONFIG.replace("gpu[1-2]", "gpu1")
    assert cluster.run("--check") == 0


def test_a_node_that_is_gone_is_taken_out_only_by_force(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed(cluster, capsys)
    cluster.unreachable["gpu2"] = Unreachable("gpu2", "it is off.")
    assert cluster.run("remove-node", "gpu2", "--yes") == 1
    assert "gpu[1-2]" in cluster.file.read_text()
    assert "--force" in capsys.readouterr().err
    assert cluster.run("remove-node", "gpu2", "--yes", "--force") == 1
    assert "gpu2" not in cluster.file.read_text()
    assert "gpu2" not in cluster["head"].text(TARGETS)
    assert cluster.run("--check") == 0


def test_a_master_that_is_a_node_too_keeps_what_it_has_as_master(cluster: Cluster) -> None:
    cluster["head"].gpus = 4
    cluster.configure(CONFIG.replace('["gpu[1-2]"]', '["head", "gpu[1-2]"]'))
    assert cluster.run("--yes") == 0
    assert "gpumon-dcgm-exporter" in cluster["head"].containers
    assert cluster.run("remove-node", "head", "--yes") == 0
    assert "gpumon-dcgm-exporter" not in cluster["head"].containers
    assert "gpumon-prometheus" in cluster["head"].containers


def test_a_node_goes_over_one_connection_to_each_machine_so_that_sudo_asks_once(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(cluster, capsys)
    assert cluster.run("remove-node", "gpu2", "--yes") == 0
    assert sorted(cluster.dialled) == ["gpu1", "gpu2", "head"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["remove-node", "gpu9"], "gpu9: no such node"),
        (["remove-node", "gpu[1-2]"], "No node would be left"),
        (["add-node", "gpu[1"], "no names of machines"),
        (["add-node", "a,b", "--address", "10.0.0.1"], "one node at a time"),
    ],
)
def test_what_makes_no_sense_changes_nothing(cluster: Cluster, typed: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        cluster.run(*typed, "--yes")
    assert cluster.file.read_text() == CONFIG

"""A machine that does not answer keeps its name, its address and its targets, by what was written before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpumon_setup.failures import Unreachable
from gpumon_setup.fleet import reached
from gpumon_setup.host import Passwords
from gpumon_setup.inventory import Inventory, Machine, Role
from gpumon_setup.ssh import SshConfig
from setup.deployments import CONFIG, Cluster

TARGETS = "/etc/gpumon/prometheus/targets"
FILES = ("/etc/hosts", *(f"{TARGETS}/{name}.json" for name in ("node", "dcgm", "slurm")))


def off(cluster: Cluster, *names: str) -> None:
    """Nobody reaches these machines."""
    for name in names:
        cluster.unreachable[name] = Unreachable(name, "it is off.")


def files(cluster: Cluster) -> dict[str, str]:
    """What the master's files say of the others."""
    return {path: cluster["head"].text(path) for path in FILES}


def addresses(cluster: Cluster, name: str) -> list[str]:
    """Who is scraped."""
    return [one["targets"][0] for one in json.loads(cluster["head"].text(f"{TARGETS}/{name}.json"))]


@pytest.mark.parametrize("typed", [(), ("--limit", "head"), ("--limit", "head,gpu1")])
def test_all_stays_as_it_was_though_no_name_resolves(cluster: Cluster, typed: tuple[str, ...]) -> None:
    assert cluster.run("--yes") == 0
    before = files(cluster)
    off(cluster, "gpu2")
    assert cluster.run("--yes", *typed) == (0 if typed else 1)
    assert files(cluster) == before
    assert cluster.run("plan", "--check", "--limit", "head,gpu1") == 0


def test_what_was_written_holds_over_what_a_name_means_today(cluster: Cluster) -> None:
    assert cluster.run("--yes") == 0
    before = files(cluster)
    off(cluster, "gpu2")
    cluster["head"].resolved = {"gpu2": "192.0.2.7"}
    assert cluster.run("--yes") == 1
    assert files(cluster) == before


def test_without_hosts_and_prometheus_the_other_machines_files_tell(cluster: Cluster) -> None:
    cluster.configure(f'{CONFIG}without = ["prometheus", "grafana"]\n')
    assert cluster.run("--yes") == 0
    off(cluster, "gpu2")
    cluster["head"].files["/etc/hosts"].content = b"127.0.0.1 localhost\n"
    assert cluster.run("--yes") == 1
    assert "10.77.0.4 gpu2" in cluster["head"].text("/etc/hosts")


def test_a_node_without_gpus_gets_no_target_for_them_while_it_is_off(cluster: Cluster) -> None:
    cluster["gpu2"].gpus = 0
    assert cluster.run("--yes") == 0
    assert addresses(cluster, "dcgm") == ["10.77.0.3:9400"]
    off(cluster, "gpu1", "gpu2")
    assert cluster.run("--yes") == 1
    assert addresses(cluster, "dcgm") == ["10.77.0.3:9400"]


def test_in_a_cluster_without_gpus_nobody_gets_a_target_for_them(cluster: Cluster) -> None:
    for name in ("gpu1", "gpu2"):
        cluster[name].gpus = 0
    assert cluster.run("--yes") == 0
    off(cluster, "gpu2")
    assert cluster.run("--yes") == 1
    assert addresses(cluster, "dcgm") == []


def test_before_anything_was_written_the_address_is_what_ssh_would_dial(cluster: Cluster) -> None:
    off(cluster, "gpu2")
    cluster.ssh_addresses["gpu2"] = "10.77.0.44"
    assert cluster.run("--yes") == 1
    assert addresses(cluster, "node") == ["10.77.0.2:9100", "10.77.0.3:9100", "10.77.0.44:9100"]
    assert "10.77.0.44 gpu2" in cluster["gpu1"].text("/etc/hosts")


def test_the_configuration_holds_over_all(cluster: Cluster) -> None:
    assert cluster.run("--yes") == 0
    off(cluster, "gpu2")
    cluster.ssh_addresses["gpu2"] = "10.77.0.44"
    cluster.configure(f'{CONFIG}[setup.machines.gpu2]\naddress = "10.77.0.99"\n')
    assert cluster.run("--yes") == 1
    assert "10.77.0.99:9100" in addresses(cluster, "node")


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[1]", b'[{"targets": []}]', b'[{"targets": ["gpu2"]}]'])
def test_files_that_were_edited_to_nonsense_are_restored(cluster: Cluster, content: bytes) -> None:
    assert cluster.run("--yes") == 0
    before = files(cluster)
    off(cluster, "gpu2")
    for paths in (FILES[1:], FILES[2:3]):
        for path in paths:
            cluster["head"].files[path].content = content
        assert cluster.run("--yes") == 1
        assert files(cluster) == before


def test_ssh_tells_an_address_only_where_it_dials_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(
        "Host a\nHostName 10.0.0.7\nHost b\nHostName b.example.org\nHost c\nHostName 127.0.0.1\n"
        "Host d\nProxyJump d\nHostName 10.0.0.8\n"
    )
    config = SshConfig(tmp_path / "config", tmp_path / "none")
    monkeypatch.setattr(SshConfig, "of_this_user", lambda: config)
    machines = tuple(Machine(name, frozenset({Role.NODE}), is_local=name == "e") for name in "abcde")
    with reached(Inventory(machines), Passwords()) as fleet:
        assert [fleet.dialled(name) for name in "abcde"] == ["10.0.0.7", "", "", "", ""]


def test_nobody_waits_for_the_numbers_of_a_machine_that_is_off(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cluster.run("--yes") == 0
    off(cluster, "gpu2")
    cluster["gpu2"].containers.clear()
    capsys.readouterr()
    assert cluster.run("verify") == 1
    said = capsys.readouterr()
    assert "gpu2 was not asked: gpu2: it is off." in said.err
    assert "FAILED" not in said.out

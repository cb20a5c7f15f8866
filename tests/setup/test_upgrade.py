"""New versions: one machine first, then waves, the master last; and back to the old one where the new one fails."""

from __future__ import annotations

import pytest

from gpumon_setup.failures import ConnectionBroke, SetupError
from gpumon_setup.verbs.upgrade import waves
from setup.deployments import CONFIG, Cluster
from setup.fake_host import FakeHost

NAME = "gpumon-node-exporter"


def configured(cluster: Cluster, version: int, nodes: str = "gpu[1-2]") -> None:
    text = CONFIG.replace("gpu[1-2]", nodes)
    cluster.configure(f'{text}[setup.node_exporter]\nimage = "mirror/ne:{version}"\n')


def running(cluster: Cluster) -> dict[str, str]:
    return {name: host.containers[NAME].image for name, host in cluster.hosts.items()}


@pytest.fixture
def old(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> Cluster:
    configured(cluster, 1)
    assert cluster.run("--yes") == 0
    capsys.readouterr()
    configured(cluster, 2)
    return cluster


def test_waves_grow_and_the_master_comes_last() -> None:
    names = ["head", *(f"n{number}" for number in range(20))]
    sizes = [(len(wave), wave[0]) for wave in waves(names, "head")]
    assert sizes == [(1, "n0"), (8, "n1"), (11, "n9"), (1, "head")]
    assert list(waves(["head"], "head")) == [("head",)]


def test_a_new_version_reaches_one_machine_first_and_the_old_image_goes_last(
    old: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old.run("upgrade", "--yes") == 0
    assert set(running(old).values()) == {"mirror/ne:2"}
    said = capsys.readouterr().err
    assert [line for line in said.splitlines() if line.startswith("Now:")] == ["Now: gpu1", "Now: gpu2", "Now: head"]
    assert all("mirror/ne:1" not in host.images for host in old.hosts.values())
    assert old.run("--check") == 0
    assert old.run("upgrade", "--yes") == 0


def test_a_version_that_tells_nothing_stays_on_no_machine(old: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    old.prometheus.broken_images.add("mirror/ne:2")
    assert old.run("upgrade", "--yes") == 1
    assert set(running(old).values()) == {"mirror/ne:1"}
    said = capsys.readouterr()
    assert "FAILED  node_exporter is scraped: gpu1" in said.out
    assert "gpu1 is back." in said.err
    assert '[setup.node_exporter] image = "mirror/ne:1"' in said.err
    assert all("mirror/ne:2" not in argv for argv in old["gpu2"].ran)


@pytest.mark.parametrize("scraped", ["2001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "2001-01-01T01:00:00.5+01:00"])
def test_what_the_old_version_said_last_proves_nothing_of_the_new_one(
    old: Cluster, capsys: pytest.CaptureFixture[str], scraped: str
) -> None:
    old.prometheus.scraped["gpu1:9100"] = scraped
    assert old.run("upgrade", "--yes") == 1
    assert "FAILED  node_exporter is scraped: gpu1: it was not scraped yet" in capsys.readouterr().out
    assert set(running(old).values()) == {"mirror/ne:1"}


def test_a_version_that_cannot_be_fetched_leaves_the_old_one(old: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    old["gpu1"].faults["pull the image mirror/ne:2"] = ConnectionBroke("gpu1", "the connection broke.")
    assert old.run("upgrade", "--yes") == 1
    assert set(running(old).values()) == {"mirror/ne:1"}
    assert "the connection broke" in capsys.readouterr().out


def test_what_failed_before_is_no_reason_to_go_back(old: Cluster) -> None:
    old.prometheus.errors["gpu1:9400"] = "context deadline exceeded"
    assert old.run("upgrade", "--yes") == 0
    assert set(running(old).values()) == {"mirror/ne:2"}


def test_a_later_wave_that_fails_goes_back_alone(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.hosts["gpu3"] = FakeHost("gpu3", "10.77.0.5", gpus=4)
    cluster.prometheus.attach()
    configured(cluster, 1, "gpu[1-3]")
    assert cluster.run("--yes") == 0
    configured(cluster, 2, "gpu[1-3]")
    cluster["gpu3"].faults["anew"] = ConnectionBroke("gpu3", "the connection broke.")
    assert cluster.run("upgrade", "--yes") == 1
    assert running(cluster)["gpu1"] == "mirror/ne:2"
    assert running(cluster)["gpu2"] == "mirror/ne:1"
    assert "gpu3 could not be brought back" in capsys.readouterr().err


def test_without_a_prometheus_nothing_is_upgraded(old: Cluster) -> None:
    old.configure(f'{CONFIG}without = ["prometheus", "grafana"]\n')
    with pytest.raises(SetupError, match="nobody says whether a new version works"):
        old.run("upgrade", "--yes")

"""What is refused before anything is begun, with the reason and the fix; and what is not."""

from __future__ import annotations

import time

import pytest

from gpumon_setup.components import COMPONENTS
from gpumon_setup.plan.preflight import obstacles
from setup.components.places import place
from setup.deployments import CONFIG, Cluster

NAMES = [component.name for component in COMPONENTS]


def told(cluster: Cluster, name: str, more: str = "", setup: str = "") -> list[str]:
    return list(obstacles(place(cluster, name, more, setup=setup), NAMES))


def test_a_usual_cluster_has_nothing_in_the_way(cluster: Cluster) -> None:
    assert [told(cluster, name) for name in cluster.hosts] == [[], [], []]


@pytest.mark.parametrize(
    ("section", "content", "words"),
    [
        ("os", "ID=haiku\nPRETTY_NAME=Haiku\n", "Haiku is no system that is supported"),
        ("machine", "gpu1 6.1 riscv64\n", "its processor is riscv64"),
        ("systemd", "", "not booted by systemd"),
        ("docker", "", "docker does not answer: Cannot connect to the Docker daemon"),
        ("ports", 'LISTEN 0 9 *:9100 *:* users:(("node_exporter",pid=77,fd=3))\n', "taken by node_exporter (pid 77)"),
        ("ports", "LISTEN 0 9 10.77.0.3:9400 0.0.0.0:*\n", "port = 9401"),
        ("disks", "F B U A C M\n/dev/sda1 9 9 1500000 1% /\n", "/ has 1.5 GB left, and images need 2 GB"),
    ],
)  # fmt: skip
def test_an_obstacle_is_told_with_its_reason(cluster: Cluster, section: str, content: str, words: str) -> None:
    cluster["gpu1"].sections[section] = content
    if section == "docker":
        cluster["gpu1"].sections["docker.err"] = "Cannot connect to the Docker daemon.\n"
    (reason,) = told(cluster, "gpu1")
    assert words in reason


def test_ports_at_other_addresses_disturb_nobody(cluster: Cluster) -> None:
    cluster["gpu1"].sections["ports"] = "LISTEN 0 9 127.0.0.1:9100 0.0.0.0:*\nLISTEN 0 9 192.0.2.1:9400 0.0.0.0:*\n"
    assert told(cluster, "gpu1") == []


def test_what_was_deployed_is_not_in_its_own_way(cluster: Cluster) -> None:
    assert cluster.run("--yes") == 0
    cluster["gpu1"].sections["ports"] = 'LISTEN 0 9 10.77.0.3:9100 *:* users:(("node_exporter",pid=7,fd=3))\n'
    cluster["gpu1"].sections["disks"] = "F B U A C M\n/dev/sda1 9 9 10 1% /\n"
    assert told(cluster, "gpu1") == []
    cluster["gpu1"].sections["ports"] = 'LISTEN 0 9 *:9101 *:* users:(("somebody",pid=7,fd=3))\n'
    assert len(told(cluster, "gpu1", "[setup.node_exporter]\nport = 9101\n")) == 1


def test_a_package_that_is_taken_over_is_not_in_the_way(cluster: Cluster) -> None:
    cluster["gpu1"].sections["ports"] = 'LISTEN 0 9 *:9100 *:* users:(("prometheus-node",pid=7,fd=3))\n'
    assert told(cluster, "gpu1", setup='engine = "native"') == []


def test_an_engine_that_stands_still_is_no_reason_to_leave_its_containers_for_another(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.run("--yes")
    before = cluster["gpu1"].picture()
    cluster["gpu1"].sections.update({"docker": "", "docker.ps": "", "docker.err": "Is the docker daemon running?\n"})
    assert cluster.run("--yes") == 1
    assert "Start it: systemctl start docker" in capsys.readouterr().out
    assert cluster["gpu1"].picture() == before


def test_the_masters_disk_must_hold_images_and_history(cluster: Cluster) -> None:
    cluster["head"].sections["disks"] = "F B U A C M\n/dev/sda1 9 9 6000000 1% /\n"
    (reason,) = told(cluster, "head")
    assert "images and the history need 7 GB" in reason
    cluster["head"].sections["disks"] += "/dev/sdb1 9 9 9000000 1% /srv\n"
    assert told(cluster, "head", '[setup.prometheus]\ndata = "/srv/prometheus"\n') == []


def test_a_clock_that_is_far_from_the_masters_is_told(cluster: Cluster) -> None:
    cluster["gpu1"].sections["clock"] = f"{time.time() - 3600:.3f}\n"
    (reason,) = told(cluster, "gpu1")
    assert "36" in reason
    assert "behind the master's" in reason
    assert told(cluster, "gpu1", setup='accept = ["clock"]') == []


def test_gpus_are_as_many_as_slurm_counts_and_nodes_are_called_as_slurm_does(cluster: Cluster) -> None:
    cluster["head"].sections["slurm.nodes"] = "NodeName=gpu1 Gres=gpu:h100:8(S:0-1)\nNodeName=gpu02 Gres=gpu:4\n"
    (reason,) = told(cluster, "gpu1")
    assert "its driver speaks of 4 GPUs, and Slurm counts 8" in reason
    assert told(cluster, "gpu1", setup='without = ["dcgm_exporter"]') == []
    (reason,) = told(cluster, "gpu2")
    assert "Slurm knows no node called gpu2" in reason
    assert told(cluster, "gpu2", setup='accept = ["slurm_name", "gpu_count"]') == []


def test_an_engine_is_offered_and_brought_when_it_is_asked_for(cluster: Cluster) -> None:
    before = cluster["gpu1"].picture()
    for host in cluster.hosts.values():
        host.has_docker = False
    assert any("[setup.container_engine] install = true" in reason for reason in told(cluster, "gpu1"))

    def arrives() -> None:
        for host in cluster.hosts.values():
            host.has_docker = "docker.io" in host.packages

    cluster.configure(f"{CONFIG}[setup.container_engine]\ninstall = true\n")
    cluster.run("--yes")
    assert {host.packages.get("docker.io") for host in cluster.hosts.values()} == {"1.0"}
    arrives()
    assert cluster.run("--yes") == 0
    assert cluster.run("--check") == 0
    cluster.configure(CONFIG)
    assert cluster.run("--check") == 0
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["gpu1"].picture() == before


def test_only_a_node_needs_an_engine_for_its_gpus(cluster: Cluster) -> None:
    for host in cluster.hosts.values():
        host.has_docker, host.gpus = False, 4
    assert told(cluster, "head", setup='engine = "native"') == []
    (reason,) = told(cluster, "gpu1", setup='engine = "native"')
    assert "dcgm_exporter comes as one only" in reason

"""Whole runs of `gpumon setup` on machines in memory."""

from __future__ import annotations

import json

import pytest

from gpumon.errors import ConfigError, UsageError
from gpumon_setup.failures import ConnectionBroke, Locked, Unreachable
from setup.deployments import Cluster


def test_a_fresh_cluster_is_deployed_and_ends_as_planned(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster.run("--yes") == 0
    said = capsys.readouterr()
    assert "gpu1" in said.out
    assert "Everything is as planned." in said.err
    for host in cluster.hosts.values():
        container = host.containers["gpumon-node-exporter"]
        assert container.is_running
        assert f"--web.listen-address={host.address}:9100" in container.argv
        assert "10.77.0.4 gpu2" in host.text("/etc/hosts")
        assert host.text("/etc/hosts").startswith("127.0.0.1 localhost\n")


def test_a_second_run_finds_nothing_to_do_in_one_round_trip(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.run("--yes")
    before = {name: host.picture() for name, host in cluster.hosts.items()}
    capsys.readouterr()
    assert cluster.run("--yes") == 0
    assert capsys.readouterr().out == "Nothing to do.\n"
    assert {name: host.picture() for name, host in cluster.hosts.items()} == before
    assert {host.asked for host in cluster.hosts.values()} == {1}


def test_a_first_plan_asks_each_machine_twice_and_the_master_for_the_ways_to_the_others(cluster: Cluster) -> None:
    cluster.run("plan")
    assert {name: host.asked for name, host in cluster.hosts.items()} == {"head": 3, "gpu1": 2, "gpu2": 2}


def test_uninstall_leaves_each_machine_as_it_was(cluster: Cluster) -> None:
    before = {name: host.picture() for name, host in cluster.hosts.items()}
    cluster.run("--yes")
    assert {name: host.picture() for name, host in cluster.hosts.items()} != before
    assert cluster.run("uninstall", "--yes") == 0
    assert {name: host.picture() for name, host in cluster.hosts.items()} == before
    assert cluster.run("uninstall", "--yes") == 0


@pytest.mark.parametrize("engine", ["native", "podman"])
def test_every_engine_converges_and_can_be_undone(cluster: Cluster, engine: str) -> None:
    without = '["dcgm_exporter"]' if engine == "native" else "[]"  # which comes as a container only
    cluster.configure(f'[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\nengine = "{engine}"\nwithout = {without}\n')
    for host in cluster.hosts.values():
        host.has_docker, host.has_podman = False, engine == "podman"
    before = cluster["gpu1"].picture()
    assert cluster.run("--yes") == 0
    unit = "prometheus-node-exporter.service" if engine == "native" else "gpumon-node-exporter.service"
    assert cluster["gpu1"].units[unit].is_active
    assert cluster["gpu1"].units[unit].is_enabled
    assert cluster.run("--check") == 0
    assert cluster.run("uninstall", "--yes") == 0
    cluster["gpu1"].units.clear()
    assert cluster["gpu1"].picture() == before


def test_check_does_nothing_and_says_by_its_code_whether_something_would_be_done(cluster: Cluster) -> None:
    before = cluster["gpu1"].picture()
    assert cluster.run("--check") == 2
    assert cluster["gpu1"].picture() == before
    cluster.run("--yes")
    assert cluster.run("plan", "--check") == 0


def test_a_plan_is_the_same_whenever_it_is_asked_for(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    plans: list[str] = []
    for _ in range(2):
        cluster.run("plan", "--json")
        plans.append(capsys.readouterr().out)
    assert plans[0] == plans[1]
    told = json.loads(plans[0])
    assert told["schema"] == "gpumon.setup.plan/1"
    assert [host["host"] for host in told["hosts"]] == ["head", "gpu1", "gpu2"]
    components = {change["component"] for change in told["hosts"][1]["changes"]}
    assert components == {"hosts", "node_exporter", "dcgm_exporter", "gpu_map"}


def test_a_hand_edited_block_is_shown_as_a_diff_and_restored(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.run("--yes")
    hosts = cluster["gpu1"].files["/etc/hosts"]
    wanted = hosts.content
    assert wanted is not None
    hosts.content = wanted.replace(b"10.77.0.4 gpu2", b"10.77.0.99 gpu2") + b"192.0.2.1 mine\n"
    capsys.readouterr()
    assert cluster.run("--yes") == 0
    said = capsys.readouterr().out
    assert "-10.77.0.99 gpu2" in said
    assert "+10.77.0.4 gpu2" in said
    assert hosts.content != wanted
    assert cluster["gpu1"].files["/etc/hosts"].content == wanted + b"192.0.2.1 mine\n"


def test_a_machine_that_is_off_hides_nobody_and_keeps_its_name(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.run("--yes")
    cluster["head"].resolved = {"gpu2": "10.77.0.4", "gpu1": "10.77.0.3"}
    cluster.unreachable["gpu2"] = Unreachable("gpu2", "10.77.0.4 port 22 did not answer within 15 s.")
    del cluster["gpu1"].containers["gpumon-node-exporter"]
    capsys.readouterr()
    assert cluster.run("--yes") == 1
    assert "gpu2: 10.77.0.4 port 22 did not answer" in capsys.readouterr().out
    assert cluster["gpu1"].containers["gpumon-node-exporter"].is_running
    assert "10.77.0.4 gpu2" in cluster["gpu1"].text("/etc/hosts")


@pytest.mark.parametrize("words", ["write the block", "pull the image", "make the directory", "run the container"])
def test_a_cable_that_is_cut_in_the_middle_is_mended_by_the_next_run(
    cluster: Cluster, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cluster["gpu1"].picture()
    cluster["gpu1"].faults[words] = ConnectionBroke("gpu1", "the connection broke.")
    assert cluster.run("--yes") == 1
    said = capsys.readouterr()
    assert "gpu1: the connection broke." in said.err
    assert "head: all" in said.out
    assert "gpu1: " in said.out
    cluster["gpu1"].faults.clear()
    assert cluster.run("--yes") == 0
    assert cluster.run("--check") == 0
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["gpu1"].picture() == before


def test_the_second_of_two_runs_is_told_who_was_first(cluster: Cluster) -> None:
    cluster["head"].held_by = "ann on laptop, since 2026-11-25 10:00:00 UTC"
    with pytest.raises(Locked, match="ann on laptop"):
        cluster.run("--yes")
    assert cluster.run("plan") == 0


def test_a_foreign_container_of_our_name_is_left_alone(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    from setup.fake_host import FakeContainer

    cluster["gpu1"].containers["gpumon-node-exporter"] = FakeContainer("somebody/else:1")
    assert cluster.run("--yes") == 1
    assert "gpumon did not make" in capsys.readouterr().out
    assert cluster["gpu1"].containers["gpumon-node-exporter"].image == "somebody/else:1"
    assert cluster["gpu2"].containers["gpumon-node-exporter"].is_running


def test_another_image_makes_the_container_anew_and_takes_the_old_image_away(cluster: Cluster) -> None:
    cluster.run("--yes")
    cluster.configure('[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\n[setup.node_exporter]\nimage = "mirror/ne:2"\n')
    assert cluster.run("--yes") == 0
    assert cluster["gpu1"].containers["gpumon-node-exporter"].image == "mirror/ne:2"
    assert {image for image in cluster["gpu1"].images if "dcgm" not in image} == {"mirror/ne:2"}


@pytest.mark.parametrize("image", ["--privileged", "a b", "a;b", "$(x)"])
def test_what_is_no_image_is_refused(cluster: Cluster, image: str) -> None:
    cluster.configure(f'[setup]\nmaster = "head"\nnodes = ["gpu1"]\n[setup.node_exporter]\nimage = "{image}"\n')
    with pytest.raises(ConfigError, match=r"setup\.node_exporter\.image"):
        cluster.run("--yes")


def test_a_component_that_is_no_longer_wanted_goes(cluster: Cluster) -> None:
    cluster.run("--yes")
    cluster.configure('[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\nwithout = ["hosts"]\n')
    assert cluster.run("--yes") == 0
    assert cluster["gpu1"].text("/etc/hosts") == "127.0.0.1 localhost\n"
    assert "gpumon-node-exporter" in cluster["gpu1"].containers


def test_limit_and_only_touch_nothing_else(cluster: Cluster) -> None:
    untouched = cluster["gpu2"].picture()
    assert cluster.run("--yes", "--limit", "gpu1", "--only", "hosts") == 0
    assert cluster["gpu2"].picture() == untouched
    assert not cluster["gpu1"].containers
    assert "10.77.0.2 head" in cluster["gpu1"].text("/etc/hosts")


def test_a_busy_machine_keeps_systemd_from_reading_its_files_anew(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    podman = '[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\nengine = "podman"\n'
    cluster.configure(podman)
    for host in cluster.hosts.values():
        host.has_docker, host.has_podman = False, True
    cluster["gpu1"].job_steps = ("123.batch",)
    assert cluster.run("--yes") == 0
    assert ("systemctl", "daemon-reload") not in cluster["gpu1"].ran
    cluster.configure(f"{podman}[setup.node_exporter]\nport = 9101\n")
    capsys.readouterr()
    assert cluster.run("--yes") == 1
    assert "NOT NOW, jobs run here" in capsys.readouterr().out
    assert ("systemctl", "daemon-reload") not in cluster["gpu1"].ran
    assert ("systemctl", "daemon-reload") in cluster["gpu2"].ran
    assert cluster.run("--yes", "--allow-busy") == 0
    assert ("systemctl", "daemon-reload") in cluster["gpu1"].ran


def test_a_restart_that_was_missed_is_made_up_for(cluster: Cluster) -> None:
    native = '[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\nengine = "native"\n'
    cluster.configure(native)
    cluster.run("--yes")
    starts = cluster["gpu1"].units["prometheus-node-exporter.service"].starts
    cluster.configure(f"{native}[setup.node_exporter]\nport = 9101\n")
    cluster["gpu1"].faults["rewrite /etc/default"] = ConnectionBroke("gpu1", "the connection broke.")
    assert cluster.run("--yes") == 1
    assert cluster["gpu1"].units["prometheus-node-exporter.service"].starts == starts
    cluster["gpu1"].faults.clear()
    assert cluster.run("--yes") == 0
    assert cluster["gpu1"].units["prometheus-node-exporter.service"].starts == starts + 1


def test_mistyped_machines_and_components_are_told_with_what_was_meant(cluster: Cluster) -> None:
    with pytest.raises(UsageError, match="did you mean node_exporter"):
        cluster.run("plan", "--only", "node_exporters")
    with pytest.raises(UsageError, match="did you mean gpu1"):
        cluster.run("plan", "--limit", "gpu11")
    with pytest.raises(UsageError, match="--limit names no machines"):
        cluster.run("plan", "--limit", "gpu[1-")


def test_nobody_to_ask_changes_nothing(cluster: Cluster) -> None:
    before = cluster["gpu1"].picture()
    with pytest.raises(UsageError, match="--yes"):
        cluster.run()
    assert cluster["gpu1"].picture() == before


def test_a_configuration_without_setup_says_what_writes_one(cluster: Cluster) -> None:
    cluster.configure("")
    with pytest.raises(ConfigError, match="gpumon setup init"):
        cluster.run("plan")

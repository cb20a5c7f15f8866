"""Machines that reach no registry get their images over SFTP, whatever engine they have, and give them back."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from lab.deploying import OnMaster, told
from lab.hosts import Lab, LabHost
from lab.network import SEATS
from lab.plan import Plan
from lab.traces import Traces
from real.daemons import until

pytestmark = pytest.mark.lab(Plan(machines=3, gpus=1, flavors={"node2": "podman"}, has_gpumon=True))

WITHOUT_SLURM = "sed -i '/^local/a without = [\"slurm_exporter\"]' .config/gpumon/config.toml"
IMAGES = "docker images --no-trunc 2>/dev/null || podman images --no-trunc"
WAITING = "find /var/tmp -name 'gpumon.*'"
NODE_EXPORTER = "load the image quay.io/prometheus/node-exporter:v1.11.1 from images.tar ("


@dataclass(frozen=True)
class Cut:
    """The cluster with an archive and without a way to the registry, after a first run that lost a node."""

    lab: Lab
    ops: OnMaster
    before: Mapping[str, tuple[Traces, str]]
    """Files and images of each machine, before gpumon ever saw it."""
    said: str
    """All that the first run said."""


def seen(host: LabHost) -> tuple[Traces, str]:
    """A machine's files and images."""
    return host.traces(), host.root(IMAGES)


@pytest.fixture(scope="module")
def cut(lab: Lab) -> Cut:
    """An archive is written where a registry is; then there is none, and a cable is pulled in the middle of the way."""
    ops, node1 = OnMaster(lab), lab.nodes[0]
    lab.master.sh(WITHOUT_SLURM)
    lab.master.root("usermod -aG docker ops")
    told(ops.setup("trust", "--yes"))
    images = lab.master.root(IMAGES)
    assert "4 images" in told(ops.setup("save-images", "images.tar"))
    assert lab.master.root(IMAGES) == images
    lab.master.sh("sed -i '/^local/a image_archive = \"/home/ops/images.tar\"' .config/gpumon/config.toml")
    for host in lab.hosts.values():
        host.root(f"ip route add unreachable {SEATS['svc']}")
    before = {host.name: seen(host) for host in lab.hosts.values()}
    with ThreadPoolExecutor() as hand:
        run = hand.submit(ops.setup, "--yes", "--no-diff")
        until(lambda: node1.root(WAITING) != "", "an image is on its way")
        node1.power.cut()
        try:
            said = told(run.result(), 1)
        finally:
            node1.power.heal()
    return Cut(lab, ops, before, said)


def test_a_cable_cut_in_the_middle_of_the_way_is_said_and_the_others_go_on(cut: Cut) -> None:
    assert "node1: images.tar could not be sent over SFTP" in cut.said
    assert f"failed: {NODE_EXPORTER}" in cut.said
    assert "node2: all" in cut.said
    assert sorted(cut.lab.nodes[1].containers()) == ["gpumon-dcgm-exporter", "gpumon-node-exporter"]


def test_a_second_run_sends_what_is_missing_and_ends_green(cut: Cut) -> None:
    said = told(cut.ops.setup("--yes", "--no-diff"))
    assert f"node_exporter: {NODE_EXPORTER}" in said
    assert "grafana: load" not in said
    assert "checks are ok." in said
    assert "Nothing to do." in told(cut.ops.setup("--check"))
    assert sorted(cut.lab.nodes[0].containers()) == sorted(cut.lab.nodes[1].containers())


def test_nothing_of_the_way_is_left_and_uninstall_takes_the_images_along(cut: Cut) -> None:
    assert [host.root(WAITING) for host in cut.lab.hosts.values()] == ["", "", ""]
    told(cut.ops.setup("uninstall", "--yes"))
    for host in cut.lab.hosts.values():
        files, images = seen(host)
        assert files.since(cut.before[host.name][0]) == []
        assert images == cut.before[host.name][1]

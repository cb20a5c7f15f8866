"""From a bare cluster to the dashboard with one command that `ops` types on the master, over a reboot, and back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from lab.deploying import OnMaster, by_node, of_gpumon, targets, told
from lab.hosts import Lab, LabHost
from lab.plan import Plan
from lab.traces import Traces
from real.daemons import until
from real.terminal import Terminal

pytestmark = pytest.mark.lab(Plan(machines=3, gpus=2, flavor="slurm", is_slurm_on=True, has_gpumon=True))

ALL_UP = [
    ("dcgm", "node1", "up"),
    ("dcgm", "node2", "up"),
    ("node", "master", "up"),
    ("node", "node1", "up"),
    ("node", "node2", "up"),
    ("prometheus", "master", "up"),
    ("slurm", "", "up"),
]
EVERY_GPU = {("node1", 0), ("node1", 1), ("node2", 0), ("node2", 1)}
QUEUE = {"training": ("running", "node2"), "waiting": ("pending", "")}
UNITS = "systemctl list-unit-files --no-legend --no-pager"
IMAGES = "docker images --format '{{.Repository}}:{{.Tag}}'"


@dataclass(frozen=True)
class Before:
    """A machine before gpumon ever saw it."""

    traces: Traces
    units: str
    images: str

    @classmethod
    def of(cls, host: LabHost) -> Before:
        """As it is now."""
        return cls(host.traces(), host.root(UNITS), host.root(IMAGES))


@dataclass(frozen=True)
class Deployed:
    """The cluster after the one command."""

    lab: Lab
    ops: OnMaster
    before: Mapping[str, Before]
    first_run: str
    """All that it said."""


@pytest.fixture(scope="module")
def deployed(lab: Lab) -> Deployed:
    ops = OnMaster(lab)
    told(ops.setup("trust", "--yes"))
    before = {host.name: Before.of(host) for host in lab.hosts.values()}
    return Deployed(lab, ops, before, told(ops.setup("--yes")))


def has_picture(master: LabHost, since: float) -> Callable[[], bool]:
    """Whether the master shows all GPUs by samples later than a moment, every exporter up, and Slurm's queue."""

    def looked() -> bool:
        gpus, jobs = of_gpumon(master, "gpus"), of_gpumon(master, "jobs")
        return (
            gpus is not None
            and jobs is not None
            and {(gpu["node"], gpu["index"]) for gpu in gpus["gpus"] if gpu["sampled_at"] > since} == EVERY_GPU
            and {job["name"]: (job["state"], job["nodes"]) for job in jobs["jobs"]} == QUEUE
            and targets(master) == ALL_UP
        )

    return looked


def test_a_bare_cluster_is_set_up_with_one_command_that_proves_it_works(deployed: Deployed) -> None:
    assert "checks are ok." in deployed.first_run
    assert "Next: gpumon status, or gpumon-tui." in deployed.first_run


def test_a_second_run_finds_nothing_to_do(deployed: Deployed) -> None:
    assert "Nothing to do." in told(deployed.ops.setup("--yes"))
    assert "Nothing to do." in told(deployed.ops.setup("--check"))


def test_every_exporter_is_scraped_under_its_machines_name(deployed: Deployed) -> None:
    master = deployed.lab.master
    assert targets(master) == ALL_UP
    assert by_node(master, "count by (node) (DCGM_FI_DEV_GPU_TEMP)") == {"node1": 2, "node2": 2}


def test_slurms_jobs_are_seen_on_the_gpus_that_they_hold(deployed: Deployed) -> None:
    master = deployed.lab.master
    since = time.time()
    master.sh("sbatch -Q -o /dev/null -w node2 --gres gpu:2 -J training --wrap 'sleep 3600'")
    master.sh("sbatch -Q -o /dev/null -N2 --gres gpu:2 -J waiting --wrap true")
    until(has_picture(master, since), "GPUs and jobs are seen")
    held = {job["name"]: job["held_gpus"] for job in of_gpumon(master, "jobs")["jobs"]}
    assert [(gpu["node"], gpu["index"]) for gpu in held["training"]] == [("node2", 0), ("node2", 1)]
    assert "4: 2 allocated" in master.sh("gpumon status")


def test_the_dashboard_on_the_master_shows_nodes_and_queue(deployed: Deployed) -> None:
    ssh = ("ssh", "-F", str(deployed.lab.ssh_config), "-tt", "master", "XDG_STATE_HOME=/tmp/state gpumon-tui")
    terminal = Terminal(deployed.lab.command(ssh), os.environ)
    try:
        terminal.until(r"node1")
        terminal.until(r"node2")
        terminal.type("4")
        terminal.until(r"training")
    finally:
        terminal.stop()


def test_when_the_master_and_a_node_reboot_everything_comes_back_by_itself(deployed: Deployed) -> None:
    master, node, _ = deployed.lab.hosts.values()
    since = time.time()
    with ThreadPoolExecutor() as hands:
        for rebooted in [hands.submit(host.power.reboot) for host in (master, node)]:
            rebooted.result()
    until(has_picture(master, since), "the same picture returns", 120)
    assert "checks are ok." in told(deployed.ops.setup("verify"))
    assert "Nothing to do." in told(deployed.ops.setup("--check"))


def test_uninstall_leaves_every_machine_as_it_was(deployed: Deployed) -> None:
    told(deployed.ops.setup("uninstall", "--yes"))
    for host in deployed.lab.hosts.values():
        before, now = deployed.before[host.name], Before.of(host)
        assert now.traces.since(before.traces) == []
        assert (now.units, now.images) == (before.units, before.images)
        assert host.containers() == {}
    assert "Nothing to do." in told(deployed.ops.setup("uninstall", "--yes"))

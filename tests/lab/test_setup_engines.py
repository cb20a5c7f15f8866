"""Whole stacks without docker, one of podman's containers and one of packages: green, over a reboot, and away again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from lab.deploying import AtSeat, by_node, targets, told
from lab.hosts import Lab, LabHost
from lab.plan import Plan
from lab.traces import Traces
from real.daemons import until

pytestmark = pytest.mark.lab(Plan(machines=4, gpus=1, flavor="podman", flavors={"master": "base"}))

STACKS = {"podman": ("node2", "node3"), "native": ("master", "node1")}
"""The master and the node of each; the one of packages has podman for what comes as a container only."""
CONFIG = """\
[setup]
master = "{master}"
nodes = ["{node}"]
engine = "{engine}"
without = ["slurm_exporter"]
[setup.prometheus]
scrape_interval = 5
"""
WITH_ADDUSER = "{ apt-get -qq update && apt-get -qq install -y adduser && rm -rf /var/lib/apt/lists/*; } 2>&1"
"""Every Debian has it, and the packages' scripts need it; nobody ever asked an archive on these machines."""
LEFT = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/var/lib/dpkg", "/var/lib/grafana")
"""Where the users of packages stay on record, what dpkg notes for itself, and what Grafana's package leaves."""
UNITS = "systemctl list-unit-files --no-legend --no-pager"
IMAGES = "! command -v podman >/dev/null || podman images --format '{{.Repository}}:{{.Tag}}'"


@dataclass(frozen=True)
class Stack:
    """A cluster of two machines, all that it has by one engine."""

    engine: str
    seat: AtSeat
    master: LabHost
    node: LabHost
    before: Mapping[str, tuple[Traces, str, str]]
    """Files, units and images of each machine, before gpumon ever saw it."""
    said: str
    """All that the first run said."""


def seen(host: LabHost) -> tuple[Traces, str, str]:
    """A machine's files, units and images."""
    return host.traces(), host.root(UNITS), host.root(IMAGES)


def deployed(lab: Lab, seat: AtSeat, engine: str) -> Stack:
    """One command on two machines."""
    master, node = STACKS[engine]
    (seat.home / "config.toml").write_text(CONFIG.format(master=master, node=node, engine=engine))
    hosts = lab.hosts[master], lab.hosts[node]
    for host in hosts:
        host.root(WITH_ADDUSER)
    before = {host.name: seen(host) for host in hosts}
    return Stack(engine, seat, *hosts, before, told(seat.setup("--yes", "--no-diff")))


def at_once(work: Callable[[Stack], None], stacks: Mapping[str, Stack]) -> None:
    """Does something on both at the same time: neither knows of the other."""
    with ThreadPoolExecutor() as hands:
        for done in [hands.submit(work, stack) for stack in stacks.values()]:
            done.result()


@pytest.fixture(scope="module")
def stacks(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Stack]:
    """Both, brought at once."""
    with ThreadPoolExecutor() as hands:
        seats = {engine: AtSeat(lab, tmp_path_factory.mktemp(engine)) for engine in STACKS}
        begun = {engine: hands.submit(deployed, lab, seat, engine) for engine, seat in seats.items()}
        return {engine: run.result() for engine, run in begun.items()}


@pytest.mark.parametrize("engine", STACKS)
def test_one_command_ends_green_and_a_second_finds_nothing_to_do(stacks: Mapping[str, Stack], engine: str) -> None:
    stack = stacks[engine]
    assert "checks are ok." in stack.said
    assert "Nothing to do." in told(stack.seat.setup("--check"))
    assert [(job, node) for job, node, health in targets(stack.master) if health == "up"] == [
        ("dcgm", stack.node.name),
        ("node", stack.master.name),
        ("node", stack.node.name),
        ("prometheus", stack.master.name),
    ]


def test_after_a_reboot_everything_comes_back_by_itself(stacks: Mapping[str, Stack]) -> None:
    at_once(rebooted, stacks)


def rebooted(stack: Stack) -> None:
    since = time.time()
    with ThreadPoolExecutor() as hands:
        for booted in [hands.submit(host.power.reboot) for host in (stack.master, stack.node)]:
            booted.result()
    query = 'timestamp(up{job=~"node|dcgm"} == 1)'
    until(
        lambda: all(sampled > since for sampled in by_node(stack.master, query).values() or (0.0,)), "all are up", 120
    )
    assert "checks are ok." in told(stack.seat.setup("verify"))
    assert "Nothing to do." in told(stack.seat.setup("--check"))


def test_uninstall_leaves_what_was_there(stacks: Mapping[str, Stack]) -> None:
    at_once(uninstalled, stacks)


def uninstalled(stack: Stack) -> None:
    told(stack.seat.setup("uninstall", "--yes"))
    for host in (stack.master, stack.node):
        (before, *others), (now, *others_now) = stack.before[host.name], seen(host)
        changed = now.since(before)
        assert stack.engine == "native" or not changed
        assert [path for path in changed if not path.startswith(LEFT)] == []
        assert others_now == others
        assert host.containers() == {}

"""Whole stacks by podman, out of an archive of images, and by packages: green, over a reboot, and away again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import pytest

from lab.deploying import AtSeat, OnMaster, by_node, targets, told
from lab.hosts import Lab, LabHost, Ran
from lab.network import SEATS
from lab.plan import Plan
from lab.traces import Traces
from real.daemons import until

pytestmark = pytest.mark.lab(
    Plan(machines=5, gpus=1, flavor="podman", flavors={"node2": "docker", "node3": "base"}, has_gpumon=True)
)

CONTAINERS = """\
[setup]
master = "master"
nodes = ["node[1-2]"]
local = true
without = ["slurm_exporter"]
image_archive = "/home/ops/images.tar"
[setup.machines.node1]
address = "{node1}"
[setup.machines.node2]
address = "{node2}"
[setup.prometheus]
scrape_interval = 5
"""
PACKAGES = """\
[setup]
master = "node3"
nodes = ["node4"]
engine = "native"
without = ["slurm_exporter"]
[setup.prometheus]
scrape_interval = 5
"""
NODE_EXPORTER = "load the image quay.io/prometheus/node-exporter:v1.11.1 from images.tar (25 MB)"
WAITING = "find /var/tmp -name 'gpumon.*'"
WITH_ADDUSER = "{ apt-get -qq update && apt-get -qq install -y adduser && rm -rf /var/lib/apt/lists/*; } 2>&1"
"""Every Debian has it, and the packages' scripts need it; nobody ever asked an archive on these machines."""
NO_GRAFANA = "/etc/apt/preferences.d/no-grafana"
LEFT = ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/var/lib/dpkg", "/var/lib/grafana")
"""Where the users of packages stay on record, what dpkg notes for itself, and what Grafana's package leaves."""
UNITS = "systemctl list-unit-files --no-legend --no-pager"
IMAGES = "for engine in docker podman; do ! command -v $engine >/dev/null || $engine images --no-trunc; done"
EXPORTERS = ["gpumon-dcgm-exporter", "gpumon-node-exporter"]
Seen = tuple[Traces, str, str]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Stack:
    """A cluster that has been set up by one command."""

    setup: Callable[..., Ran]
    """Runs `gpumon setup` for it."""
    master: LabHost
    nodes: tuple[LabHost, ...]
    before: Mapping[str, Seen]
    """Files, units and images of each machine, before gpumon ever saw it."""
    said: str
    """All that the command said."""

    @property
    def hosts(self) -> tuple[LabHost, ...]:
        """All machines."""
        return self.master, *self.nodes


def seen(host: LabHost) -> Seen:
    """A machine's files, units and images."""
    return host.traces(), host.root(UNITS), host.root(IMAGES)


def of_containers(lab: Lab) -> Stack:
    """By ops on a master with podman: an archive is written, then no registry is there, and a cable is pulled."""
    master, node1, node2, *_ = lab.hosts.values()
    ops = OnMaster(lab)
    config = CONTAINERS.format(node1=node1.address, node2=node2.address)
    master.sh("cat >.config/gpumon/config.toml", stdin=config)
    told(ops.setup("trust", "--yes"))
    assert "4 images" in told(ops.setup("save-images", "images.tar", "--on", "master"))
    hosts = master, node1, node2
    for host in hosts:
        host.root(f"ip route add unreachable {SEATS['svc']}")
    before = {host.name: seen(host) for host in hosts}
    assert "node-exporter" not in before["master"][2]
    with ThreadPoolExecutor() as hand:
        run = hand.submit(ops.setup, "--yes", "--no-diff")
        until(lambda: node1.root(WAITING) != "", "an image is on its way")
        node1.power.cut()
        try:
            said = told(run.result(), 1)
        finally:
            node1.power.heal()
    return Stack(ops.setup, master, (node1, node2), before, said)


def of_packages(lab: Lab, seat: AtSeat) -> Stack:
    """By the administrator: a master with nothing, and a node with podman for what comes as a container only."""
    (seat.home / "config.toml").write_text(PACKAGES)
    master, node = lab.hosts["node3"], lab.hosts["node4"]
    for host in (master, node):
        host.root(WITH_ADDUSER)
    before = {host.name: seen(host) for host in (master, node)}
    refused_without_grafana(seat, master)
    return Stack(seat.setup, master, (node,), before, told(seat.setup("--yes", "--no-diff")))


def refused_without_grafana(seat: AtSeat, master: LabHost) -> None:
    """Where no archive has Grafana's package, as none of Debian's has, that is said before anything is begun."""
    master.write(NO_GRAFANA, b"Package: grafana\nPin: release *\nPin-Priority: -1\n")
    said = told(seat.setup("plan", "--no-diff", "--limit", master.name), 1)
    assert "CANNOT: grafana: apt finds no such package here." in said
    assert master.root("find /tmp /var/lib/apt/lists -name 'gpumon.*' -o -name '*_Packages*'") == ""
    master.root(f"rm {NO_GRAFANA}")


def at_once(work: Callable[[_T], object], on: Sequence[_T]) -> None:
    """Does something on several at the same time."""
    with ThreadPoolExecutor() as hands:
        for done in [hands.submit(work, one) for one in on]:
            done.result()


@pytest.fixture(scope="module")
def stacks(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stack, Stack]:
    """Both, brought at the same time: neither knows of the other."""
    seat = AtSeat(lab, tmp_path_factory.mktemp("administrator"))
    with ThreadPoolExecutor() as hands:
        containers, packages = hands.submit(of_containers, lab), hands.submit(of_packages, lab, seat)
        return containers.result(), packages.result()


def test_a_cable_cut_while_an_image_is_sent_is_said_and_the_others_go_on(stacks: tuple[Stack, Stack]) -> None:
    containers, _ = stacks
    assert "node1: images.tar could not be sent over SFTP" in containers.said
    assert f"failed: {NODE_EXPORTER}" in containers.said
    assert "node2: all" in containers.said
    assert sorted(containers.nodes[1].containers()) == EXPORTERS


def test_a_second_run_sends_what_is_missing_and_ends_green(stacks: tuple[Stack, Stack]) -> None:
    containers, _ = stacks
    said = told(containers.setup("--yes", "--no-diff"))
    assert f"node_exporter: {NODE_EXPORTER}" in said
    assert "grafana: load" not in said
    assert "checks are ok." in said
    assert "Nothing to do." in told(containers.setup("--check"))
    assert [host.root(WAITING) for host in containers.hosts] == ["", "", ""]
    assert sorted(containers.nodes[0].containers()) == EXPORTERS


def test_packages_end_green_with_one_command(stacks: tuple[Stack, Stack]) -> None:
    _, packages = stacks
    assert "checks are ok." in packages.said
    assert "Nothing to do." in told(packages.setup("--check"))
    assert targets(packages.master) == [
        ("dcgm", "node4", "up"),
        ("node", "node3", "up"),
        ("node", "node4", "up"),
        ("prometheus", "node3", "up"),
    ]


def test_after_a_reboot_everything_comes_back_by_itself(stacks: tuple[Stack, Stack]) -> None:
    since = time.time()
    at_once(lambda host: host.power.reboot(), [host for stack in stacks for host in stack.hosts])
    at_once(partial(proved, since=since), stacks)


def proved(stack: Stack, since: float) -> None:
    """By later samples it works, and nothing differs from what is planned."""
    query = f'count by (node) (timestamp(up{{job=~"node|dcgm"}} == 1) > {since})'
    both = {**dict.fromkeys((node.name for node in stack.nodes), 2.0), stack.master.name: 1.0}
    until(lambda: by_node(stack.master, query) == both, "all are up", 120)
    assert "checks are ok." in told(stack.setup("verify"))
    assert "Nothing to do." in told(stack.setup("--check"))


def test_uninstall_leaves_what_was_there(stacks: tuple[Stack, Stack]) -> None:
    at_once(lambda stack: told(stack.setup("uninstall", "--yes")), stacks)
    for stack in stacks:
        for host in stack.hosts:
            (before, *others), (now, *others_now) = stack.before[host.name], seen(host)
            expected = LEFT if stack is stacks[1] else ()
            assert [path for path in now.since(before) if not (expected and path.startswith(expected))] == []
            assert others_now == others
            assert host.containers() == {}

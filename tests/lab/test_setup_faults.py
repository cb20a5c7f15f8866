"""What goes wrong with one machine, or on the way to it, is said with its cure; the others go on; a re-run mends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from lab.deploying import AtSeat, containers, told
from lab.hosts import Lab
from lab.midway import gate, let_go, stand_still, typed
from lab.network import SEATS
from lab.plan import Plan
from real.daemons import until
from real.terminal import Terminal

pytestmark = pytest.mark.lab(Plan(machines=3, gpus=2, flavor="slurm", is_slurm_on=True, is_preloaded=True))

NODES = ("--yes", "--no-diff", "--limit", "node[1-2]", "--only", "hosts,node_exporter,dcgm_exporter")
"""What most faults are tried on: Prometheus, which takes its time, is in none of them."""
BOTH = ["gpumon-dcgm-exporter", "gpumon-node-exporter"]
COUNTERS = "/etc/gpumon/dcgm-exporter/counters.csv"


@pytest.fixture
def bare(seat: AtSeat) -> None:
    """The nodes have nothing of gpumon."""
    told(seat.setup("uninstall", "--yes", "--no-diff", "--limit", "node[1-2]"))


@pytest.fixture(autouse=True)
def unconfigured(seat: AtSeat) -> Generator[None]:
    """What a test configures holds for itself alone."""
    yield
    seat.configure("")
    seat.configure_ssh("")


def test_from_the_seat_the_whole_stack_ends_green_and_a_second_run_finds_nothing_to_do(lab: Lab, seat: AtSeat) -> None:
    seat.configure("[setup.prometheus]\nscrape_interval = 5")
    said = told(seat.setup("--yes"))
    assert "checks are ok." in said
    assert "ssh -L 9090:127.0.0.1:9090 master" in said
    assert "Nothing to do." in told(seat.setup("--check"))
    assert containers(lab.nodes[0]) == BOTH


@pytest.mark.usefixtures("bare")
def test_a_node_without_power_is_named_and_the_others_go_on(lab: Lab, seat: AtSeat) -> None:
    node1, node2 = lab.nodes
    node2.power.crash()
    try:
        said = told(seat.setup(*NODES), 1)
    finally:
        node2.power.start()
    assert "node2: 10.77.0.12 port 22" in said
    assert "1 machine out of reach" in said
    assert containers(node1) == BOTH
    told(seat.setup(*NODES))
    assert containers(node2) == BOTH


@pytest.mark.usefixtures("bare")
def test_after_ctrl_c_it_is_said_what_was_done_and_what_not(lab: Lab, seat: AtSeat) -> None:
    node2 = lab.nodes[1]
    with gate(node2, "docker", "run*"), typed(seat, *NODES) as run:
        stand_still(node2)
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=90)
    assert run.returncode == 130
    assert "node2: 2 of 6 changes made; not known to be whole: run the container gpumon-node-exporter" in said
    assert "  not begun: run the container gpumon-dcgm-exporter" in said
    told(seat.setup(*NODES))
    assert containers(node2) == BOTH


@pytest.mark.usefixtures("bare")
def test_whoever_comes_second_is_told_who_was_first(lab: Lab, seat: AtSeat) -> None:
    node2 = lab.nodes[1]
    with gate(node2, "docker", "run*"), typed(seat, *NODES) as run:
        stand_still(node2)
        second = seat.setup(*NODES)
        node2.root(let_go("docker"))
        assert run.wait(timeout=90) == 0
    assert second.returncode == 3
    assert "This cluster is being set up already: by root on " in second.stderr


@pytest.mark.usefixtures("bare")
def test_without_a_registry_what_cannot_be_pulled_is_named(lab: Lab, seat: AtSeat) -> None:
    for node in lab.nodes:
        node.sh("sudo docker rmi quay.io/prometheus/node-exporter:v1.11.1 prom/node-exporter:v1.11.1")
        node.root(f"ip route add unreachable {SEATS['svc']}")
    try:
        said = told(seat.setup(*NODES), 1)
    finally:
        for node in lab.nodes:
            node.root(f"ip route del unreachable {SEATS['svc']}")
    assert "node1: pull the image quay.io/prometheus/node-exporter:v1.11.1: " in said
    told(seat.setup(*NODES))
    assert containers(lab.nodes[0]) == BOTH


@pytest.mark.usefixtures("bare")
def test_a_port_that_is_taken_is_refused_with_whose_it_is(lab: Lab, seat: AtSeat) -> None:
    node1, node2 = lab.nodes
    node1.root("systemd-run -q --unit=squatter python3 -m http.server 9100")
    until(lambda: node1.ssh("ss -Hltn sport = 9100").stdout != "", "somebody listens")
    try:
        said = told(seat.setup(*NODES), 1)
    finally:
        node1.root("systemctl stop squatter")
    assert "CANNOT: port 9100, which node_exporter needs, is taken by python3 (pid " in said
    assert containers(node1) == []
    assert containers(node2) == BOTH
    told(seat.setup(*NODES))
    assert containers(node1) == BOTH


def test_a_file_edited_by_hand_is_shown_as_a_diff_and_restored(lab: Lab, seat: AtSeat) -> None:
    node = lab.nodes[0]
    told(seat.setup(*NODES))
    written = node.read(COUNTERS)
    node.root(f"echo 'DCGM_FI_DEV_MINE, gauge, by hand' >>{COUNTERS}")
    assert "-DCGM_FI_DEV_MINE, gauge, by hand" in told(seat.setup("plan", "--limit", node.name))
    told(seat.setup(*NODES))
    assert node.read(COUNTERS) == written


@pytest.mark.usefixtures("bare")
def test_a_full_disk_is_said_and_leaves_no_half_of_a_file(lab: Lab, seat: AtSeat) -> None:
    node1, node2 = lab.nodes
    folder = COUNTERS.rpartition("/")[0]
    node1.root(f"mkdir -p {folder} && mount -t tmpfs -o size=4k,mode=755 small {folder}")
    node1.root(f"head -c 4096 /dev/zero >{folder}/rest")
    try:
        said = told(seat.setup(*NODES), 1)
        left = node1.root(f"ls -A {folder}")
    finally:
        node1.root(f"umount {folder}")
    assert f"node1: write {COUNTERS}: " in said
    assert "No space left on device" in said
    assert left == "rest\n"
    assert containers(node2) == BOTH
    told(seat.setup(*NODES))
    assert containers(node1) == BOTH


def test_sudo_is_given_a_password_once_and_its_refusals_are_told_apart(lab: Lab, seat: AtSeat) -> None:
    seat.configure_ssh("Host node1\n  User admin\nHost node2\n  User plain\n")
    assert "node1: sudo did not take the password of admin." in answered(seat, "node1", "wrong", 1)
    assert "node2: plain may not use sudo there" in answered(seat, "node2", lab.password, 1)
    assert "Password for sudo" in told(seat.setup(*NODES), 1)
    said = answered(seat, "node1", lab.password, 0)
    assert "Everything is as planned." in said or "Nothing to do." in said
    assert lab.password not in said


def answered(seat: AtSeat, host: str, password: str, code: int) -> str:
    """What stands on the terminal of a run that asked for sudo's password."""
    words = ("--yes", "--no-diff", "--limit", host, "--only", "hosts,node_exporter")
    terminal = Terminal(seat.argv(*words), os.environ)
    try:
        terminal.until("Password for sudo:")
        terminal.type(f"{password}\r")
        assert terminal.ended(90) == code, terminal.text
    finally:
        terminal.stop()
    return terminal.text


@pytest.mark.usefixtures("bare")
def test_a_changed_host_key_is_never_trusted(lab: Lab, seat: AtSeat, tmp_path: Path) -> None:
    node1, node2 = lab.nodes
    lines = lab.known_hosts.read_text().splitlines()
    keys = {line.split()[0] + line.split()[1]: line.split()[2] for line in lines}
    changed = [
        f"{names} {kind} {keys[f'node2,{node2.address}{kind}'] if names.startswith('node1,') else key}"
        for names, kind, key in (line.split() for line in lines)
    ]
    (tmp_path / "known_hosts").write_text("\n".join(changed) + "\n")
    seat.configure_ssh(f"UserKnownHostsFile {tmp_path / 'known_hosts'}\n")
    for words in (NODES, ("trust", "--yes")):
        assert "node1" in told(seat.setup(*words), 1)
    assert containers(node1) == []
    assert containers(node2) == BOTH


@pytest.mark.usefixtures("bare")
def test_an_engine_that_stands_still_is_said_before_anything_is_begun(lab: Lab, seat: AtSeat) -> None:
    node1, node2 = lab.nodes
    node1.root("systemctl stop docker.socket docker")
    try:
        said = told(seat.setup(*NODES), 1)
    finally:
        node1.root("systemctl start docker")
    assert "CANNOT: docker does not answer" in said
    assert node1.read(COUNTERS) is None
    told(seat.setup(*NODES))
    assert containers(node1) == containers(node2) == BOTH


HOSTILE = ("a b", "a'b", 'a\\"b', "a;touch /tmp/hit", "$(touch /tmp/hit)", "`touch /tmp/hit`", "a\\nb", "--privileged")


def test_hostile_values_are_refused_before_any_machine_is_asked(seat: AtSeat) -> None:
    for hostile in HOSTILE:
        seat.configure(f'[setup.node_exporter]\nimage = "{hostile}"\n[setup.dcgm_exporter]\njob_map = "/opt/{hostile}"')
        ran = seat.setup(*NODES)
        assert (ran.returncode, "Looking at" in ran.stderr) == (2, False)
        assert "setup.node_exporter.image" in ran.stderr

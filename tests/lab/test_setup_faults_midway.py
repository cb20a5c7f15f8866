"""What breaks in the middle of a run is said, harms no other machine, and is mended by the next run."""

from __future__ import annotations

import signal
from collections.abc import Generator
from contextlib import ExitStack

import pytest

from lab.deploying import AtSeat, containers, told
from lab.hosts import Lab
from lab.midway import cut_off, gate, let_go, stand_still, typed
from lab.plan import Plan

pytestmark = pytest.mark.lab(Plan(machines=5, gpus=2, flavor="slurm", is_slurm_on=True, is_preloaded=True))

NODES = ("--yes", "--no-diff", "--limit", "node[1-4]", "--only", "hosts,node_exporter,dcgm_exporter")
BOTH = ["gpumon-dcgm-exporter", "gpumon-node-exporter"]
FOLDER = "/etc/gpumon/dcgm-exporter"
IMAGES = "quay.io/prometheus/node-exporter:v1.11.1 prom/node-exporter:v1.11.1"


@pytest.fixture
def bare(seat: AtSeat) -> None:
    """The nodes have nothing of gpumon."""
    told(seat.setup("uninstall", "--yes", "--no-diff", "--limit", "node[1-4]"))


@pytest.fixture(autouse=True)
def unconfigured(seat: AtSeat) -> Generator[None]:
    """What a test configures holds for itself alone."""
    yield
    seat.configure_ssh("")


def test_wherever_a_cable_is_cut_the_next_run_goes_on_from_there(lab: Lab, seat: AtSeat) -> None:
    before, writing, pulling, between = lab.nodes
    pulling.root(f"docker rmi {IMAGES}")
    with ExitStack() as gates:
        gates.enter_context(gate(before, "mkdir", "*/setup/made"))
        gates.enter_context(gate(writing, "chown", f"*{FOLDER}/.gpumon*"))
        gates.enter_context(gate(pulling, "docker", "pull*"))
        gates.enter_context(gate(between, "mkdir", f"*{FOLDER}"))
        with typed(seat, *NODES) as run:
            stand_still(*lab.nodes)
            with cut_off(*lab.nodes):
                said, _ = run.communicate(timeout=90)
    assert run.returncode == 1
    for host, words in (
        (before, "0 of 6 changes made; failed: write the block hosts into /etc/hosts"),
        (writing, "4 of 6 changes made; failed: write /etc/gpumon/dcgm-exporter/counters.csv"),
        (pulling, "2 of 7 changes made; failed: pull the image quay.io/prometheus/node-exporter:v1.11.1"),
        (between, "3 of 6 changes made; failed: make the directory /etc/gpumon/dcgm-exporter"),
    ):
        assert f"{host.name}: the connection broke" in said
        assert f"{host.name}: {words}" in said
    # On one of them the way ends again, when all is done and looked at once more; at once, for a cable takes 30 s.
    with gate(before, "uname", condition=f"[ -e {FOLDER}/counters.csv ]"), typed(seat, *NODES) as run:
        stand_still(before)
        before.root("pkill -KILL -u ops")
        said, _ = run.communicate(timeout=90)
    assert run.returncode == 1
    assert "All that can be done now is done." in said
    assert f"{before.name} went away after the work: the connection broke" in said
    assert [containers(node) for node in lab.nodes] == [BOTH] * 4
    assert "Nothing to do." in told(seat.setup(*NODES))


@pytest.mark.usefixtures("bare")
def test_a_node_that_reboots_and_an_engine_that_stops_in_the_middle_are_told_apart(lab: Lab, seat: AtSeat) -> None:
    rebooting, stopping, *others = lab.nodes
    with gate(rebooting, "docker", "run*"), gate(stopping, "docker", "run*"), typed(seat, *NODES) as run:
        stand_still(rebooting, stopping)
        stopping.root(f"systemctl stop docker.socket docker; {let_go('docker')}")
        rebooting.power.reboot()
        said, _ = run.communicate(timeout=90)
    assert run.returncode == 1
    assert f"{rebooting.name}: the connection broke" in said
    assert f"{stopping.name}: run the container gpumon-node-exporter (" in said
    assert "Cannot connect to the Docker daemon" in said
    assert [containers(node) for node in others] == [BOTH] * 2
    stopping.root("systemctl start docker")
    assert "Everything is as planned." in told(seat.setup(*NODES))
    assert [containers(node) for node in lab.nodes] == [BOTH] * 4


@pytest.mark.usefixtures("bare")
def test_a_second_ctrl_c_changes_nothing_about_how_it_ends(lab: Lab, seat: AtSeat) -> None:
    node = lab.nodes[0]
    with gate(node, "docker", "run*"):
        with typed(seat, *NODES) as run:
            stand_still(node)
            run.send_signal(signal.SIGINT)
            run.send_signal(signal.SIGINT)
            said, _ = run.communicate(timeout=90)
        assert run.returncode in (130, -signal.SIGINT)  # the second one may come when all is said
        assert "Traceback" not in said
        assert (
            f"{node.name}: 2 of 6 changes made; not known to be whole: run the container gpumon-node-exporter" in said
        )
        with typed(seat, *NODES) as run:
            assert run.stdout is not None
            waiting = next(line for line in run.stdout if "is at work there" in line)
            node.root(let_go("docker"))
            run.communicate(timeout=90)
    assert f"{node.name}: another run of gpumon setup is at work there: by root on " in waiting
    assert run.returncode == 0
    assert containers(node) == BOTH


def test_without_the_master_nothing_is_begun(lab: Lab, seat: AtSeat) -> None:
    before = [containers(node) for node in lab.nodes]
    with cut_off(lab.master):
        ran = seat.setup("uninstall", "--yes")
    assert ran.returncode == 3
    assert "master: 10.77.0.10 port 22 did not answer within 5 s. Is it up?" in ran.stderr
    assert [containers(node) for node in lab.nodes] == before


@pytest.mark.usefixtures("bare")
def test_a_key_that_a_node_does_not_know_is_named_and_the_others_go_on(lab: Lab, seat: AtSeat) -> None:
    node, other = lab.nodes[0], seat.home / ".ssh" / "other"
    lab.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)])
    (seat.home / ".ssh" / "config").write_text(
        f"Host {node.name}\nHostName {node.address}\nUser ops\nIdentityFile {other}\nIdentitiesOnly yes\n"
        f"UserKnownHostsFile {lab.known_hosts}\nHost * !{node.name}\nInclude {lab.ssh_config}\n"
    )
    said = told(seat.setup(*NODES), 1)
    assert (
        f"{node.name}: ops is not let in at {node.address} port 22: 1 key offered ({other}), it accepts publickey"
        in said
    )
    assert "ssh-copy-id" in said
    assert [containers(one) for one in lab.nodes] == [[], BOTH, BOTH, BOTH]
    seat.configure_ssh("")
    told(seat.setup(*NODES))
    assert containers(node) == BOTH

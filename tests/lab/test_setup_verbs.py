"""What one does with a cluster that is set up: look, add nodes, upgrade, go back, and take nodes away again."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from lab.deploying import AtSeat, of_prometheus, targets, told
from lab.hosts import Lab, LabHost
from lab.plan import Plan
from lab.traces import Traces
from real.daemons import until

TELLS_METRICS = "MetricsType=metrics/openmetrics\n"
pytestmark = pytest.mark.lab(
    Plan(machines=4, gpus=2, flavor="slurm", is_slurm_on=True, is_preloaded=True, slurm_extra=TELLS_METRICS)
)

CONFIG = "[setup.prometheus]\nscrape_interval = 2\n"
OLD = f"""{CONFIG}image = "quay.io/prometheus/prometheus:v2.42.0"
[setup.node_exporter]
image = "quay.io/prometheus/node-exporter:v1.5.0"
[setup.dcgm_exporter]
image = "nvcr.io/nvidia/k8s/dcgm-exporter:4.4.2-4.7.0-distroless"
[setup.grafana]
image = "docker.io/grafana/grafana:13.1.0"
"""
HELD = 'up{job="node",node="node1"}'
"""A number of the first minute."""
ONCE_A_MINUTE = 'max_over_time(up{job="slurm-own-jobs"}[1h])'


@dataclass(frozen=True)
class Deployed:
    """Two of three nodes, with versions of yesterday."""

    seat: AtSeat
    before: Traces
    """The third node, of which nothing was asked yet."""
    at: float
    """When Prometheus had everybody's numbers first."""


@pytest.fixture(scope="module")
def deployed(lab: Lab, seat: AtSeat) -> Deployed:
    seat.configure(OLD, "node[1-2]")
    assert {one["stand"] for one in status(seat, 1)["components"]} == {"missing"}
    ran = seat.setup("--check", "--json")
    told(ran, 2)
    assert not [one for host in json.loads(ran.stdout)["hosts"] for one in host["changes"] if one["is_disruptive"]]
    told(seat.setup("--yes", "--no-diff"))
    return Deployed(seat, lab.nodes[2].traces(), time.time())


def status(seat: AtSeat, code: int, *words: str) -> Any:
    """How the cluster stands, as a program is told."""
    ran = seat.setup("status", "--json", *words)
    told(ran, code)
    return json.loads(ran.stdout)


def process(host: LabHost, name: str) -> str:
    """Which process a container is, and since when: another one after every restart."""
    return host.sh(f"sudo docker inspect -f '{{{{.Id}}}} {{{{.State.Pid}}}} {{{{.State.StartedAt}}}}' gpumon-{name}")


def images(host: LabHost) -> dict[str, str]:
    """The versions of its containers, without what comes before."""
    return {name.removeprefix("gpumon-"): image.rpartition(":")[2] for name, image in host.containers().items()}


def configured(seat: AtSeat) -> str:
    """The nodes that the configuration names."""
    found = re.search(r"nodes = \[(.*)\]", (seat.home / "config.toml").read_text())
    return found[1] if found else ""


def is_up(master: LabHost, question: str, at: float) -> bool:
    """Whether Prometheus says 1 to a question about a moment."""
    found = of_prometheus(master, f"query?query={quote(question)}&time={at:.0f}")
    return bool(found and found["result"] and found["result"][0]["value"][1] == "1")


def test_status_tells_every_component_with_its_machines_and_version(deployed: Deployed) -> None:
    lines = {tuple(re.split(" {2,}", line)) for line in told(deployed.seat.setup("status")).splitlines()}
    assert ("node_exporter", "as planned", "v1.5.0", "master,node[1-2]") in lines
    assert ("dcgm_exporter", "as planned", "4.4.2-4.7.0-distroless", "node[1-2]") in lines
    assert ("slurm_exporter", "as planned", "–", "master") in lines
    assert ("Everything is as planned.",) in lines
    assert status(deployed.seat, 0)["is_as_planned"]


def test_what_a_run_is_about_is_chosen_by_machine_and_component(lab: Lab, deployed: Deployed) -> None:
    seat, (node1, node2, _) = deployed.seat, lab.nodes
    for node in (node1, node2):
        node.sh("sudo docker stop -t 0 gpumon-node-exporter gpumon-dcgm-exporter")
    ran = seat.setup("plan", "--json", "--limit", "node1", "--only", "node_exporter")
    told(ran)
    (host,) = json.loads(ran.stdout)["hosts"]
    assert [change["words"] for change in host["changes"]] == ["start the container gpumon-node-exporter"]
    assert {change["is_disruptive"] for change in host["changes"]} == {False}
    told(seat.setup("--check", "--limit", "node1"), 2)
    told(seat.setup("plan", "--check", "--only", "hosts"))
    told(seat.setup("--yes", "--no-diff", "--limit", "node1", "--only", "node_exporter"))
    stands = {(one["host"], one["component"]): one["stand"] for one in status(seat, 1)["components"]}
    assert stands["node1", "node_exporter"] == "as planned"
    assert stands["node1", "dcgm_exporter"] == stands["node2", "node_exporter"] == "down"
    told(seat.setup("--yes", "--no-diff"))


def test_a_node_comes_in_while_prometheus_runs_on(lab: Lab, deployed: Deployed) -> None:
    before = process(lab.master, "prometheus")
    ran = deployed.seat.setup("add-node", "node3", "--yes", "--no-diff", "--json")
    assert "node_exporter is scraped: master,node[1-3]" in told(ran)
    assert {host["host"] for host in json.loads(ran.stdout)["hosts"]} == {"master", "node1", "node2", "node3"}
    assert process(lab.master, "prometheus") == before
    assert {("node", "node3", "up"), ("dcgm", "node3", "up")} <= {*targets(lab.master)}
    assert configured(deployed.seat) == '"node[1-3]"'


def test_new_versions_reach_one_machine_first_the_master_last_and_history_stays(lab: Lab, deployed: Deployed) -> None:
    deployed.seat.configure(CONFIG)
    said = told(deployed.seat.setup("upgrade", "--yes", "--no-diff"))
    assert [line for line in said.splitlines() if line.startswith("Now:")] == [
        "Now: node1", "Now: node2, node3", "Now: master",
    ]  # fmt: skip
    assert images(lab.nodes[2]) == {"node-exporter": "v1.11.1", "dcgm-exporter": "4.5.3-4.8.2-distroless"}
    assert images(lab.master) == {"node-exporter": "v1.11.1", "prometheus": "v3.5.3", "grafana": "13.1.4"}
    assert is_up(lab.master, HELD, deployed.at)
    told(deployed.seat.setup("--check"))


def test_a_version_that_does_not_work_leaves_the_old_one(lab: Lab, deployed: Deployed) -> None:
    untouched = process(lab.nodes[1], "node-exporter")
    refuses_its_flags = "quay.io/prometheus/prometheus:v3.5.3"
    deployed.seat.configure(f'{CONFIG}[setup.node_exporter]\nimage = "{refuses_its_flags}"\n')
    said = told(deployed.seat.setup("upgrade", "--yes", "--no-diff"), 1)
    assert "FAILED  node_exporter is scraped: node1: " in said
    assert "node1 is back." in said
    assert '[setup.node_exporter] image = "quay.io/prometheus/node-exporter:v1.11.1"' in said
    assert images(lab.nodes[0])["node-exporter"] == "v1.11.1"
    assert process(lab.nodes[1], "node-exporter") == untouched
    deployed.seat.configure(CONFIG)
    told(deployed.seat.setup("--check"))


def test_history_that_was_kept_is_there_again(lab: Lab, deployed: Deployed) -> None:
    only = ("--yes", "--no-diff", "--only", "prometheus")
    told(deployed.seat.setup("uninstall", *only, "--keep-data"))
    assert "prometheus" not in images(lab.master)
    told(deployed.seat.setup(*only))
    assert is_up(lab.master, HELD, deployed.at)


def test_a_node_goes_and_nothing_is_left_there(lab: Lab, deployed: Deployed) -> None:
    node, prometheus = lab.nodes[2], process(lab.master, "prometheus")
    told(deployed.seat.setup("remove-node", node.name, "--yes", "--no-diff"))
    assert node.containers() == {}
    assert node.traces().since(deployed.before) == []
    assert process(lab.master, "prometheus") == prometheus
    until(lambda: node.name not in {name for _, name, _ in targets(lab.master)}, "Prometheus forgets it")
    assert configured(deployed.seat) == '"node[1-2]"'


def test_a_node_that_is_gone_for_good_is_taken_out_by_force(lab: Lab, deployed: Deployed) -> None:
    lab.nodes[1].power.crash()
    assert "--force" in told(deployed.seat.setup("remove-node", "node2", "--yes", "--no-diff"), 1)
    assert configured(deployed.seat) == '"node[1-2]"'
    told(deployed.seat.setup("remove-node", "node2", "--yes", "--no-diff", "--force"), 1)
    assert configured(deployed.seat) == '"node1"'
    until(lambda: "node2" not in {name for _, name, _ in targets(lab.master)}, "Prometheus forgets it")
    told(deployed.seat.setup("--check"))


def test_slurms_own_metrics_were_scraped_once_a_minute_since_they_answer(lab: Lab) -> None:
    until(lambda: is_up(lab.master, ONCE_A_MINUTE, time.time()), "slurmctld was scraped")

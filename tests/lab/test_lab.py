"""The lab is what tests take it for: machines that boot, are logged in to, run containers, fail and come back."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from lab.hosts import Lab, LabHost
from lab.plan import Plan
from real.daemons import until

pytestmark = pytest.mark.lab(Plan(machines=3))

NODE_EXPORTER = "prom/node-exporter:v1.11.1"
SCRAPES = """\
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: node
  static_configs: [{targets: ["master:9100", "node1:9100", "node2:9100"]}]
"""
START_OF_PID_1 = "cut -d' ' -f22 /proc/1/stat"


@pytest.fixture(scope="module")
def watched(lab: Lab) -> Lab:
    """The cluster with node_exporter on every machine and a Prometheus on the master that scrapes them by name."""
    names = "".join(f"{host.address} {host.name}\n" for host in lab.hosts.values())
    for host in lab.hosts.values():
        host.sh("sudo tee -a /etc/hosts", stdin=names)
        run = "docker run -d --name exporter --restart=always --network host --pid host -v /:/host:ro,rslave"
        host.sh(f"sudo {run} {NODE_EXPORTER} --path.rootfs=/host")
    lab.master.write("/opt/prometheus/prometheus.yml", SCRAPES.encode())
    mounts = "-v /opt/prometheus:/etc/prometheus:ro -v data:/prometheus"
    lab.master.sh(
        f"sudo docker run -d --name prometheus --restart=always --network host {mounts} prom/prometheus:v3.5.3"
    )
    for host in lab.hosts.values():
        until(is_up(lab, host, "1"), f"{host.name} is scraped")
    return lab


def is_up(lab: Lab, host: LabHost, value: str) -> Callable[[], bool]:
    """Whether the master's Prometheus says so of a machine; while there is no answer nothing is said."""
    question = quote(f'up{{instance="{host.name}:9100"}}')

    def asked() -> bool:
        answer = lab.master.ssh(f"curl -sgm 3 'localhost:9090/api/v1/query?query={question}'")
        return answer.returncode == 0 and f',"{value}"]' in answer.stdout

    return asked


def has_fresh_scrape(lab: Lab, host: LabHost) -> bool:
    """Whether a new connection gets through, unlike a scrape's that is kept alive."""
    return lab.master.ssh(f"curl -sfm 2 -o /dev/null http://{host.address}:9100/metrics").returncode == 0


@pytest.mark.parametrize("name", ["master", "node1", "node2"])
def test_a_machine_has_booted_systemd_as_its_first_process(lab: Lab, name: str) -> None:
    told = lab.hosts[name].sh("cat /proc/1/comm; systemctl is-system-running; systemctl --failed --no-legend")
    assert told.split() == ["systemd", "running"]


def test_one_user_may_sudo_one_with_a_password_and_one_not_at_all(lab: Lab) -> None:
    node = lab.nodes[0]
    assert node.sh("sudo -n id -un").strip() == "root"
    assert node.ssh("sudo -n true", user="admin").returncode != 0
    assert node.sh("sudo -S -p '' id -un", user="admin", stdin=f"{lab.password}\n").strip() == "root"
    assert node.ssh("sudo -S -p '' true", user="plain", stdin=f"{lab.password}\n").returncode != 0


def test_nobody_knows_the_machines_names_and_there_is_no_way_out(lab: Lab) -> None:
    assert lab.master.ssh("getent hosts node1").returncode != 0
    assert lab.master.ssh("ping -c1 -W1 192.0.2.1").returncode != 0
    assert lab.run(["ping", "-c1", "-W1", "192.0.2.1"]).returncode != 0


def test_this_process_is_on_the_labs_network(lab: Lab) -> None:
    import socket

    with socket.create_connection((lab.master.address, 22), timeout=10) as connection:
        assert connection.recv(4) == b"SSH-"


def test_images_have_their_real_names_and_unknown_tags_are_refused(lab: Lab) -> None:
    digest = lab.images()[f"docker.io/{NODE_EXPORTER}"]
    assert digest in lab.nodes[0].sh(f"sudo docker pull {NODE_EXPORTER}")
    assert re.search("not found|manifest unknown", lab.nodes[0].ssh("sudo docker pull prom/node-exporter:v0").stderr)


def test_containers_outlive_their_engine_and_a_reboot(watched: Lab) -> None:
    node = watched.nodes[0]
    node.sh("sudo systemctl restart docker")
    until(lambda: node.ssh("sudo docker ps -q").stdout.strip() != "", "the container is back")
    before = node.sh(START_OF_PID_1)
    node.ssh("sudo reboot")
    until(lambda: node.ssh(START_OF_PID_1).stdout not in ("", before), "the node is another boot's")
    until(is_up(watched, node, "1"), "the node is scraped again")


def test_a_crash_and_a_shutdown_are_seen_and_end_with_power(watched: Lab) -> None:
    node = watched.nodes[1]
    for end in (node.power.crash, node.power.stop):
        end()
        until(is_up(watched, node, "0"), "the scrape fails")
        node.power.start()
        until(is_up(watched, node, "1"), "the node is scraped again")


def test_a_cut_cable_is_one_and_outlasts_a_reboot(watched: Lab) -> None:
    node = watched.nodes[1]
    node.power.cut()
    until(is_up(watched, node, "0"), "the scrape fails")
    node.power.reboot()
    assert node.ssh("true").returncode == 255
    assert "NO-CARRIER" in node.root("ip link show eth0")
    node.power.heal()
    until(is_up(watched, node, "1"), "the node is scraped again")


def test_a_firewall_is_real_and_comes_back_with_the_machine(watched: Lab) -> None:
    node = watched.nodes[0]
    node.sh("sudo ufw allow 22/tcp && sudo ufw --force enable")
    assert not has_fresh_scrape(watched, node)
    node.sh(f"sudo ufw allow from {watched.master.address} to any port 9100 proto tcp")
    node.power.reboot()
    assert "Status: active" in node.sh("sudo ufw status")
    until(lambda: has_fresh_scrape(watched, node), "the rule lets the master in")
    assert watched.nodes[1].ssh(f"curl -sfm 2 http://{node.address}:9100/metrics").returncode != 0


def test_without_its_seat_nothing_can_be_pulled(lab: Lab) -> None:
    pull = "sudo timeout 3 docker pull prom/alertmanager:v0.33.1"
    lab.cut_registry()
    assert lab.nodes[0].ssh(pull).returncode != 0
    lab.heal_registry()
    assert lab.nodes[0].ssh(pull.replace(" 3 ", " 60 ")).returncode == 0


def test_packages_can_be_installed(lab: Lab) -> None:
    lab.nodes[0].sh(
        "sudo apt-get -qq update && sudo apt-get -qq install -y --no-install-recommends prometheus-node-exporter"
    )
    assert "version" in lab.nodes[0].sh("prometheus-node-exporter --version 2>&1")


def test_every_change_to_a_machines_files_shows(lab: Lab) -> None:
    node = lab.nodes[1]
    before = node.traces()
    node.sh("echo 1 | sudo tee /etc/new; sudo chmod 600 /etc/hostname; sudo rm /etc/motd; mkdir x; touch x/y")
    changed = ["/etc/hostname", "/etc/motd", "/etc/new", "/home/ops/x", "/home/ops/x/y"]
    assert node.traces().since(before) == changed
    node.sh("sudo rm /etc/new; rm -r x")
    assert node.traces().since(before) == changed[:2]


def test_a_grafana_package_stands_in_for_the_real_one(lab: Lab) -> None:
    lab.master.sh("sudo apt-get -qq update && sudo apt-get -qq install -y --no-install-recommends grafana")
    lab.master.sh("sudo systemctl enable --now grafana-server")
    until(lambda: '"database": "ok"' in lab.master.ssh("curl -s localhost:3000/api/health").stdout, "Grafana answers")


def test_grafana_in_a_container_keeps_its_users_where_the_real_one_does(lab: Lab) -> None:
    node = lab.nodes[1]
    node.root("install -d -o 472 /opt/grafana")
    run = "docker run -d --name grafana -p 127.0.0.1:3000:3000 -v /opt/grafana:/var/lib/grafana grafana/grafana:13.1.4"
    node.sh(f"sudo {run}")
    node.sh("sudo docker exec -i grafana grafana cli admin reset-admin-password --password-from-stdin", stdin="new\n")
    node.sh(f"sudo docker rm -f grafana && sudo {run}")
    until(lambda: node.ssh("curl -sf -u admin:new localhost:3000/api/user").returncode == 0, "the new password holds")

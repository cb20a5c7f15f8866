"""Which ways are opened through which firewall, for whom, and what Google's command line is told."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from gpumon.errors import ConfigError
from gpumon_setup.components import CannotHave
from gpumon_setup.components.firewall import Firewall
from gpumon_setup.components.gce import creating, deleting, gce_lines, tagging, updating
from gpumon_setup.host import Outcome
from gpumon_setup.resources import FirewallRule
from setup.components.places import place
from setup.deployments import Cluster

FIREWALL = Firewall()
UFW = "ENABLED=yes\nLOGLEVEL=low\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n"
ZONES = """\
docker (active)
  target: ACCEPT
  interfaces: docker0

drop
  target: DROP
  interfaces:{space}

internal (active)
  target: default
  interfaces: ib0 eth1
  rich rules:{space}

public (default, active)
  target: default
  interfaces: eth0
  rich rules:{space}
	rule family="ipv4" source address="10.77.0.2" port port="9100" protocol="tcp" accept
""".format(space=" ")
NFTABLES = """\
table inet site {
	chain incoming {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iifname "lo" accept
		tcp dport { 22, 9100-9200 } accept
		ip saddr { 10.77.0.0/24, 192.0.2.7 } tcp dport 9400 counter packets 0 bytes 0 accept
	}
}
"""


def rules(cluster: Cluster, name: str, more: str = "", setup: str = "") -> list[FirewallRule]:
    wanted = FIREWALL.wanted(place(cluster, name, more, setup=setup))
    assert all(isinstance(rule, FirewallRule) for rule in wanted)
    return [rule for rule in wanted if isinstance(rule, FirewallRule)]


def test_without_a_firewall_nothing_is_opened(cluster: Cluster) -> None:
    assert rules(cluster, "gpu1") == []


def test_each_exporters_port_is_opened_to_the_master_alone(cluster: Cluster) -> None:
    for host in cluster.hosts.values():
        host.sections["ufw"] = UFW
    assert [(rule.source, rule.port) for rule in rules(cluster, "gpu1")] == [("10.77.0.2", 9100), ("10.77.0.2", 9400)]
    assert rules(cluster, "head") == []
    more = "[setup.node_exporter]\nport = 9101\n"
    assert [rule.port for rule in rules(cluster, "gpu1", more, 'without = ["dcgm_exporter"]')] == [9101]


def test_a_controller_of_its_own_opens_the_port_of_the_slurm_exporter(cluster: Cluster) -> None:
    cluster["gpu1"].sections["ufw"] = UFW
    assert {rule.port for rule in rules(cluster, "gpu1", setup='controller = "gpu1"')} == {8080, 9100, 9400}


def test_a_node_is_asked_from_the_masters_address_in_its_own_network(cluster: Cluster) -> None:
    cluster["gpu1"].sections["ufw"] = UFW
    cluster["head"].sections["addresses"] = (
        "2: eth0 inet 192.0.2.9/24 scope global eth0\n3: eth1 inet 10.77.0.5/24 scope global eth1\n"
    )
    assert {rule.source for rule in rules(cluster, "gpu1")} == {"10.77.0.5"}


def test_other_addresses_are_let_in_when_they_are_named(cluster: Cluster) -> None:
    cluster["gpu1"].sections["ufw"] = UFW
    more = '[setup.firewall]\nalso_from = ["10.77.8.0/24", "10.77.0.99"]\n'
    assert {rule.source for rule in rules(cluster, "gpu1", more)} == {"10.77.0.2", "10.77.8.0/24", "10.77.0.99"}
    with pytest.raises(ConfigError, match=r"also_from: found \"0.0.0.0/33\"; expected an IP address"):
        rules(cluster, "gpu1", '[setup.firewall]\nalso_from = "0.0.0.0/33"\n')


def test_a_master_without_a_known_address_opens_nothing_to_everybody(cluster: Cluster) -> None:
    cluster["gpu1"].sections["ufw"] = UFW
    cluster["head"].sections["addresses"] = ""
    with pytest.raises(CannotHave, match="the address of head is not known"):
        rules(cluster, "gpu1")


def test_firewalld_opens_it_in_each_zone_that_has_networks_of_the_machine(cluster: Cluster) -> None:
    cluster["gpu1"].sections["firewalld"] = ZONES
    found = rules(cluster, "gpu1", setup='without = ["dcgm_exporter"]')
    assert [rule.zone for rule in found] == ["internal", "public"]
    where = place(cluster, "gpu1").facts.state
    assert [rule.missing(where) is None for rule in found] == [False, True]
    cluster["gpu1"].sections["firewalld"] = "public\n  target: default\n  interfaces: \n"
    assert {rule.zone for rule in rules(cluster, "gpu1")} == {""}


def test_what_was_opened_is_closed_again(cluster: Cluster) -> None:
    cluster["gpu1"].sections["ufw"] = UFW
    cluster["gpu2"].sections["firewalld"] = ZONES
    ran = cluster["gpu1"].ran
    for name in ("gpu1", "gpu2"):
        cluster[name].commands["ufw",] = cluster[name].commands["firewall-cmd",] = lambda _: Outcome(0)
    assert cluster.run("--yes", "--only", "firewall") == 1  # nobody remembers the rules: what is left is told
    rule = ("proto", "tcp", "from", "10.77.0.2", "to", "any", "port", "9100")
    assert ("ufw", "allow", *rule, "comment", "gpumon") in ran
    rich = 'rule family="ipv4" source address="10.77.0.2" port port="9400" protocol="tcp" accept'
    assert ("firewall-cmd", "--permanent", "--zone=internal", f"--add-rich-rule={rich}") in cluster["gpu2"].ran
    assert cluster.run("uninstall", "--yes") == 0
    assert ("ufw", "--force", "delete", "allow", *rule) in ran
    assert ("firewall-cmd", "--zone=internal", f"--remove-rich-rule={rich}") in cluster["gpu2"].ran


@pytest.mark.parametrize("port", [9100, 9400])
def test_what_nftables_lets_in_already_needs_nobody(cluster: Cluster, port: int) -> None:
    cluster["gpu1"].sections["nftables"] = NFTABLES
    (rule,) = [rule for rule in rules(cluster, "gpu1") if rule.port == port]
    assert rule.missing(place(cluster, "gpu1").facts.state) is None


@pytest.mark.parametrize(
    "text",
    [
        "ct state new tcp dport 9400 accept",
        "tcp dport 9400 drop",
        "ip saddr 10.77.0.3 tcp dport 9400 accept",
        "ip saddr != 10.77.0.2 tcp dport 9400 accept",
        "ip saddr @trusted tcp dport 9400 accept",
        "udp dport 9400 accept",
    ],
)
def test_a_rule_that_may_mean_something_else_is_not_taken_for_one(cluster: Cluster, text: str) -> None:
    cluster["gpu1"].sections["nftables"] = NFTABLES.partition("\t\tip saddr")[0] + f"\t\t{text}\n\t}}\n}}\n"
    (rule,) = [rule for rule in rules(cluster, "gpu1") if rule.port == 9400]
    missing = rule.missing(place(cluster, "gpu1").facts.state)
    assert missing is not None
    assert "nft insert rule inet site incoming ip saddr 10.77.0.2 tcp dport 9400 accept" in missing.obstacle


def test_rules_of_iptables_are_answered_in_its_words(cluster: Cluster) -> None:
    cluster["gpu1"].sections["nftables"] = (
        "# Warning: table ip filter is managed by iptables-nft, do not touch!\ntable ip filter {\n\tchain INPUT {\n"
        "\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n"
    )
    missing = rules(cluster, "gpu1")[0].missing(place(cluster, "gpu1").facts.state)
    assert missing is not None
    assert "iptables -I INPUT -p tcp -s 10.77.0.2 --dport 9100 -j ACCEPT" in missing.obstacle


def on_google(cluster: Cluster) -> None:
    for host in cluster.hosts.values():
        host.sections["product"] = "Google Compute Engine\n"


def test_only_for_machines_of_google_there_are_commands_for_google(cluster: Cluster) -> None:
    assert list(gce_lines(place(cluster, "head").site)) == []
    on_google(cluster)
    more = '[setup.firewall]\ngce_network = "hpc"\ngce_project = "lab-1"\n'
    assert list(gce_lines(place(cluster, "head", more).site)) == [
        (
            "gcloud compute firewall-rules create gpumon-exporters --network=hpc --direction=INGRESS --action=allow "
            "--rules=tcp:9100,tcp:9400 --source-ranges=10.77.0.2/32 --target-tags=gpumon-node --project=lab-1"
        ),
        'for name in gpu1 gpu2; do gcloud compute instances add-tags "$name" --tags=gpumon-node --project=lab-1; done',
    ]


GCLOUD = """\
#!/bin/sh
echo "$*" >>"$LOG"
case "$*" in
    *"instances list"*) printf 'gpu1\\teurope-west4-a\\tssh,gpumon-node\\ngpu2\\teurope-west4-b\\t\\n' ;;
    *"rules list"*) [ ! -e "$LOG.rule" ] || cat "$LOG.rule" ;;
    *create*) echo gpumon-exporters >"$LOG.rule" ;;
    *delete*) rm "$LOG.rule" ;;
esac
"""


def test_googles_firewall_is_shown_and_only_changed_when_asked_for(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_google(cluster)
    program, log = tmp_path / "gcloud", tmp_path / "log"
    program.write_text(GCLOUD)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(log))
    assert cluster.run("--yes", "--only", "hosts") == 0
    assert "gcloud compute firewall-rules create gpumon-exporters" in capsys.readouterr().err
    assert not log.exists()
    assert cluster.run("--yes", "--only", "hosts", "--apply-gce") == 0
    did = log.read_text()
    assert "instances add-tags gpu2 --tags=gpumon-node --zone=europe-west4-b" in did
    assert "add-tags gpu1" not in did
    assert "--source-ranges=10.77.0.2/32" in did
    assert cluster.run("--yes", "--only", "hosts", "--apply-gce") == 0
    assert "firewall-rules update gpumon-exporters --rules=tcp:9100,tcp:9400" in log.read_text()
    assert cluster.run("uninstall", "--yes", "--apply-gce") == 0
    assert "firewall-rules delete gpumon-exporters --quiet" in log.read_text()
    assert "instances remove-tags gpu1" in log.read_text()


@pytest.mark.real
def test_googles_own_parser_takes_every_command(cluster: Cluster) -> None:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not installed here")
    on_google(cluster)
    site = place(cluster, "head", '[setup.firewall]\ngce_project = "lab-1"\n').site
    names = ("gpu1", "gpu2")
    for argv in (
        creating(site, names),
        updating(site, names),
        deleting(site),
        tagging(site, "gpu1", "europe-west4-a"),
        tagging(site, "gpu1", verb="remove-tags"),
    ):
        told = subprocess.run(
            ["gcloud", "meta", "lint-gcloud-commands", f"--command-string={' '.join(argv)}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        (verdict,) = json.loads(told.stdout)
        assert verdict["success"], verdict["error_message"]

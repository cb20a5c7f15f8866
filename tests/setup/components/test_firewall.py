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
from gpumon_setup.facts import Look, read_state
from gpumon_setup.host import Outcome, RunCommand
from gpumon_setup.resources import FirewallRule
from needs import skipped_or_failed
from setup.components.places import place
from setup.deployments import CONFIG, Cluster
from setup.fake_host import FakeFile, FakeHost

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


UNIT = (
    "ExecStart={ path=/usr/sbin/nft ; argv[]=/usr/sbin/nft -f /etc/nftables.conf ; ignore_errors=no }\n"
    "UnitFileState=enabled\n"
)
FILE = "/etc/nftables.conf"
DOCKERS = """\
# Warning: table ip filter is managed by iptables-nft, do not touch!
table ip filter {
	chain DOCKER {
	}
	chain FORWARD {
		type filter hook forward priority filter; policy drop;
	}
}
"""


def with_nftables(cluster: Cluster, ruleset: str, name: str = "gpu1") -> None:
    """A machine that has these rules by a file which is read at every boot."""
    host = cluster[name]
    host.sections.update({"nftables": DOCKERS + ruleset, "nftables.unit": UNIT})
    host.files[FILE] = FakeFile(f"#!/usr/sbin/nft -f\nflush ruleset\n{ruleset}".encode(), 0o755)


def site(
    *rules: str, policy: str = "drop", chain: str = "incoming", table: str = "inet site", hook: str = "input"
) -> str:
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    head = f"type filter hook {hook} priority 0; policy {policy};"
    return f"table {table} {{\n\tchain {chain} {{\n\t\t{head}\n{lines}\t}}\n}}\n"


def opened(cluster: Cluster, ruleset: str, more: str = "") -> list[tuple[str, str, int]]:
    """Chains, addresses and ports of what is opened in it."""
    with_nftables(cluster, ruleset)
    return [(rule.zone, rule.source, rule.port) for rule in rules(cluster, "gpu1", more)]


def test_what_nftables_let_in_already_needs_nobody(cluster: Cluster) -> None:
    with_nftables(cluster, NFTABLES)
    assert FIREWALL.wanted(place(cluster, "gpu1")) == ()


BOTH = [("inet:site:incoming", "10.77.0.2", 9100), ("inet:site:incoming", "10.77.0.2", 9400)]


@pytest.mark.parametrize(
    "rule",
    [
        "ct state new tcp dport { 9100, 9400 } accept",
        "tcp dport { 9100, 9400 } drop",
        "ip saddr 10.77.0.3 tcp dport 9100-9400 accept",
        "ip saddr != 10.77.0.2 tcp dport 9100-9400 accept",
        "ip saddr @trusted tcp dport 9100-9400 accept",
        "udp dport 9100-9400 accept",
        'iifname "lo" accept',
        "tcp dport 22 accept",
        "tcp dport 9100-9400 reject with tcp reset",
        "counter packets 0 bytes 0 ip protocol igmp accept",
        "tcp flags syn tcp dport 9100-9400 accept",
        "ip saddr 10.77.0.2 ether saddr 00:11:22:33:44:55 accept",
        "ip saddr 10.77.0.1-10.77.0.9 tcp dport 9100-9400 accept",
        "limit rate 5/second accept",
    ],
)
def test_a_rule_that_may_mean_something_else_is_not_taken_for_one(cluster: Cluster, rule: str) -> None:
    assert opened(cluster, site("ct state established,related accept", rule)) == BOTH


def test_an_accept_behind_what_may_drop_is_not_believed(cluster: Cluster) -> None:
    accepts = 'meta l4proto tcp tcp dport { 9100, 9400 } counter packets 1 bytes 2 accept comment "drop in"'
    assert opened(cluster, site("ct state invalid,related drop", "ip protocol icmp drop", accepts)) == []
    for before in (
        "ip saddr 10.77.0.0/24 drop",
        "jump others",
        "counter packets 1 bytes 2 reject with icmp host-prohibited",
    ):
        assert opened(cluster, site(before, accepts)) == BOTH


@pytest.mark.parametrize(
    "ruleset",
    [
        site("tcp dport 22 accept", policy="accept"),
        site("ct state invalid drop", "ip saddr @banned drop", policy="accept"),
        site(hook="forward"),
        site(hook="output"),
        site(table="ip6 site"),
        site(table="netdev site", hook="ingress"),
        "table inet site {\n\tchain incoming {\n\t\tdrop\n\t}\n}\n",
    ],
)
def test_where_nftables_do_not_stop_the_master_nothing_is_opened(cluster: Cluster, ruleset: str) -> None:
    assert opened(cluster, ruleset) == []


@pytest.mark.parametrize(
    "last",
    [
        "drop",
        "counter packets 3 bytes 9 drop",
        "reject with icmpx admin-prohibited",
        'log prefix "no: " drop',
        'drop comment "rest"',
    ],
)
def test_a_last_rule_that_stops_all_is_as_good_as_a_policy(cluster: Cluster, last: str) -> None:
    assert opened(cluster, site("tcp dport 22 accept", last, policy="accept")) == BOTH


def test_every_chain_that_drops_is_opened_since_one_accept_does_not_hold_in_the_next(cluster: Cluster) -> None:
    ruleset = site() + site(table="ip guard", chain="first") + site(table="ip6 guard", chain="first")
    more = '[setup.firewall]\nalso_from = "fd00::5"\n[setup.node_exporter]\nport = 9400\n'
    assert opened(cluster, ruleset, more) == [
        ("inet:site:incoming", "10.77.0.2", 9400),
        ("inet:site:incoming", "fd00::5", 9400),
        ("ip:guard:first", "10.77.0.2", 9400),
        ("ip6:guard:first", "fd00::5", 9400),
    ]


class Nft:
    """Answers as nft would, for the one chain of a machine."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        host.commands["nft",] = self.insert
        host.commands["sh", "-c"] = self.delete

    def insert(self, command: RunCommand) -> Outcome:
        """nft insert rule."""
        assert command.argv[:6] == ("nft", "insert", "rule", "inet", "site", "incoming")
        text = self._host.sections["nftables"]
        head, hook, rest = text.partition("policy drop;\n\t\t")
        assert hook
        self._host.sections["nftables"] = f"{head}{hook}{' '.join(command.argv[6:])}\n\t\t{rest}"
        return Outcome(0)

    def delete(self, command: RunCommand) -> Outcome:
        """The script that finds rules by their comments."""
        assert command.argv[4:7] == ("inet", "site", "incoming")
        lines = self._host.sections["nftables"].splitlines(keepends=True)
        self._host.sections["nftables"] = "".join(line for line in lines if command.argv[7].strip() not in line)
        return Outcome(0)


SITES = site("ct state established,related accept", "tcp dport 22 accept", "counter packets 0 bytes 0 drop")


@pytest.mark.parametrize("end", ["\n", ""])
def test_a_way_through_nftables_is_opened_now_and_at_boot_and_closed_again(
    cluster: Cluster, end: str, capsys: pytest.CaptureFixture[str]
) -> None:
    host = cluster["gpu1"]
    with_nftables(cluster, SITES)
    host.files[FILE].content = host.text(FILE).rstrip().encode() + end.encode()
    Nft(host)
    before, ruleset = host.picture(), host.sections["nftables"]
    assert cluster.run("--yes", "--only", "firewall") == 0
    assert "let 10.77.0.2 in to port 9100 (nftables)" in capsys.readouterr().out
    rule = 'insert rule inet site incoming ip saddr 10.77.0.2 tcp dport 9400 accept comment "gpumon 9400 10.77.0.2"\n'
    assert rule in host.text(FILE)
    assert host.text(FILE).count("add chain inet site incoming\n") == 1
    assert host.files[FILE].mode == 0o755
    assert ("nft", *rule.split()) in [(*argv[:-1], *argv[-1].split()) for argv in host.ran]
    assert cluster.run("--check", "--only", "firewall") == 0
    cluster.configure(f'{CONFIG}[setup.firewall]\nalso_from = "10.77.9.0/24"\n')
    assert cluster.run("--yes", "--only", "firewall") == 0
    assert "ip saddr 10.77.9.0/24 tcp dport 9100" in host.text(FILE)
    cluster.configure(CONFIG)
    assert cluster.run("--yes", "--only", "firewall") == 0
    assert "10.77.9.0" not in host.text(FILE) + host.sections["nftables"]
    assert cluster.run("uninstall", "--yes") == 0
    assert (host.picture(), host.sections["nftables"]) == (before, ruleset)


def refused(cluster: Cluster) -> str:
    """Why the ways cannot be opened, with the rules that would do it."""
    where = place(cluster, "gpu1")
    state = where.facts.state.with_more(read_state(cluster["gpu1"], Look(contents=frozenset({FILE}))))
    return " ".join(found.obstacle for rule in FIREWALL.wanted(where) if (found := rule.missing(state)) is not None)


RULES = "nft 'insert rule inet site incoming ip saddr 10.77.0.2 tcp dport { 9100, 9400 } accept'"


@pytest.mark.parametrize("unit", ["", UNIT.replace("enabled", "disabled"), UNIT.replace("nft -f", "load")])
def test_rules_that_come_from_nobody_knows_where_are_not_touched(cluster: Cluster, unit: str) -> None:
    with_nftables(cluster, SITES)
    cluster["gpu1"].sections["nftables.unit"] = unit
    assert "nftables.service, which brings such rules back at boot, is off" in refused(cluster)
    assert RULES in refused(cluster)


def test_a_file_that_does_not_make_the_chain_is_not_touched(cluster: Cluster) -> None:
    with_nftables(cluster, SITES)
    for content in ("flush ruleset\n", "table inet site {\n# chain incoming\n}\n", SITES.replace("inet", "ip"), ""):
        cluster["gpu1"].files[FILE].content = content.encode()
        assert f"{FILE}, which brings nftables back at boot, does not make the chain incoming" in refused(cluster)
        assert RULES in refused(cluster)
    for content in ('include "nftables.d/*"\n', "add table inet site\nadd chain inet site incoming { }\n", SITES):
        cluster["gpu1"].files[FILE].content = content.encode()
        assert refused(cluster).strip() == ""


def test_rules_of_iptables_are_answered_in_its_words(cluster: Cluster) -> None:
    ruleset = site(table="ip filter", chain="INPUT")
    with_nftables(cluster, ruleset)
    cluster["gpu1"].sections["nftables"] = DOCKERS.partition("\n")[0] + "\n" + ruleset
    assert "Let the master in by hand" in refused(cluster)
    assert "iptables -I INPUT -p tcp -s 10.77.0.2 --dport 9100 -j ACCEPT" in refused(cluster)
    assert "nft insert" not in refused(cluster)


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
        skipped_or_failed("gcloud is not installed here")
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

"""Firewalls in force on every machine: the master alone gets through to the exporters, whichever of them it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from lab.deploying import AtSeat, targets, told
from lab.hosts import Lab, LabHost
from lab.plan import Plan
from real.daemons import until

pytestmark = pytest.mark.lab(Plan(machines=4, gpus=1, flavor="full", is_slurm_on=True, is_preloaded=True))

UFW = "ufw allow 22/tcp && ufw allow 6817:6818/tcp && ufw --force enable"
FIREWALLD = "systemctl enable --now firewalld && firewall-cmd --permanent --add-port=6818/tcp && firewall-cmd --reload"
RULESET = b"""#!/usr/sbin/nft -f
flush ruleset

table inet site {
	set administrators {
		type ipv4_addr
		elements = { 10.77.0.1 }
	}
	chain services {
		tcp dport { 22, 6818 } accept
	}
	chain incoming {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iifname "lo" accept
		jump services
		ip saddr @administrators tcp dport 9100 accept
		reject with icmpx admin-prohibited
	}
}
# One more, before the other: what one of them accepts, the other may still drop.
table ip guard {
	chain first {
		type filter hook input priority -10; policy accept;
		ct state established,related accept
		iifname "lo" accept
		tcp dport { 22, 6818 } accept
		drop
	}
}"""
"""Its last line has no end."""
NFTABLES = "systemctl enable nftables && nft -f /etc/nftables.conf && systemctl restart docker"
RULES = {
    "ufw": "cat /etc/ufw/user.rules /etc/ufw/user6.rules /etc/ufw/ufw.conf; iptables-save | grep -e --dport",
    "firewalld": "firewall-cmd --list-all-zones; cat /etc/firewalld/zones/public.xml",
    "nftables": "cat /etc/nftables.conf; stat -c '%a %U' /etc/nftables.conf; nft -s list table inet site; "
    "nft -s list table ip guard; nft list tables | sort",
}
"""What shows all rules of a machine, and where they are kept."""
KIND = {"master": "ufw", "node1": "ufw", "node2": "firewalld", "node3": "nftables"}
EXPORTERS = [(f"node{number}", port) for number in (1, 2, 3) for port in (9100, 9400)]
OF_MASTER = [("master", port) for port in (9100, 8080, 9090, 3000)]
TRY = """
for way in {ways}; do
    timeout 3 bash -c 'exec 3<>/dev/tcp/${{0%:*}}/${{0#*:}}' $way 2>/dev/null && echo $way &
done
wait
"""
LAST = """
systemctl disable nftables
nft -f - <<'END'
table inet more {
    chain last {
        type filter hook input priority 9; policy drop;
        iifname lo accept
        tcp dport 22 accept
        ct state established accept
    }
}
END
"""
"""A chain that no file makes."""


def reached(host: LabHost, lab: Lab, ways: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
    """To which of these ports of others it gets by a new connection; on one that stands, no firewall looks."""
    names = {other.address: other.name for other in lab.hosts.values()}
    words = " ".join(f"{lab.hosts[name].address}:{port}" for name, port in ways if name != host.name)
    told_ways = [line.split(":") for line in host.root(TRY.format(ways=words)).split()]
    return {(names[address], int(port)) for address, port in told_ways}


def reached_by_nodes(lab: Lab) -> Mapping[str, set[tuple[str, int]]]:
    """What each node gets to of the others' exporters, and of the master's services."""
    with ThreadPoolExecutor() as hands:
        tried = {node.name: hands.submit(reached, node, lab, [*EXPORTERS, *OF_MASTER]) for node in lab.nodes}
        return {name: found.result() for name, found in tried.items()}


NOTHING: Mapping[str, set[tuple[str, int]]] = {"node1": set(), "node2": set(), "node3": set()}


@dataclass(frozen=True)
class Site:
    """The cluster with its firewalls, once gpumon is there."""

    lab: Lab
    seat: AtSeat
    rules: Mapping[str, str]
    """Of each machine, before gpumon came."""
    first_run: str

    def rules_now(self) -> Mapping[str, str]:
        """Of each machine, with where they are kept."""
        return {name: host.root(RULES[KIND[name]]) for name, host in self.lab.hosts.items()}


@pytest.fixture(scope="module")
def site(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Every machine has a firewall that lets in SSH and Slurm; then one types `gpumon setup`."""
    lab.hosts["node3"].write("/etc/nftables.conf", RULESET, 0o755)
    scripts = {"ufw": UFW, "firewalld": FIREWALLD, "nftables": NFTABLES}
    with ThreadPoolExecutor() as hands:
        for done in [hands.submit(host.root, scripts[KIND[name]]) for name, host in lab.hosts.items()]:
            done.result()
    before = {name: host.root(RULES[KIND[name]]) for name, host in lab.hosts.items()}
    seat = AtSeat(lab, tmp_path_factory.mktemp("administrator"))
    seat.configure("[setup.prometheus]\nscrape_interval = 5")
    return Site(lab, seat, before, told(seat.setup("--yes", "--no-diff")))


def test_prometheus_reaches_every_exporter_through_every_firewall(site: Site) -> None:
    assert "checks are ok." in site.first_run
    assert "ok      prometheus is shut to other machines: node1" in site.first_run
    assert "ok      grafana is shut to other machines: node1" in site.first_run
    for kind in ("ufw", "firewalld", "nftables"):
        assert f"in to port 9100 ({kind})" in site.first_run
    assert reached(site.lab.master, site.lab, EXPORTERS) == {*EXPORTERS}
    assert all(health == "up" for _, _, health in targets(site.lab.master))


def test_nobody_else_reaches_an_exporter_or_what_the_master_has(site: Site) -> None:
    assert reached_by_nodes(site.lab) == NOTHING


def test_the_sites_own_rules_and_those_of_docker_stay(site: Site) -> None:
    node = site.lab.hosts["node3"]
    assert "table ip nat" in node.root("nft list tables")
    assert "jump services" in node.root("nft list chain inet site incoming")
    for chain in ("inet site incoming", "ip guard first"):
        assert node.root(f"nft list chain {chain}").count('comment "gpumon ') == 2


def test_a_second_run_finds_nothing_to_do(site: Site) -> None:
    assert "Nothing to do." in told(site.seat.setup("--check"))


def test_another_address_is_let_in_while_it_is_named(site: Site) -> None:
    node1 = site.lab.hosts["node1"]
    only = ("--yes", "--no-diff", "--only", "firewall")
    site.seat.configure(f'[setup.firewall]\nalso_from = "{node1.address}"')
    told(site.seat.setup(*only))
    assert reached_by_nodes(site.lab) == {**NOTHING, "node1": {way for way in EXPORTERS if way[0] != "node1"}}
    site.seat.configure("")
    told(site.seat.setup(*only))
    assert reached(node1, site.lab, EXPORTERS) == set()
    assert reached(site.lab.master, site.lab, EXPORTERS) == {*EXPORTERS}


def test_after_a_reboot_the_ways_are_there_again_and_no_others(site: Site) -> None:
    site.seat.configure("[setup.prometheus]\nscrape_interval = 5")
    with ThreadPoolExecutor() as hands:
        for done in [hands.submit(host.power.reboot) for host in site.lab.hosts.values()]:
            done.result()
    until(lambda: reached(site.lab.master, site.lab, EXPORTERS) == {*EXPORTERS}, "all exporters are reached", 60)
    assert reached_by_nodes(site.lab) == NOTHING
    assert "Nothing to do." in told(site.seat.setup("--check"))


def test_rules_from_nobody_knows_where_are_left_alone_and_the_missing_ones_told(site: Site) -> None:
    node = site.lab.hosts["node3"]
    only = ("--yes", "--no-diff", "--only", "firewall", "--limit", "node3")
    node.root(LAST)
    try:
        assert "CANNOT: nftables let nobody in" in told(site.seat.setup(*only), 1)
        node.root("systemctl enable nftables")
        said = told(site.seat.setup(*only), 1)
        assert "/etc/nftables.conf, which brings nftables back at boot, does not make the chain last" in said
        assert "nft 'insert rule inet more last ip saddr 10.77.0.10 tcp dport { 9100, 9400 } accept'" in said
        # What a file includes is nft's to judge, before anything takes its place.
        written = node.read("/etc/nftables.conf") or b""
        node.write("/etc/nftables.conf", written + b'include "/etc/nftables.d/*.nft"\n', 0o755)
        said = told(site.seat.setup(*only), 1)
        assert "node3: write the block firewall into /etc/nftables.conf: " in said
        assert "No such file or directory" in said
        assert b"inet more" not in (node.read("/etc/nftables.conf") or b"")
        node.write("/etc/nftables.conf", written, 0o755)
    finally:
        node.root("systemctl enable nftables; nft delete table inet more")
    assert "Nothing to do." in told(site.seat.setup("--check"))


def test_uninstall_leaves_every_rule_as_it_was(site: Site) -> None:
    told(site.seat.setup("uninstall", "--yes", "--no-diff"))
    assert site.rules_now() == site.rules
    assert site.lab.hosts["node3"].read("/etc/nftables.conf") == RULESET

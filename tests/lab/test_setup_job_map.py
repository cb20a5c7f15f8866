"""The job map with a real Slurm: who holds which GPU stands on its series, and no node is ever drained for it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from lab.deploying import OnMaster, of_gpumon, told
from lab.hosts import Lab, LabHost
from lab.plan import Plan
from real.daemons import until

pytestmark = pytest.mark.lab(
    Plan(machines=3, gpus=2, shards=8, flavor="slurm", is_slurm_on=True, has_gpumon=True, is_preloaded=True)
)

MAP = "/run/gpumon-job-map"
CONF = "/etc/slurm/slurm.conf"
OWN = [f"/usr/local/lib/gpumon/job-map-{when}" for when in ("prolog", "epilog")]
LINES = [f"{when.capitalize()}=/usr/local/lib/gpumon/job-map-{when}" for when in ("prolog", "epilog")]
SITES = {
    f"/etc/slurm/{when}.d/{when}.sh": f"#!/bin/sh\necho $SLURM_JOB_ID >>/tmp/{when}\n" for when in ("prolog", "epilog")
}
PATTERNS = ["Prolog=/etc/slurm/prolog.d/*.sh", "Epilog=/etc/slurm/epilog.d/*"]
IN_PATTERNS = ["/etc/slurm/prolog.d/90-gpumon-job-map-prolog.sh", "/etc/slurm/epilog.d/90-gpumon-job-map-epilog.sh"]
IDLE = {"node1": "idle", "node2": "idle"}


@dataclass(frozen=True)
class Site:
    """The cluster with the job map, and what its first run said."""

    lab: Lab
    ops: OnMaster
    conf: bytes
    first_run: str

    @property
    def states(self) -> Mapping[str, str]:
        """What Slurm says of its nodes."""
        lines = self.lab.master.sh("sinfo -hN -o '%N %t'").splitlines()
        return dict(line.split() for line in lines)

    def configure_slurm(self, lines: Sequence[str]) -> None:
        """A person edits slurm.conf everywhere."""
        for host in self.lab.hosts.values():
            host.write(CONF, self.conf + "".join(f"{line}\n" for line in lines).encode())
        self.lab.master.root("scontrol reconfigure")
        until(lambda: self.states == IDLE, "all nodes know it")

    def start(self, gres: str, node: str = "node1") -> str:
        """Starts a job; its number."""
        return self.lab.master.sh(f"sbatch --parsable -o /dev/null -w {node} --gres {gres} --wrap 'sleep 3600'").strip()

    def end(self, *jobs: str) -> None:
        """Ends jobs, and waits until their epilogs are over."""
        self.lab.master.sh(f"scancel {' '.join(jobs)}")
        until(lambda: not {*jobs} & {*self.lab.master.sh("squeue -h -o %A").split()}, "the jobs are gone")

    def labels(self, since: float) -> Mapping[tuple[str, int], list[str]] | None:
        """Jobs by GPU as gpumon tells them by dcgm-exporter's label; None while a sample is older than that."""
        said: Mapping[str, Sequence[Mapping[str, Any]]] = of_gpumon(self.lab.master, "gpus") or {"gpus": []}
        gpus = said["gpus"]
        if len(gpus) < 4 or any((gpu["sampled_at"] or 0) <= since for gpu in gpus):
            return None
        by_label = [gpu for gpu in gpus if gpu["held_by"] == "label" and gpu["jobs"]]
        return {(gpu["node"], gpu["index"]): sorted(gpu["jobs"]) for gpu in by_label}


def is_told(site: Site, wanted: Mapping[tuple[str, int], list[str]]) -> Callable[[], bool]:
    """Whether just this is told by samples later than now."""
    since = time.time()
    return lambda: site.labels(since) == wanted


def mapped(node: LabHost) -> Mapping[str, list[str]]:
    """The files that dcgm-exporter reads."""
    lines = [line.partition(":") for line in node.root(f"cd {MAP} && grep -s '' [0-9]* /dev/null || true").splitlines()]
    found: dict[str, list[str]] = {}
    for name, _, job in lines:
        found.setdefault(name, []).append(job)
    return found


@pytest.fixture(scope="module")
def site(lab: Lab) -> Site:
    """Slurm runs no prolog yet; then one asks for the job map and types `gpumon setup`."""
    ops = OnMaster(lab)
    more = "[setup.job_map]\nenabled = true\n[setup.prometheus]\nscrape_interval = 3\n"
    lab.master.sh(
        "cd .config/gpumon && sed -i '1a without = [\"grafana\"]' config.toml && cat >>config.toml", stdin=more
    )
    told(ops.setup("trust", "--yes"))
    conf = lab.master.read(CONF)
    assert conf is not None
    return Site(lab, ops, conf, told(ops.setup("--yes", "--no-diff"), 1))


def test_it_is_told_that_slurm_runs_it_not_yet_and_what_to_add(site: Site) -> None:
    assert "Everything is as planned." in site.first_run
    assert "1 of " in site.first_run
    assert f"Add to slurm.conf, and then scontrol reconfigure: {' and '.join(LINES)}." in site.first_run
    assert site.lab.master.read(CONF) == site.conf
    assert [
        path for node in site.lab.nodes for path in OWN if node.root(f"stat -c '%a %U' {path}") != "755 root\n"
    ] == []


def test_each_gpu_tells_its_jobs_until_they_end(site: Site) -> None:
    site.configure_slurm(LINES)
    whole, other = site.start("gpu:1"), site.start("gpu:2", "node2")
    until(is_told(site, {("node1", 0): [whole], ("node2", 0): [other], ("node2", 1): [other]}), "jobs are told", 60)
    site.end(whole)
    until(is_told(site, {("node2", 0): [other], ("node2", 1): [other]}), "one job is gone", 60)
    site.end(other)
    until(is_told(site, {}), "all jobs are gone", 60)
    assert mapped(site.lab.nodes[1]) == {}
    assert "All " in told(site.ops.setup("verify"))


def test_two_jobs_on_one_gpu_are_both_told_and_each_goes_alone(site: Site) -> None:
    first, second = site.start("shard:1"), site.start("shard:2")
    until(is_told(site, {("node1", 0): sorted((first, second))}), "both jobs are told", 60)
    site.lab.master.sh(f"scancel {first}")
    until(is_told(site, {("node1", 0): [second]}), "one is left", 60)
    site.end(second)
    assert mapped(site.lab.nodes[0]) == {}
    assert site.states == IDLE


def test_a_reboot_forgets_jobs_whose_epilog_never_ran(site: Site) -> None:
    node = site.lab.nodes[0]
    job = site.start("gpu:2")
    until(lambda: mapped(node) == {"0": [job], "1": [job]}, "the job is in the map")
    node.power.crash()
    node.power.start()
    assert mapped(node) == {}
    site.lab.master.sh(f"scancel {job}")
    until(lambda: site.states == IDLE, "the node is back", 90)
    assert "Nothing to do." in told(site.ops.setup("--check"))


def test_uninstall_leaves_what_slurm_would_miss_and_jobs_go_on(site: Site) -> None:
    said = told(site.ops.setup("uninstall", "--yes", "--no-diff"), 1)
    assert "All that can be done now is done." in said
    assert "leave at /usr/local/lib/gpumon/job-map-prolog a program that does nothing: slurm.conf names it" in said
    assert site.lab.nodes[0].containers() == {}
    job = site.start("gpu:2")
    until(lambda: site.lab.master.sh(f"squeue -h -t R -j {job}") != "", "a job runs")
    site.end(job)
    assert site.states == IDLE
    assert "NOT NOW: remove /usr/local/lib/gpumon/job-map-epilog" in told(site.ops.setup("uninstall", "--yes"), 1)


def test_where_slurm_runs_a_folder_it_goes_there_and_away_again(site: Site) -> None:
    node, bare = site.lab.nodes
    for path, script in SITES.items():
        node.write(path, script.encode(), 0o755)
        bare.root(f"mkdir -p {path.rpartition('/')[0]}")
    site.configure_slurm(PATTERNS)
    told(site.ops.setup("uninstall", "--yes"))
    assert [
        path for host in (node, bare) for path in (*OWN, MAP, "/usr/local/lib/gpumon") if is_there(host, path)
    ] == []
    told(site.ops.setup("--yes", "--no-diff", "--only", "job_map,gpu_map"))
    job = site.start("gpu:h100:2")
    until(lambda: mapped(node) == {"0": [job], "1": [job]}, "the job is in the map")
    said = told(site.ops.setup("uninstall", "--yes"), 1)
    site.end(job)
    until(lambda: job in node.root("cat /tmp/epilog"), "the site's own epilog ran")
    assert [path for path in IN_PATTERNS if is_there(node, path)] == []
    # With nothing that the patterns find, Slurm would drain the other one.
    assert "Prolog=/etc/slurm/prolog.d/*.sh in slurm.conf finds nothing else" in said
    site.end(site.start("gpu:1", "node2"))
    for path, script in SITES.items():
        bare.write(path, script.encode(), 0o755)
    told(site.ops.setup("uninstall", "--yes"))
    assert [path for path in IN_PATTERNS if is_there(bare, path)] == []
    assert site.states == IDLE
    assert site.lab.master.sh("sinfo -hR").strip() == ""


def is_there(host: LabHost, path: str) -> bool:
    """Whether a machine has a file or a folder there."""
    return host.ssh(f"test -e {path}").returncode == 0

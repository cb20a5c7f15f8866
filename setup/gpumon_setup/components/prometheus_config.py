"""What Prometheus reads: its configuration, and who is to be scraped; JSON, which is YAML too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from gpumon_setup.components.component import Site, at
from gpumon_setup.components.prometheus_places import FOLDER, TARGETS
from gpumon_setup.components.remote_write import RemoteWrite
from gpumon_setup.components.scraping import (
    DCGM_PORT,
    NODE_PORT,
    SLURM_PORT,
    gpu_nodes,
    port_of,
    scrape_seconds,
)
from gpumon_setup.inventory import Role

RULES = ("recording.yml", "alerts.yml")
SLURM_OWN = (("jobs", "jobs"), ("nodes", "nodes"), ("partitions", "partitions"), ("sched", "scheduler"))
"""Slurm's own pages, by the ends of their jobs' names, without that of users and accounts: it has series for each."""
SLURM_OWN_SECONDS = 60.0
"""How often they may be asked: each takes a lock of slurmctld."""
_HEAD = "# Written by gpumon setup; changes are lost.\n"
_SAYS_IT_ITSELF: Mapping[str, Sequence[object]] = {
    "node": [{"action": "labeldrop", "regex": "exported_node"}],
    "dcgm": [{"action": "labeldrop", "regex": "[Hh]ostname"}],
}
"""What exporters say of the node they run on: the target's own label says it, and as Slurm spells it."""


def prometheus_yml(
    site: Site, listen: str, alertmanagers: Sequence[str], receivers: Sequence[RemoteWrite], *, with_slurm_own: bool
) -> bytes:
    """The configuration. Who is scraped stands in files of its own, so that a new node is no new configuration."""
    interval = scrape_seconds(site)
    document: dict[str, object] = {
        "global": {
            **_times(interval),
            "evaluation_interval": f"{interval * 1000:.0f}ms",
            **({"external_labels": {"cluster": site.inventory.cluster}} if site.inventory.cluster else {}),
        },
        "rule_files": [f"{FOLDER}/{name}" for name in RULES],
        "scrape_configs": list(_jobs(site, listen, with_slurm_own=with_slurm_own)),
    }
    if alertmanagers:
        document["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
    if receivers:
        document["remote_write"] = [one.section(number, FOLDER) for number, one in enumerate(receivers, 1)]
    return (_HEAD + json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def target_files(site: Site, *, slurm_own_port: int | None) -> Iterator[tuple[str, bytes]]:
    """Who is scraped, by the files' names; a component that is not wanted has no targets."""
    all_machines = site.inventory.machines
    controllers = [machine.name for machine in all_machines if Role.CONTROLLER in machine.roles]
    told = {
        "node": _targets(site, "node_exporter", NODE_PORT, [machine.name for machine in all_machines]),
        "dcgm": _targets(site, "dcgm_exporter", DCGM_PORT, [machine.name for machine in gpu_nodes(site)]),
        # Their series bring labels of their own, and are about other machines than the one that tells them.
        "slurm": _targets(site, "slurm_exporter", SLURM_PORT, controllers, is_about_itself=False),
    }
    if slurm_own_port is not None:
        told["slurm-own"] = _targets(site, "", slurm_own_port, controllers, is_about_itself=False)
    for name, targets in told.items():
        yield f"{name}.json", (json.dumps(targets, indent=1) + "\n").encode()


def _targets(
    site: Site, component: str, usual_port: int, names: Sequence[str], *, is_about_itself: bool = True
) -> list[object]:
    if component in site.inventory.without:
        return []
    port = port_of(site, component, usual_port)
    cluster = {"cluster": site.inventory.cluster} if site.inventory.cluster else {}
    return [
        {
            "targets": [at(site.address(name), port)],
            "labels": {**({"node": name} if is_about_itself else {}), **cluster, "instance": f"{name}:{port}"},
        }
        for name in names
    ]


def _jobs(site: Site, listen: str, *, with_slurm_own: bool) -> Iterator[Mapping[str, object]]:
    for name in ("node", "dcgm"):
        yield {"job_name": name, **_found(name), "metric_relabel_configs": _SAYS_IT_ITSELF[name]}
    yield {"job_name": "slurm", "honor_labels": True, **_found("slurm")}
    if with_slurm_own:
        interval = max(SLURM_OWN_SECONDS, scrape_seconds(site))
        for name, page in SLURM_OWN:
            yield {
                "job_name": f"slurm-own-{name}",
                "honor_labels": True,
                "metrics_path": f"/metrics/{page}",
                **_times(interval),
                **_found("slurm-own"),
            }
    yield {"job_name": "prometheus", "static_configs": [{"targets": [listen], "labels": _itself(site)}]}


def _itself(site: Site) -> Mapping[str, str]:
    cluster = {"cluster": site.inventory.cluster} if site.inventory.cluster else {}
    return {"node": site.inventory.master.name, **cluster}


def _found(name: str) -> Mapping[str, object]:
    return {"file_sd_configs": [{"files": [f"{TARGETS}/{name}.json"]}]}


def _times(interval: float) -> Mapping[str, object]:
    """A scrape that takes longer than its interval is a lost one."""
    return {
        "scrape_interval": f"{interval * 1000:.0f}ms",
        "scrape_timeout": f"{min(interval, 10.0) * 1000:.0f}ms",
    }

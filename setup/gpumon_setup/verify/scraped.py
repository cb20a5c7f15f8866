"""Whether Prometheus scrapes whom it should, and holds of each what it should, fresh and under the right name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from gpumon.text import shown
from gpumon_setup.components import Site
from gpumon_setup.components.scraping import scrape_seconds
from gpumon_setup.verify.check import Check
from gpumon_setup.verify.expected import JOBS, Expected, gpus_by_slurm

if TYPE_CHECKING:
    from gpumon_setup.verify.prometheus import MasterPrometheus, Target

_LOGS = {
    "node_exporter": "docker logs gpumon-node-exporter",
    "dcgm_exporter": "docker logs gpumon-dcgm-exporter",
    "slurm_exporter": "journalctl -u gpumon-slurm-exporter",
}
_SERIES = {
    "node_exporter": ("node_load1",),
    "dcgm_exporter": ("DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_SM_CLOCK"),
    "slurm_exporter": ("slurm_up",),
}
"""One of these is told by every exporter of its kind."""
_ANY_OF_GPUS = f'{{__name__=~"{"|".join(_SERIES["dcgm_exporter"])}"}}'
_SEEN_GPUS = f"count by (node) (count by (node, UUID) ({_ANY_OF_GPUS}))"


def targets(
    prometheus: MasterPrometheus, site: Site, wanted: Collection[Expected], since: Mapping[str, float]
) -> Iterator[Check]:
    """Each exporter is known and answers, after a moment of its machine where one is named; raises Unanswered."""
    known = {(target.job, target.instance): target for target in prometheus.targets()}
    for one in wanted:
        claim = f"{one.component} is scraped"
        target = known.get((JOBS[one.component], one.instance))
        if target is None:
            yield Check(claim, one.host, "Prometheus does not know of it", "Run gpumon setup again, without --limit.")
        elif target.health == "unknown" or _is_elder(target, since.get(one.host)):
            yield Check(claim, one.host, "it was not scraped yet", "Wait a moment: gpumon setup verify.")
        elif target.health != "up":
            yield Check(claim, one.host, shown(target.error, 200) or "it is down", _mending(site, one, target))
        elif one.component != "slurm_exporter" and target.node != one.host:
            yield Check(claim, one.host, f'its series say node="{shown(target.node, 80)}"', "Run gpumon setup again.")
        else:
            yield Check(claim, one.host)


def _is_elder(target: Target, moment: float | None) -> bool:
    """True when what was last heard of it is from before: the old version may have said so."""
    return moment is not None and target.scraped_at is not None and target.scraped_at < moment


def _mending(site: Site, one: Expected, target: Target) -> str:
    """What to do about a scrape that failed, by the words of its error."""
    error = target.error.lower()
    if "refused" in error:
        return f"Nobody listens there. On {one.host}: {_LOGS[one.component]}."
    if any(word in error for word in ("deadline", "timeout", "no route", "unreachable")):
        master = site.address(site.inventory.master.name)
        return f"The machine is off, or a firewall stands between: let {master} in to its TCP port {one.port}."
    if "no such host" in error:
        return f'Its name is unknown there: [setup.machines.{one.host}] address = "10.0.0.5".'
    return f"On {one.host}: {_LOGS[one.component]}."


def series(prometheus: MasterPrometheus, site: Site, wanted: Collection[Expected]) -> Iterator[Check]:
    """Each exporter's numbers are there, and fresh; raises Unanswered."""
    limit = 2 * scrape_seconds(site)
    for component, metrics in _SERIES.items():
        mine = [one for one in wanted if one.component == component]
        if not mine:
            continue
        claim = f"numbers of {component} are fresh"
        label = "instance" if component == "slurm_exporter" else "node"
        ages = prometheus.by_label(_ages(metrics, label), label)
        for one in mine:
            age = ages.get(one.instance if label == "instance" else one.host)
            if age is None:
                yield Check(claim, one.host, f"Prometheus holds none of {' or '.join(metrics)}", _silence(one))
            elif age > limit:
                problem = f"the newest is {age:.0f} s old, more than two intervals"
                yield Check(claim, one.host, problem, f"On {one.host}: {_LOGS[component]}.")
            else:
                yield Check(claim, one.host)


def _ages(metrics: Sequence[str], label: str) -> str:
    """The age of the newest sample of one of the metrics."""
    return " or ".join(f"time() - max by ({label}) (timestamp({metric}))" for metric in metrics)


def _silence(one: Expected) -> str:
    if one.component == "dcgm_exporter":
        return f"It answers without a GPU: {_LOGS[one.component]}; nvidia-smi on {one.host}."
    return f"On {one.host}: {_LOGS[one.component]}."


def gpu_counts(prometheus: MasterPrometheus, site: Site, wanted: Collection[Expected]) -> Iterator[Check]:
    """Each node has as many GPUs as Slurm gives out; raises Unanswered."""
    nodes = [one.host for one in wanted if one.component == "dcgm_exporter"]
    if not nodes:
        return
    counts = prometheus.by_label(_SEEN_GPUS, "node")
    for node in nodes:
        by_slurm = gpus_by_slurm(site, node)
        if by_slurm is not None:
            seen = counts.get(node, 0.0)
            problem = "" if seen == by_slurm else f"Prometheus sees {seen:.0f}, Slurm counts {by_slurm}"
            advice = f"Look at nvidia-smi on {node}, and at gres.conf." if problem else ""
            yield Check("as many GPUs as Slurm counts", node, problem, advice)


def slurm(prometheus: MasterPrometheus, wanted: Collection[Expected]) -> Iterator[Check]:
    """The exporter of Slurm gets its answers; raises Unanswered."""
    mine = [one for one in wanted if one.component == "slurm_exporter"]
    if not mine:
        return
    up = prometheus.by_label("max by (instance) (slurm_up)", "instance")
    for one in mine:
        problem = "" if up.get(one.instance) == 1 else "slurm_up is not 1"
        advice = f"On {one.host}: {_LOGS['slurm_exporter']}; sinfo." if problem else ""
        yield Check("Slurm answers its exporter", one.host, problem, advice)


def rules(prometheus: MasterPrometheus, master: str) -> Iterator[Check]:
    """Recording and alerting rules are loaded, and none fails; raises Unanswered."""
    groups = {name: health for name, health in prometheus.rule_groups().items() if name.startswith("gpumon-")}
    claim = "rules are loaded"
    if not any("alert" in name for name in groups) or all("alert" in name for name in groups):
        yield Check(
            claim, master, "those of gpumon are not there", "Run gpumon setup again; docker logs gpumon-prometheus."
        )
        return
    failing = [name for name, health in groups.items() if "err" in health]
    if failing:
        yield Check(claim, master, f"rules of {', '.join(failing)} fail", "docker logs gpumon-prometheus says why.")
        return
    reloaded = prometheus.by_label("prometheus_config_last_reload_successful", "job")
    problem = "its last configuration was refused" if 0.0 in reloaded.values() else ""
    yield Check(claim, master, problem, "docker logs gpumon-prometheus says why." if problem else "")

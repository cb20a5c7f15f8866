"""gpumon's own Slurm exporter: vpenso's names, and beside them nodes, GPUs and reasons under `gpumon_`."""

from __future__ import annotations

from collections import Counter

from msgspec import structs

from gpumon.model import GpuCount, NodeSlurm, Queue
from gpumon.reading.slurm import vpenso
from gpumon.reading.slurm.reading import SlurmReading, accounts, added, partitions, reservations, users
from gpumon.reading.slurm.samples import SlurmSamples
from gpumon.reading.slurm.states import job_word

NAME = "gpumon-slurm-exporter"


def read(samples: SlurmSamples) -> SlurmReading:
    """Everything; what a site switched off is missing, not wrong."""
    nodes = _nodes(samples)
    return SlurmReading(
        queue=_queue(samples, nodes),
        nodes=nodes,
        partitions=partitions(
            {
                "cpus_total": samples.by("slurm_partition_cpus_total", "partition"),
                "cpus_allocated": samples.by("slurm_partition_cpus_allocated", "partition"),
                "cpus_idle": samples.by("slurm_partition_cpus_idle", "partition"),
                "jobs_running": samples.by("slurm_partition_jobs_running", "partition"),
                "jobs_pending": samples.by("slurm_partition_jobs_pending", "partition"),
                "nodes": samples.by("gpumon_partition_nodes", "partition"),
                "gpus_total": samples.by("gpumon_partition_gpus", "partition"),
                "gpus_allocated": samples.by("gpumon_partition_gpus_allocated", "partition"),
                "max_time_seconds": samples.once("gpumon_partition_max_time_seconds", "partition"),
            },
            {
                labels.get("partition", ""): labels.get("state", "")
                for labels, _ in samples.rows("gpumon_partition_info")
            },
        ),
        users=users({**vpenso.usage(samples, "user"), "gpus_running": samples.by("gpumon_user_gpus_running", "user")}),
        accounts=accounts(
            {
                **vpenso.usage(samples, "account"),
                "gpus_running": samples.by("gpumon_account_gpus_running", "account"),
                "fairshare": samples.by("slurm_account_fairshare", "account"),
            }
        ),
        reservations=reservations(samples, "gpumon_reservation", "reservation"),
    )


def _queue(samples: SlurmSamples, nodes: dict[str, NodeSlurm]) -> Queue:
    """Totals that a site switched off with vpenso's names are added up from the nodes."""
    plain, told = vpenso.queue(samples), nodes.values()
    oldest = samples.once("gpumon_oldest_pending_time_seconds", "partition")
    finished: Counter[str] = Counter()
    for state, number in samples.by("gpumon_finished_jobs", "state").items():
        finished[job_word(state)] += int(number)
    return structs.replace(
        plain,
        pending_reasons=samples.by("gpumon_pending_jobs", "reason"),
        nodes_by_state=dict(Counter(_in_one_word(node) for node in told)) or plain.nodes_by_state,
        cpus_total=_known(plain.cpus_total, added(*(node.cpus_total for node in told))),
        cpus_allocated=_known(plain.cpus_allocated, added(*(node.cpus_allocated for node in told))),
        gpus_total=_known(plain.gpus_total, added(*(node.gpus_total for node in told))),
        gpus_allocated=_known(plain.gpus_allocated, added(*(node.gpus_allocated for node in told))),
        oldest_pending_at=min(oldest.values(), default=None),
        finished=dict(finished),
        finished_window_seconds=samples.one("gpumon_finished_jobs_window_seconds"),
    )


def _known(first: float | None, second: float | None) -> float | None:
    return second if first is None else first


def _in_one_word(node: NodeSlurm) -> str:
    """A state for counting, each node once: what takes it out of use is said first."""
    if "drain" in node.flags:
        return "drained" if node.state == "idle" else "draining" if node.state in {"mixed", "allocated"} else "down"
    return node.state or "unknown"


def _nodes(samples: SlurmSamples) -> dict[str, NodeSlurm]:
    since = samples.once("gpumon_node_state_since_seconds", "node")
    expected, by_type = samples.once("gpumon_node_gpus_expected", "node"), _by_type(samples)
    cpus, used = samples.once("gpumon_node_cpus", "node"), samples.once("gpumon_node_cpus_allocated", "node")
    size, held = (
        samples.once("gpumon_node_memory_bytes", "node"),
        samples.once("gpumon_node_memory_allocated_bytes", "node"),
    )
    lists: dict[str, list[str]] = {}
    for labels, _ in samples.rows("gpumon_node_partition_info"):
        lists.setdefault(labels.get("node", ""), []).append(labels.get("partition", ""))
    found: dict[str, NodeSlurm] = {}
    for labels, _ in samples.rows("gpumon_node_info"):
        name = labels.get("node", "")
        gpus = by_type.get(name, ())
        found[name] = NodeSlurm(
            state=labels.get("state") or None,
            flags=tuple(flag for flag in labels.get("flags", "").split("+") if flag),
            reason=labels.get("reason") or None,
            reason_user=labels.get("reason_user") or None,
            since=since.get(name),
            partitions=tuple(sorted(lists.get(name, ()))),
            cpus_total=cpus.get(name),
            cpus_allocated=used.get(name),
            memory_total_bytes=size.get(name),
            memory_allocated_bytes=held.get(name),
            gpus_total=expected.get(name, added(*(one.total for one in gpus))),
            gpus_allocated=added(*(one.allocated for one in gpus), 0.0 if expected.get(name) == 0 else None),
            gpus_by_type=gpus,
        )
    found.pop("", None)
    return found


def _by_type(samples: SlurmSamples) -> dict[str, tuple[GpuCount, ...]]:
    """The GPUs of each node by Slurm's types, in the order of their names."""
    allocated, shared = _of_type(samples, "gpumon_node_gpus_allocated"), _of_type(samples, "gpumon_node_gpus_shared")
    found: dict[str, list[GpuCount]] = {}
    for place, total in sorted(_of_type(samples, "gpumon_node_gpus").items()):
        node, kind = place
        if place in allocated:
            found.setdefault(node, []).append(GpuCount(kind, total, allocated[place], shared.get(place, 0.0)))
    return {node: tuple(counts) for node, counts in found.items()}


def _of_type(samples: SlurmSamples, metric: str) -> dict[tuple[str, str], float]:
    """A number for each node and type; where GPUs have no type, it is the empty one."""
    return {(labels.get("node", ""), labels.get("type", "")): number for labels, number in samples.rows(metric)}

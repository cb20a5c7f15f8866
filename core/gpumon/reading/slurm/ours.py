"""gpumon's own Slurm exporter: vpenso's names, and beside them nodes, GPUs and reasons under `gpumon_`."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from gpumon.model import NodeSlurm
from gpumon.reading.slurm import vpenso
from gpumon.reading.slurm.reading import SlurmReading, accounts, partitions, reservations, users
from gpumon.reading.slurm.samples import SlurmSamples


def read(samples: SlurmSamples) -> SlurmReading:
    """Everything; what a site switched off is missing, not wrong."""
    plain = vpenso.queue(samples)
    nodes = _nodes(samples)
    return SlurmReading(
        queue=replace(
            plain,
            pending_reasons=samples.by("gpumon_pending_jobs", "reason"),
            nodes_by_state=dict(Counter(_in_one_word(node) for node in nodes.values())) or plain.nodes_by_state,
        ),
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
            }
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


def _in_one_word(node: NodeSlurm) -> str:
    """A state for counting, each node once: what takes it out of use is said first."""
    if "drain" in node.flags:
        return "drained" if node.state == "idle" else "draining" if node.state in {"mixed", "allocated"} else "down"
    return node.state or "unknown"


def _nodes(samples: SlurmSamples) -> dict[str, NodeSlurm]:
    since = samples.once("gpumon_node_state_since_seconds", "node")
    gpus, expected = samples.by("gpumon_node_gpus", "node"), samples.once("gpumon_node_gpus_expected", "node")
    taken = samples.by("gpumon_node_gpus_allocated", "node")
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
            gpus_total=expected.get(name, gpus.get(name)),
            gpus_allocated=taken.get(name, 0.0 if expected.get(name) == 0 else None),
        )
    found.pop("", None)
    return found

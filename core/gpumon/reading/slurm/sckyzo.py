"""SckyzO's slurm_exporter 1.x: GPUs by node, drain reasons, reservations; its queue carries user and reason."""

from __future__ import annotations

from collections import Counter

import msgspec
from msgspec import structs

from gpumon.model import NodeSlurm, Queue
from gpumon.reading.slurm import vpenso
from gpumon.reading.slurm.reading import SlurmReading, accounts, added, partitions, reservations, users
from gpumon.reading.slurm.samples import SlurmSamples

LACKS = tuple(lack for lack in vpenso.LACKS if lack.fields == ("jobs",))


def read(samples: SlurmSamples) -> SlurmReading:
    """Everything SckyzO's names can tell; a node counts once although it is listed for each of its partitions."""
    nodes = _nodes(samples)
    allocated = samples.by("slurm_partition_gpus_allocated", "partition")
    idle = samples.by("slurm_partition_gpus_idle", "partition")
    fairshare = samples.by("slurm_account_fairshare", "account")
    return SlurmReading(
        queue=_queue(samples, nodes),
        nodes=nodes,
        partitions=partitions(
            {
                "cpus_total": samples.by("slurm_partition_cpus_total", "partition"),
                "cpus_allocated": samples.by("slurm_partition_cpus_allocated", "partition"),
                "cpus_idle": samples.by("slurm_partition_cpus_idle", "partition"),
                "gpus_allocated": allocated,
                "gpus_total": {name: number + idle.get(name, 0.0) for name, number in allocated.items()},
                "jobs_running": samples.by("slurm_partition_jobs_running", "partition"),
                "jobs_pending": samples.by("slurm_partition_jobs_pending", "partition"),
                "nodes": samples.by("slurm_node_status", "partition"),
            }
        ),
        users=users(vpenso.usage(samples, "user")),
        accounts=accounts({**vpenso.usage(samples, "account"), "fairshare": fairshare}),
        reservations=reservations(samples, "slurm_reservation", "reservation_name"),
        lacks=LACKS,
    )


def _queue(samples: SlurmSamples, nodes: dict[str, NodeSlurm]) -> Queue:
    """GPUs are counted on the nodes: the exporter's own total leaves out those in use on draining nodes."""
    plain = vpenso.queue(samples)
    allocated = added(*(node.gpus_allocated for node in nodes.values()))
    return structs.replace(
        plain,
        pending_reasons=samples.by("slurm_queue_pending", "reason"),
        nodes_by_state=dict(Counter(node.state for node in nodes.values() if node.state)),
        gpus_allocated=plain.gpus_allocated if allocated is None else allocated,
    )


def _nodes(samples: SlurmSamples) -> dict[str, NodeSlurm]:
    reasons = {
        labels.get("node", ""): labels.get("reason", "") for labels, _ in samples.rows("slurm_node_drain_reason_info")
    }
    since = samples.once("slurm_node_drain_since_timestamp_seconds", "node")
    total, used = _gpus(samples, "slurm_node_gres_total"), _gpus(samples, "slurm_node_gres_used")
    lists: dict[str, list[str]] = {}
    for labels, _ in samples.rows("slurm_node_cpu_total"):
        lists.setdefault(labels.get("node", ""), []).append(labels.get("partition", ""))
    return {
        name: msgspec.structs.replace(
            node,
            reason=reasons.get(name) or None,
            since=since.get(name),
            partitions=tuple(sorted(lists.get(name, ()))),
            gpus_total=total.get(name, 0.0 if total else None),
            gpus_allocated=used.get(name, 0.0 if used else None),
        )
        for name, node in vpenso.nodes(samples).items()
    }


def _gpus(samples: SlurmSamples, metric: str) -> dict[str, float]:
    """GPUs of each node over all types, each type once although it is listed for each partition; shards are no GPUs."""
    by_type: dict[tuple[str, str], float] = {}
    for labels, value in samples.rows(metric):
        kind = labels.get("gres_type", "")
        if kind == "gpu" or kind.startswith("gpu:"):
            by_type[labels.get("node", ""), kind] = value
    found: dict[str, float] = {}
    for (name, _), value in by_type.items():
        found[name] = found.get(name, 0.0) + value
    return found

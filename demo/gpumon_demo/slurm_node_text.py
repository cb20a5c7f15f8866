"""Each node as gpumon's own exporter tells what Slurm says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gpumon.model import GpuCount, NodeSlurm
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page
from gpumon_demo.inventory import Host
from gpumon_demo.slurm_nodes import shards_held

_NUMBERS: tuple[tuple[str, str, Callable[[NodeSlurm], float | None]], ...] = (
    ("state_since_seconds", "Since when its state or the reason of it lasts, seconds since 1970.",
     lambda node: node.since),
    ("gpus_expected", "GPUs that it should have by Slurm's configuration.", lambda node: node.gpus_total),
    ("cpus", "CPUs that Slurm gives out.", lambda node: node.cpus_total),
    ("cpus_allocated", "CPUs that jobs hold.", lambda node: node.cpus_allocated),
    ("memory_bytes", "Memory that Slurm gives out, in bytes.", lambda node: node.memory_total_bytes),
    ("memory_allocated_bytes", "Memory that jobs hold, in bytes.", lambda node: node.memory_allocated_bytes),
)  # fmt: skip
_BY_TYPE: tuple[tuple[str, str, Callable[[GpuCount], float]], ...] = (
    ("gpus", "GPUs that Slurm has configured, a MIG slice counting as one.", lambda gpus: gpus.total),
    ("gpus_allocated", "GPUs that jobs hold as wholes or as MIG slices.", lambda gpus: gpus.allocated),
    ("gpus_shared", "GPUs of which jobs use shards.", lambda gpus: gpus.shared),
)


def put_nodes(page: Page, cluster: Cluster) -> None:
    """Everything that is told node by node."""
    nodes = cluster.slurm_nodes
    text = "A node: its base state, the flags that are added to it, and why it is out of use."
    infos = ((_info(cluster.simulation.host_by_name[name], node), 1) for name, node in nodes.items())
    page.family("gpumon_node_info", "gauge", text, infos)
    for suffix, text, told in _NUMBERS:
        numbers = [({"node": name}, value) for name, node in nodes.items() if (value := told(node)) is not None]
        page.family(f"gpumon_node_{suffix}", "gauge", text, numbers)
    for suffix, text, counted in _BY_TYPE:
        counts = [(name, count) for name, node in nodes.items() for count in node.gpus_by_type]
        rows = [({"node": name, "type": count.type}, counted(count)) for name, count in counts]
        page.family(f"gpumon_node_{suffix}", "gauge", text, rows)
    sharing = [host for host in cluster.by_name if host.machine.shards]
    text = "Shards of its GPUs; no series without any."
    page.family("gpumon_node_shards", "gauge", text, [({"node": host.name}, host.machine.shards) for host in sharing])
    text = "Shards that jobs use; no series where there are none."
    used = [({"node": host.name}, shards_held(cluster, host)) for host in sharing]
    page.family("gpumon_node_shards_allocated", "gauge", text, used)
    of = (({"node": name, "partition": one}, 1) for name, node in nodes.items() for one in node.partitions)
    page.family("gpumon_node_partition_info", "gauge", "A partition that a node is in.", of)


def _info(host: Host, node: NodeSlurm) -> Mapping[str, str]:
    return {
        "node": host.name,
        "state": node.state or "",
        "flags": "+".join(node.flags),
        "reason": node.reason or "",
        "reason_user": node.reason_user or "",
        "features": features(host),
    }


def features(host: Host) -> str:
    """What administrators call a node's properties."""
    card = host.machine.card
    return host.machine.partition if card is None else f"{card.gres},nvlink" if card.has_nvlink else card.gres

"""Nodes, and what of them is in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpumon_exporter.metrics.exposition import Family, Samples
from gpumon_exporter.slurm.records import NodeGpus, Reading, SlurmNode


def gpus_of(node: SlurmNode) -> float:
    """How many GPUs a node has."""
    return sum(gpus.total for gpus in node.gpus)


INFO = Family(
    "gpumon_node_info",
    "A node: its base state, the flags that are added to it, and why it is out of use.",
    ("node", "state", "flags", "reason", "reason_user", "features"),
)
IN_PARTITION = Family("gpumon_node_partition_info", "A partition that a node is in.", ("node", "partition"))
BY_TYPE: tuple[tuple[str, str, Callable[[NodeGpus], float | None]], ...] = (
    ("gpus", "GPUs that Slurm has configured, a MIG slice counting as one.", lambda gpus: gpus.total),
    ("gpus_allocated", "GPUs that jobs hold as wholes or as MIG slices.", lambda gpus: gpus.allocated),
    ("gpus_shared", "GPUs of which jobs use shards.", lambda gpus: gpus.shared),
)
NUMBERS: tuple[tuple[str, str, Callable[[SlurmNode], float | None]], ...] = (
    (
        "state_since_seconds",
        "Since when its state or the reason of it lasts, seconds since 1970.",
        lambda node: node.state_since,
    ),
    ("gpus_expected", "GPUs that it should have by Slurm's configuration.", gpus_of),
    ("shards", "Shards of its GPUs; no series without any.", lambda node: node.shards or None),
    (
        "shards_allocated",
        "Shards that jobs use; no series where there are none.",
        lambda node: node.shards_allocated if node.shards else None,
    ),
    ("cpus", "CPUs that Slurm gives out.", lambda node: node.cpus),
    ("cpus_allocated", "CPUs that jobs hold.", lambda node: node.cpus_allocated),
    ("memory_bytes", "Memory that Slurm gives out, in bytes.", lambda node: node.memory_bytes),
    ("memory_allocated_bytes", "Memory that jobs hold, in bytes.", lambda node: node.memory_allocated_bytes),
)
OUT_OF_USE = ("drain", "fail", "maint", "not_responding", "invalid_reg", "powering_down", "reboot_issued")
"""Flags with which a node takes no jobs."""


def node_families(reading: Reading) -> Iterator[tuple[Family, Samples]]:
    """Everything that is told node by node."""
    yield (
        INFO,
        (
            ((node.name, node.state, "+".join(node.flags), node.reason, node.reason_user, node.features), 1)
            for node in reading.nodes
        ),
    )
    for suffix, documentation, of_node in NUMBERS:
        family = Family(f"gpumon_node_{suffix}", documentation, ("node",))
        yield family, (((node.name,), of_node(node)) for node in reading.nodes)
    for suffix, documentation, of_type in BY_TYPE:
        family = Family(f"gpumon_node_{suffix}", documentation, ("node", "type"))
        yield family, (((node.name, gpus.type), of_type(gpus)) for node in reading.nodes for gpus in node.gpus)
    yield IN_PARTITION, (((node.name, name), 1) for node in reading.nodes for name in node.partitions)


def is_usable(node: SlurmNode) -> bool:
    """Whether it takes jobs now."""
    return node.state in ("idle", "mixed", "allocated") and not any(flag in OUT_OF_USE for flag in node.flags)

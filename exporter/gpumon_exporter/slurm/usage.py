"""What of a node is in use by what its jobs hold, where Slurm does not say it, or cannot be believed.

Before a node registers with a slurmctld that was restarted, GresUsed has no numbers of GPUs, and its counts are wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from gpumon_exporter.slurm.gpumap import GpuMap
from gpumon_exporter.slurm.nodes import Machines
from gpumon_exporter.slurm.records import GpuHold, SlurmNode


def by_jobs(machines: Machines, gpus: GpuMap, *, sees_jobs: bool) -> tuple[SlurmNode, ...]:
    """The nodes, those in doubt by their jobs; as Slurm says it unless everything is known that any job holds."""
    if not sees_jobs or gpus.unknown:
        return machines.nodes
    return tuple(_by_jobs(machines, gpus))


def _by_jobs(machines: Machines, gpus: GpuMap) -> Iterator[SlurmNode]:
    held = Counter((hold.node, hold.type) for hold in _wholes(gpus.holds))
    for node in machines.nodes:
        found = node
        if node.shards_allocated is None:
            found = replace(found, shards_allocated=gpus.shards.get(node.name, 0))
        if node.name in machines.unnumbered:
            used = tuple(replace(one, allocated=held[node.name, one.type]) for one in node.gpus)
            found = replace(found, gpus=used)
        yield found


def _wholes(holds: Iterable[GpuHold]) -> Iterator[GpuHold]:
    """Cards and MIG slices, but no shards."""
    return (hold for hold in holds if hold.share != "shard")

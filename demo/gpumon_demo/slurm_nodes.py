"""What Slurm says of each node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gpumon.model import GpuCount, NodeSlurm
from gpumon_demo import submissions
from gpumon_demo.inventory import Host, Unit
from gpumon_demo.troubles import Troubles

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster


def node(cluster: Cluster, host: Host) -> NodeSlurm:
    """One node; suspended jobs have lent their CPUs, but neither their memory nor their GPUs."""
    simulation, moment = cluster.simulation, cluster.moment
    troubles, place = simulation.troubles, simulation.block_of[host.name][1]
    here = cluster.held_here(host)
    cpus = sum(held.job.cpus_on(place) for held in here if not held.job.is_paused(held.age(moment)))
    counts = _gpu_counts(host, [unit for held in here for unit in held.job.where.units_on(place)])
    base = "idle" if not cpus else "allocated" if cpus == host.machine.cpus else "mixed"
    flags, reason, who, since = _out_of_use(troubles, host.name)
    return NodeSlurm(
        state="down" if host.name == troubles.down else base,
        flags=flags or tuple(_flags(cluster, host, place)),
        reason=reason,
        reason_user=who,
        since=None if since is None else float(since),
        partitions=partitions(host),
        cpus_total=float(host.machine.cpus),
        cpus_allocated=float(cpus),
        memory_total_bytes=float(host.machine.memory_bytes),
        memory_allocated_bytes=float(sum(submissions.memory_on(held, place) for held in here)),
        gpus_total=float(len(host.gpus)),
        gpus_allocated=sum(count.allocated for count in counts) if counts else 0.0,
        gpus_by_type=counts,
    )


def _gpu_counts(host: Host, held: list[int]) -> tuple[GpuCount, ...]:
    """A node's GPUs by type, when jobs hold these of its units."""
    if len(host.types) == 1 and not host.machine.shards:
        ((name, total),) = host.types
        return (GpuCount(name, float(total), float(len(held))),)
    units = [host.units[place] for place in held] if host.units else list[Unit]()
    taken = Counter(unit.type for unit in units if not unit.is_shard)
    shared = Counter({unit.device.key: unit.type for unit in units if unit.is_shard}.values())
    return tuple(GpuCount(name, float(total), float(taken[name]), float(shared[name])) for name, total in host.types)


def _flags(cluster: Cluster, host: Host, place: int) -> Iterable[str]:
    """What is added to the state of a node in service."""
    block = cluster.simulation.block_of[host.name][0]
    if any(place in held.job.where for held in cluster.completing[block.number]):
        yield "completing"
    if host.name in cluster.reserved:
        yield "reserved"


def _out_of_use(troubles: Troubles, name: str) -> tuple[tuple[str, ...], str | None, str | None, int | None]:
    """Flags, reason, who gave it, and since when; nothing for a node in service."""
    if name == troubles.down:
        return ("not_responding",), "Not responding", "slurm", troubles.down_at
    if name == troubles.drained:
        return ("drain",), "bad DIMM in slot B3, waiting for a spare part (OPS-4711)", "oskar", troubles.drained_at
    if troubles.fallen and name == troubles.fallen[0]:
        return ("drain",), f"GPU {troubles.fallen[1]}: XID 79, fell off the bus", "root", troubles.fallen_at
    return (), None, None, None


def partitions(host: Host) -> tuple[str, ...]:
    """The partitions a node stands in."""
    return tuple(sorted((host.machine.partition, "debug"))) if host.machine.is_debug else (host.machine.partition,)


def in_one_word(node: NodeSlurm) -> str:
    """A node's state for counting, each node once."""
    if "drain" in node.flags:
        return "drained" if node.state == "idle" else "draining"
    return node.state or "unknown"


def shards_held(cluster: Cluster, host: Host) -> int:
    """How many shards of a node's GPUs jobs hold."""
    held = cluster.held_on(host)
    return sum(unit.is_shard and one is not None for unit, one in zip(host.units, held, strict=True))

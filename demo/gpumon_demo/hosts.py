"""What node_exporter would say of each node, and what Slurm says of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from gpumon.model import Exporter, Filesystem, Node, NodeSlurm
from gpumon_demo.blocks import Held, Host
from gpumon_demo.chance import draw
from gpumon_demo.hardware import GIB
from gpumon_demo.troubles import Troubles
from gpumon_demo.workload import memory_on_node

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster, Simulation

RATE_SECONDS = 60
"""Rates are taken over this long, as a reader of the counters would."""

_PAGE = 4096


class Counters(NamedTuple):
    """What a node has counted since it was booted: CPU-seconds of all cores together, and bytes."""

    user: float
    system: float
    waiting: float
    idle: float
    read: int
    written: int
    received: int
    sent: int


def counters(simulation: Simulation, host: Host, moment: int) -> Counters:
    """A node's counters at any moment."""
    block, place = simulation.block_of[host.name]
    done, cpus = block.sums(place, moment), host.machine.cpus
    up = moment - simulation.booted_at(host, moment)
    user = 0.006 * cpus * up + 0.93 * done.cpu
    system = 0.004 * cpus * up + 0.07 * done.cpu
    waiting = done.read / 4e9
    return Counters(
        user,
        system,
        waiting,
        cpus * up - user - system - waiting,
        int(done.read) + 21_000 * up,
        int(done.written) + 46_000 * up,
        int(done.received) + 9_000 * up,
        int(done.sent) + 12_000 * up,
    )


def held_here(cluster: Cluster, host: Host) -> list[Held]:
    """The jobs on a node, each once."""
    block, place = cluster.simulation.block_of[host.name]
    return [
        held
        for held in cluster.held[block.number]
        if held.job.where.node <= place < held.job.where.node + held.job.where.nodes
    ]


def node(cluster: Cluster, host: Host) -> Node:
    """One node."""
    troubles, moment = cluster.simulation.troubles, cluster.moment
    slurm = cluster.slurm_nodes[host.name]
    if host.name == troubles.down:
        return Node(host.name, slurm=slurm, exporters=tuple(exporters(cluster, host)))
    now, before = (counters(cluster.simulation, host, at) for at in (moment, moment - RATE_SECONDS))
    total = host.machine.memory_bytes - 2 * GIB
    return Node(
        name=host.name,
        cpu_share=max(0.0, 1 - _grown(now.idle, before.idle) / host.machine.cpus),
        cores=host.machine.cpus,
        load1=_load(cluster, host, 60),
        load5=_load(cluster, host, 300),
        load15=_load(cluster, host, 900),
        memory_total_bytes=float(total),
        memory_available_bytes=float(_available(cluster, host, total)),
        filesystems=filesystems(cluster, host),
        disk_read_bytes_per_second=_grown(now.read, before.read),
        disk_written_bytes_per_second=_grown(now.written, before.written),
        network_received_bytes_per_second=_grown(now.received, before.received),
        network_sent_bytes_per_second=_grown(now.sent, before.sent),
        booted_at=float(cluster.simulation.booted_at(host, moment)),
        slurm=slurm,
        gpus=tuple(unit.device.key for unit in host.units),
        exporters=tuple(exporters(cluster, host)),
        sampled_at=float(moment),
    )


def _grown(now: float, before: float) -> float:
    """A counter's rate over the last minute; one that began anew after a boot counts from 0."""
    return (now - before if now >= before else now) / RATE_SECONDS


def _load(cluster: Cluster, host: Host, seconds: int) -> float:
    """Mean number of busy cores over the last `seconds`, which is what a load average comes to."""
    block, place = cluster.simulation.block_of[host.name]
    now, before = block.sums(place, cluster.moment), block.sums(place, cluster.moment - seconds)
    return round(0.01 * host.machine.cpus + (now.cpu - before.cpu if now.cpu >= before.cpu else now.cpu) / seconds, 2)


def _available(cluster: Cluster, host: Host, total: int) -> int:
    used = 0.021 * total
    for held in held_here(cluster, host):
        age = cluster.moment - held.round_began - held.job.start
        used += memory_on_node(held) * (0.1 + 0.75 * held.job.rhythm.at(age).memory)
    return int(total - used) // _PAGE * _PAGE


def filesystems(cluster: Cluster, host: Host) -> tuple[Filesystem, ...]:
    """A node's real disks, fullest first."""
    keys, moment = (cluster.simulation.seed, host.number), cluster.moment
    root, scratch = 472_446_402_560, 7_679_300_296_704
    root_share = 0.14 + 0.3 * draw(*keys, 81)
    day = (moment % 86_400) / 86_400
    scratch_share = 0.15 + 0.5 * draw(*keys, 82) + 0.12 * abs(2 * day - 1)
    if host.name == cluster.simulation.troubles.full_disk:
        scratch_share = 0.931 + 0.04 * (moment % 43_200) / 43_200
    found = (
        Filesystem("/", float(root), float(int(root * (1 - root_share)) // _PAGE * _PAGE)),
        Filesystem("/scratch", float(scratch), float(int(scratch * (1 - scratch_share)) // _PAGE * _PAGE)),
    )
    return tuple(sorted(found, key=lambda disk: (-(disk.used_share or 0.0), disk.mountpoint)))


def exporters(cluster: Cluster, host: Host) -> Iterable[Exporter]:
    """Who tells about a node, in the order of their kinds."""
    troubles, moment = cluster.simulation.troubles, cluster.moment
    is_down = host.name == troubles.down
    if host.machine.card is not None:
        heard = troubles.last_heard(host.name, moment)
        is_up = heard == moment and not is_down
        yield Exporter("dcgm", "dcgm", f"{host.name}:9400", is_up, None if is_down else float(heard))
    yield Exporter("node", "node", f"{host.name}:9100", not is_down, None if is_down else float(moment))


def node_slurm(cluster: Cluster, host: Host) -> NodeSlurm:
    """What Slurm says about a node."""
    troubles = cluster.simulation.troubles
    here = held_here(cluster, host)
    cpus = sum(held.job.cpus_per_node for held in here)
    units = sum(held.job.where.units for held in here) if host.machine.card else 0
    base = "idle" if not here else "allocated" if cpus == host.machine.cpus else "mixed"
    flags, reason, who, since = _out_of_use(troubles, host.name)
    return NodeSlurm(
        state="down" if host.name == troubles.down else base,
        flags=flags,
        reason=reason,
        reason_user=who,
        since=float(since if since is not None else cluster.simulation.booted_at(host, cluster.moment)),
        partitions=partitions(host),
        cpus_total=float(host.machine.cpus),
        cpus_allocated=float(cpus),
        memory_total_bytes=float(host.machine.memory_bytes),
        memory_allocated_bytes=float(sum(memory_on_node(held) for held in here)),
        gpus_total=float(len(host.units)),
        gpus_allocated=float(units),
    )


def partitions(host: Host) -> tuple[str, ...]:
    """The partitions a node stands in."""
    return tuple(sorted((host.machine.partition, "debug"))) if host.machine.is_debug else (host.machine.partition,)


def _out_of_use(troubles: Troubles, name: str) -> tuple[tuple[str, ...], str | None, str | None, int | None]:
    """Flags, reason, who gave it, and since when."""
    if name == troubles.down:
        return ("not_responding",), "Not responding", "slurm", troubles.down_at
    if name == troubles.drained:
        return ("drain",), "bad DIMM in slot B3, waiting for a spare part (OPS-4711)", "oskar", troubles.drained_at
    if troubles.fallen and name == troubles.fallen[0]:
        return ("drain",), f"GPU {troubles.fallen[1]}: XID 79, fell off the bus", "root", troubles.fallen_at
    return (), None, None, None

"""What node_exporter would say of each node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from gpumon.model import Exporter, Filesystem, Node
from gpumon_demo.chance import draw
from gpumon_demo.hardware import GIB
from gpumon_demo.inventory import Host
from gpumon_demo.rhythm import Sums
from gpumon_demo.submissions import memory_on

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster, Simulation

RATE_SECONDS = 60
"""Rates are taken over this long, as a reader of the counters would."""

_LOAD_SECONDS = (60, 300, 900)
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
    return _counters(simulation, host, moment, block.sums(place, moment))


def _counters(simulation: Simulation, host: Host, moment: int, done: Sums) -> Counters:
    up, cpus = moment - simulation.booted_at(host, moment), host.machine.cpus
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


RATES: Mapping[str, Callable[[Host, Counters, Counters], float]] = {
    "cpu_share": lambda host, now, before: max(0.0, 1 - _grown(now.idle, before.idle) / host.machine.cpus),
    "disk_read_bytes_per_second": lambda _, now, before: _grown(now.read, before.read),
    "disk_written_bytes_per_second": lambda _, now, before: _grown(now.written, before.written),
    "network_received_bytes_per_second": lambda _, now, before: _grown(now.received, before.received),
    "network_sent_bytes_per_second": lambda _, now, before: _grown(now.sent, before.sent),
}
"""What a node's counters of now and of a minute ago come to, by the model's names of the fields."""


def load1(simulation: Simulation, host: Host, moment: int) -> float:
    """A node's load at any moment."""
    block, place = simulation.block_of[host.name]
    seconds = _LOAD_SECONDS[0]
    return _load(host, block.sums(place, moment), block.sums(place, moment - seconds), seconds)


def node(cluster: Cluster, host: Host) -> Node:
    """One node."""
    troubles, moment = cluster.simulation.troubles, cluster.moment
    slurm = cluster.slurm_nodes[host.name]
    if host.name == troubles.down:
        return Node(host.name, slurm=slurm, exporters=tuple(exporters(cluster, host)))
    block, place = cluster.simulation.block_of[host.name]
    done = {back: block.sums(place, moment - back) for back in {0, RATE_SECONDS, *_LOAD_SECONDS}}
    now, before = (_counters(cluster.simulation, host, moment - back, done[back]) for back in (0, RATE_SECONDS))
    rates = {field: rate(host, now, before) for field, rate in RATES.items()}
    loads = [_load(host, done[0], done[back], back) for back in _LOAD_SECONDS]
    total = host.machine.memory_bytes - 2 * GIB
    return Node(
        name=host.name,
        cpu_share=rates["cpu_share"],
        cores=host.machine.cpus,
        load1=loads[0],
        load5=loads[1],
        load15=loads[2],
        memory_total_bytes=float(total),
        memory_available_bytes=float(_available(cluster, host, total)),
        filesystems=filesystems(cluster, host),
        disk_read_bytes_per_second=rates["disk_read_bytes_per_second"],
        disk_written_bytes_per_second=rates["disk_written_bytes_per_second"],
        network_received_bytes_per_second=rates["network_received_bytes_per_second"],
        network_sent_bytes_per_second=rates["network_sent_bytes_per_second"],
        booted_at=float(cluster.simulation.booted_at(host, moment)),
        slurm=slurm,
        gpus=tuple(host.units[places[0]].device.key for places in host.gpus),
        exporters=tuple(exporters(cluster, host)),
        sampled_at=float(moment),
    )


def _grown(now: float, before: float) -> float:
    """A counter's rate over the last minute; one that began anew after a boot counts from 0."""
    return (now - before if now >= before else now) / RATE_SECONDS


def _load(host: Host, now: Sums, before: Sums, seconds: int) -> float:
    """Mean number of busy cores over the last `seconds`, which is what a load average comes to."""
    return round(0.01 * host.machine.cpus + (now.cpu - before.cpu if now.cpu >= before.cpu else now.cpu) / seconds, 2)


def _available(cluster: Cluster, host: Host, total: int) -> int:
    used, place = 0.021 * total, cluster.simulation.block_of[host.name][1]
    for held in cluster.held_here(host):
        activity = held.job.activity(held.age(cluster.moment))
        used += memory_on(held, place) * (0.1 + 0.75 * activity.memory)
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

"""From node_exporter's samples to what a node's row needs: load, memory, disks, network, uptime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from gpumon.model import Dialect, Exporter, Filesystem, Lack, Node, NodeSlurm
from gpumon.prometheus.labels import LastWordLabels, NodeLabels, TargetLabels
from gpumon.prometheus.wire import Sample, finite
from gpumon.reading.names import NodeNames, host_of
from gpumon.reading.silence import TargetKey
from gpumon.text import natural_key

_FIELDS = {
    "node_load1": "load1",
    "node_load5": "load5",
    "node_load15": "load15",
    "node_memory_MemTotal_bytes": "memory_total_bytes",
    "node_memory_MemAvailable_bytes": "memory_available_bytes",
    "node_boot_time_seconds": "booted_at",
}


class NodeReadings(msgspec.Struct):
    """What node_exporters said, by scrape target, before it is put together."""

    values: dict[TargetKey, dict[str, float]] = msgspec.field(default_factory=dict[TargetKey, dict[str, float]])
    disks: dict[TargetKey, dict[str, list[float | None]]] = msgspec.field(
        default_factory=dict[TargetKey, dict[str, "list[float | None]"]]
    )
    """Size and free bytes by device and mountpoint."""
    labels: dict[TargetKey, str] = msgspec.field(default_factory=dict[TargetKey, str])
    """The `node` label of each target, "" without one."""
    nodenames: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """For the host part of an instance, what the machine calls itself (node_uname_info)."""

    def forget(self, *names: str) -> None:
        """Drops some fields of every target, before they are read anew."""
        for values in self.values.values():
            for name in names:
                values.pop(name, None)

    def forget_gauges(self) -> None:
        """Drops what `read_gauges` fills."""
        self.forget(*_FIELDS.values())
        self.disks, self.labels, self.nodenames = {}, {}, {}


def read_gauges(samples: Iterable[Sample[NodeLabels]] | Iterable[Sample[LastWordLabels]], into: NodeReadings) -> None:
    """Samples of the plain numbers, any metrics mixed; other metrics' samples are passed over."""
    for sample in samples:
        label = sample.metric
        target = (label.job, label.instance)
        value = finite(sample.value[1])
        if not label.name.startswith("node_"):
            continue
        into.labels.setdefault(target, label.node)
        if label.nodename:
            into.nodenames.setdefault(host_of(label.instance), label.nodename)
        name = _FIELDS.get(label.name)
        if name and value is not None:
            into.values.setdefault(target, {})[name] = value
        elif label.mountpoint:
            pair = into.disks.setdefault(target, {}).setdefault(f"{label.device}\0{label.mountpoint}", [None, None])
            pair[0 if label.name == "node_filesystem_size_bytes" else 1] = value


def read_rate(samples: Iterable[Sample[TargetLabels]], name: str, into: NodeReadings) -> None:
    """One number for each target, from an aggregation that kept the target's labels."""
    into.forget(name)
    for sample in samples:
        label = sample.metric
        value = finite(sample.value[1])
        if value is not None:
            target = (label.job, label.instance)
            into.labels.setdefault(target, label.node)
            into.values.setdefault(target, {})[name] = max(0.0, value)


def filesystems(disks: Mapping[str, list[float | None]]) -> tuple[Filesystem, ...]:
    """Real disks, fullest first; a device that is mounted several times counts once, by its shortest mountpoint."""
    by_device: dict[str, Filesystem] = {}
    for place, (size, free) in disks.items():
        device, mountpoint = place.split("\0", 1)
        if not size or free is None:
            continue
        known = by_device.get(device)
        if known is None or len(mountpoint) < len(known.mountpoint):
            by_device[device] = Filesystem(mountpoint, size, free)
    return tuple(sorted(by_device.values(), key=lambda disk: (-(disk.used_share or 0.0), disk.mountpoint)))


class NodeFacts(msgspec.Struct, frozen=True):
    """Everything that was said about one node, by whoever said it."""

    target: TargetKey | None = None
    """Its node_exporter; None without one."""
    sampled_at: float | None = None
    is_stale: bool = False
    slurm: NodeSlurm | None = None
    gpus: tuple[str, ...] = ()
    exporters: tuple[Exporter, ...] = ()


def nodes(facts: Mapping[str, NodeFacts], readings: NodeReadings) -> tuple[Node, ...]:
    """Every node that anybody names, ordered as people count."""
    return tuple(_node(name, facts[name], readings) for name in sorted(facts, key=natural_key))


def _node(name: str, fact: NodeFacts, readings: NodeReadings) -> Node:
    told = readings.values.get(fact.target, {}) if fact.target else {}
    cores = told.get("cores")
    return Node(
        name=name,
        cpu_share=told.get("cpu_share"),
        cores=None if cores is None else int(cores),
        load1=told.get("load1"),
        load5=told.get("load5"),
        load15=told.get("load15"),
        memory_total_bytes=told.get("memory_total_bytes"),
        memory_available_bytes=told.get("memory_available_bytes"),
        filesystems=filesystems(readings.disks.get(fact.target, {})) if fact.target else (),
        disk_read_bytes_per_second=told.get("disk_read_bytes_per_second"),
        disk_written_bytes_per_second=told.get("disk_written_bytes_per_second"),
        network_received_bytes_per_second=told.get("network_received_bytes_per_second"),
        network_sent_bytes_per_second=told.get("network_sent_bytes_per_second"),
        booted_at=told.get("booted_at"),
        slurm=fact.slurm,
        gpus=fact.gpus,
        exporters=fact.exporters,
        sampled_at=fact.sampled_at,
        is_stale=fact.is_stale,
    )


def targets_by_node(readings: NodeReadings, names: NodeNames) -> tuple[dict[str, TargetKey], dict[str, set[TargetKey]]]:
    """The node_exporter of each node, and where several tell about one node, all of them.

    Of several, the one that says most is taken; nothing is added up.
    """
    found: dict[str, TargetKey] = {}
    twice: dict[str, set[TargetKey]] = {}
    for target, label in readings.labels.items():
        name = names.of(node=label, instance=target[1])
        other = found.setdefault(name, target)
        if other == target:
            continue
        twice.setdefault(name, {other}).add(target)
        if len(readings.values.get(target, ())) > len(readings.values.get(other, ())):
            found[name] = target
    return found, twice


def node_dialect(readings: NodeReadings, newest_at: float | None) -> Dialect | None:
    """What was found of node_exporter; None when there is no sample at all."""
    if not readings.labels:
        return None
    told = {name for values in readings.values.values() for name in values}
    lacks = tuple(
        Lack((name,), metric, disables, remedy)
        for name, metric, disables, remedy in _COLLECTORS
        if name not in told and not (name == "filesystems" and readings.disks)
    )
    return Dialect("nodes", "node_exporter", "", len(readings.labels), newest_at, lacks)


_COLLECTORS = tuple(
    (name, metric, disables, f"start node_exporter with --collector.{collector}")
    for name, metric, disables, collector in (
        ("cpu_share", "node_cpu_seconds_total", "CPU use", "cpu"),
        ("load1", "node_load1", "load", "loadavg"),
        ("memory_available_bytes", "node_memory_MemAvailable_bytes", "memory", "meminfo"),
        ("filesystems", "node_filesystem_size_bytes", "disks", "filesystem"),
        ("disk_read_bytes_per_second", "node_disk_read_bytes_total", "disk traffic", "diskstats"),
        ("network_received_bytes_per_second", "node_network_receive_bytes_total", "network traffic", "netdev"),
        ("booted_at", "node_boot_time_seconds", "uptime", "stat"),
    )
)
"""Field, metric, what its absence disables, and what brings it."""

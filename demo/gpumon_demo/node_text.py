"""A node as node_exporter 1.x tells it: the families that say how a machine is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gpumon.model import Attribution, Node
from gpumon_demo import hosts
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page
from gpumon_demo.hosts import Counters, counters
from gpumon_demo.inventory import Host, minor

_ROWS = Iterable[tuple[Mapping[str, str], float]]
_MODES = ("idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user")
_DISK, _SCRATCH = "nvme0n1", "nvme1n1"
_OF_SCRATCH = 0.9
"""Share of the disk traffic that jobs cause on their scratch disk."""
_OF_FABRIC = 0.97
"""Share of the network traffic that takes the fast network."""


def node(cluster: Cluster, host: Host, *, is_brief: bool = False) -> str:
    """What a node's node_exporter answers; a brief one has of each core only its idle time."""
    told = hosts.node(cluster, host)
    counted = counters(cluster.simulation, host, cluster.moment)
    page = Page()
    page.family("node_boot_time_seconds", "gauge", "Node boot time, in unixtime.", [({}, told.booted_at or 0.0)])
    modes = ("idle",) if is_brief else _MODES
    up = cluster.moment - cluster.simulation.booted_at(host, cluster.moment)
    page.family(
        "node_cpu_seconds_total", "counter", "Seconds the CPUs spent in each mode.", _cpus(counted, host, up, modes)
    )
    _disks(page, counted)
    page.family(
        "node_exporter_build_info",
        "gauge",
        "A metric with a constant '1' value labeled by what node_exporter was built from.",
        [({"branch": "HEAD", "goarch": "amd64", "goos": "linux", "goversion": "go1.25.1", "revision": "demo",
           "version": "1.10.2"}, 1)],
    )  # fmt: skip
    _filesystems(page, told)
    for minutes, load in ((1, told.load1), (15, told.load15), (5, told.load5)):
        page.family(f"node_load{minutes}", "gauge", f"{minutes}m load average.", [({}, load or 0.0)])
    _memory(page, told)
    _network(page, counted)
    page.family("node_time_seconds", "gauge", "System time in seconds since epoch (1970).", [({}, cluster.moment)])
    page.family("node_timex_offset_seconds", "gauge", "Time offset in between local system and reference clock.",
                [({}, 1.4e-05)])  # fmt: skip
    page.family("node_timex_sync_status", "gauge",
                "Is clock synchronized to a reliable server (1 = yes, 0 = no).", [({}, 1)])  # fmt: skip
    page.family(
        "node_uname_info",
        "gauge",
        "Labeled system information as provided by the uname system call.",
        [({"domainname": "(none)", "machine": "x86_64", "nodename": host.name, "release": "6.8.0-64-generic",
           "sysname": "Linux", "version": "#67-Ubuntu SMP PREEMPT_DYNAMIC"}, 1)],
    )  # fmt: skip
    _gpu_map(page, host)
    return page.text()


def _gpu_map(page: Page, host: Host) -> None:
    """What gpumon-slurm-exporter's gpu-map wrote for the textfile collector; on some nodes nobody ran it."""
    rows = [
        (
            {
                "node": host.name,
                "gpu": str(unit.number),
                "type": unit.type,
                "UUID": unit.device.uuid,
                "pci_bus_id": unit.device.pci_bus_id or "",
                "minor": str(minor(host.machine, unit.card)),
                "GPU_I_ID": unit.slice.id if unit.slice else "",
            },
            1.0,
        )
        for unit in sorted((host.units[places[0]] for places in host.gpus), key=lambda unit: unit.number)
    ]
    if host.machine.told_by is Attribution.UUID:
        text = "Which GPU is meant by Slurm's number of it on this node."
        page.family("gpumon_slurm_gpu_info", "gauge", text, rows)


def _cpus(counted: Counters, host: Host, up: int, modes: tuple[str, ...]) -> _ROWS:
    """Every core does its part of the work; the odd ones a little more."""
    cores = host.machine.cpus
    for cpu in range(cores):
        weight = 1.04 if cpu % 2 else 0.96
        busy = {
            "user": round(counted.user * weight / cores, 2),
            "system": round(counted.system * weight / cores, 2),
            "iowait": round(counted.waiting * weight / cores, 2),
        }
        busy["idle"] = max(0.0, round(up - (counted.user + counted.system + counted.waiting) * weight / cores, 2))
        for mode in modes:
            yield {"cpu": str(cpu), "mode": mode}, busy.get(mode, 0.0)


def _disks(page: Page, counted: Counters) -> None:
    for name, text, total in (
        ("node_disk_read_bytes_total", "The total number of bytes read successfully.", counted.read),
        ("node_disk_written_bytes_total", "The total number of bytes written successfully.", counted.written),
    ):
        scratch = int(total * _OF_SCRATCH)
        rows: _ROWS = [({"device": _DISK}, total - scratch), ({"device": _SCRATCH}, scratch)]
        page.family(name, "counter", text, rows)


def _filesystems(page: Page, told: Node) -> None:
    devices = {"/": (f"/dev/{_DISK}p2", "ext4"), "/scratch": (f"/dev/{_SCRATCH}", "xfs")}
    avail: list[tuple[Mapping[str, str], float]] = []
    sizes: list[tuple[Mapping[str, str], float]] = []
    for disk in sorted(told.filesystems, key=lambda disk: disk.mountpoint):
        device, kind = devices[disk.mountpoint]
        pairs = {"device": device, "fstype": kind, "mountpoint": disk.mountpoint}
        avail.append((pairs, disk.available_bytes))
        sizes.append((pairs, disk.size_bytes))
    run = {"device": "tmpfs", "fstype": "tmpfs", "mountpoint": "/run"}
    memory = (told.memory_total_bytes or 0.0) // 10 // 4096 * 4096
    name = "node_filesystem_avail_bytes"
    page.family(name, "gauge", "Filesystem space available to non-root users in bytes.", [*avail, (run, memory * 0.75)])
    readonly = [(pairs, 0.0) for pairs, _ in sizes]
    page.family("node_filesystem_readonly", "gauge", "Filesystem read-only status.", readonly)
    page.family("node_filesystem_size_bytes", "gauge", "Filesystem size in bytes.", [*sizes, (run, memory)])


def _memory(page: Page, told: Node) -> None:
    total, available = told.memory_total_bytes or 0.0, told.memory_available_bytes or 0.0
    free = available * 0.6 // 4096 * 4096
    for field, value in (
        ("Buffers", 2.1e9 // 4096 * 4096),
        ("Cached", available - free),
        ("MemAvailable", available),
        ("MemFree", free),
        ("MemTotal", total),
        ("SwapFree", 0.0),
        ("SwapTotal", 0.0),
    ):
        page.family(f"node_memory_{field}_bytes", "gauge", f"Memory information field {field}_bytes.", [({}, value)])


def _network(page: Page, counted: Counters) -> None:
    for word, total in (("receive", counted.received), ("transmit", counted.sent)):
        fabric = int(total * _OF_FABRIC)
        rows: _ROWS = [
            ({"device": "docker0"}, 0.0),
            ({"device": "eth0"}, total - fabric),
            ({"device": "ib0"}, fabric),
            ({"device": "lo"}, total // 50),
        ]
        name = f"node_network_{word}_bytes_total"
        page.family(name, "counter", f"Network device statistic {word}_bytes.", rows)
    up = [({"device": device}, float(device != "docker0")) for device in ("docker0", "eth0", "ib0", "lo")]
    page.family("node_network_up", "gauge", "Value is 1 if operstate is 'up', 0 otherwise.", up)

"""Handmade snapshots: pieces with believable numbers, a healthy cluster, a troubled one, and one of hostile names."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from gpumon.model import (
    AccountUsage,
    Alert,
    Attribution,
    ClusterSnapshot,
    Dialect,
    Exporter,
    Filesystem,
    Gpu,
    GpuDetail,
    GpuDevice,
    Job,
    MigInstance,
    Node,
    NodeSlurm,
    Partition,
    Problem,
    Queue,
    Severity,
    Target,
    UserUsage,
)

NOW = 1_750_000_000.0
GIB = 2.0**30

HOSTILE = (
    "[bold red]markup[/]",
    "\x1b[31mescape\x1b[0m\x07",
    "two\nlines\r\tand tabs",
    "right\u202eto left\u200b",
    'quotes "\'`\\ {x="y"}',
    "long " * 60,
    "宽字符 😀",
    "",
)
"""Names that strangers choose."""


def gpu(node: str, index: int, **known: Any) -> Gpu:
    """A card that is half busy; `known` replaces fields of the Gpu, of its device or of its detail."""
    fields: dict[str, Any] = {
        "utilization": 0.5,
        "memory_used_bytes": 40 * GIB,
        "temperature_celsius": 55.0,
        "power_watts": 250.0,
        "jobs": (),
        "sampled_at": NOW - 5,
    }
    device: dict[str, Any] = {
        "uuid": f"GPU-{node}-{index}",
        "node": node,
        "index": index,
        "model": "NVIDIA A100-SXM4-80GB",
        "driver": "550.54.15",
        "memory_total_bytes": 80 * GIB,
        "instance": f"{node}:9400",
    }
    detail: dict[str, Any] = {"xid": 0, "ecc_uncorrected": 0.0, "throttle_reasons": (), "sampled_at": NOW - 5}
    for name, value in known.items():
        place = next((kind for kind in (Gpu, GpuDevice, GpuDetail) if name in kind.__struct_fields__), None)
        if place is None:
            raise TypeError(f"a GPU has no {name}")
        {Gpu: fields, GpuDevice: device, GpuDetail: detail}[place][name] = value
    return Gpu(device=GpuDevice(**device), detail=GpuDetail(**detail), **fields)


def mig(node: str, index: int, slice_id: str, profile: str = "1g.10gb", **known: Any) -> Gpu:
    """One slice of a card."""
    known.setdefault("memory_total_bytes", 10 * GIB)
    known.setdefault("memory_used_bytes", 5 * GIB)
    return gpu(node, index, mig=MigInstance(slice_id, profile), **known)


def node(name: str, gpus: tuple[Gpu, ...] = (), **known: Any) -> Node:
    """A healthy node with these GPUs; `known` replaces fields of the Node."""
    exporters = [Exporter("node", "node", f"{name}:9100", True, NOW - 5)]
    if gpus:
        exporters.append(Exporter("dcgm", "dcgm", f"{name}:9400", True, NOW - 5))
    held = sum(bool(each.jobs) for each in gpus)
    fields: dict[str, Any] = {
        "cpu_share": 0.25,
        "cores": 64,
        "load1": 16.0,
        "load5": 15.0,
        "load15": 14.0,
        "memory_total_bytes": 512 * GIB,
        "memory_available_bytes": 256 * GIB,
        "filesystems": (Filesystem("/", 100 * GIB, 60 * GIB), Filesystem("/scratch", 1000 * GIB, 900 * GIB)),
        "network_received_bytes_per_second": 2.0**20,
        "network_sent_bytes_per_second": 2.0**19,
        "booted_at": NOW - 86_400,
        "slurm": NodeSlurm(state="mixed", gpus_total=len(gpus), gpus_allocated=held, partitions=("gpu",)),
        "gpus": tuple(each.key for each in gpus),
        "exporters": tuple(exporters),
        "sampled_at": NOW - 5,
    }
    return Node(name=name, **{**fields, **known})


def job(number: int, **known: Any) -> Job:
    """A running job of ann; `known` replaces fields of the Job."""
    fields: dict[str, Any] = {
        "user": "ann",
        "account": "physics",
        "partition": "gpu",
        "qos": "normal",
        "name": "train",
        "state": "running",
        "submitted_at": NOW - 7200,
        "started_at": NOW - 3600,
        "ends_at": NOW + 3600,
        "cpus": 16.0,
        "gpus": 1.0,
        "node_count": 1.0,
    }
    return Job(id=str(number), **{**fields, **known})


def pending(number: int, **known: Any) -> Job:
    """A job of bob that waits."""
    return job(number, **{"user": "bob", "state": "pending", "reason": "Resources", "started_at": None,
                          "ends_at": None, **known})  # fmt: skip


def cluster(*nodes: tuple[Node, tuple[Gpu, ...]], **known: Any) -> ClusterSnapshot:
    """A snapshot of these nodes and their GPUs; `known` replaces its fields."""
    fields: dict[str, Any] = {
        "taken_at": NOW,
        "source": "http://head:9090",
        "nodes": tuple(each for each, _ in nodes),
        "gpus": tuple(card for _, cards in nodes for card in cards),
        "scrape_interval_seconds": 15.0,
    }
    return ClusterSnapshot(**{**fields, **known})


def of_gpus(*gpus: Gpu, **known: Any) -> ClusterSnapshot:
    """A snapshot of healthy nodes with these GPUs."""
    by_node: dict[str, list[Gpu]] = {}
    for each in gpus:
        by_node.setdefault(each.node, []).append(each)
    return cluster(*((node(name, tuple(cards)), tuple(cards)) for name, cards in by_node.items()), **known)


def healthy() -> ClusterSnapshot:
    """Four nodes with ten GPUs, four of them slices of one card; jobs run and wait, nothing is wrong."""
    gpu1 = (gpu("gpu1", 0, utilization=0.9, jobs=("100",)), gpu("gpu1", 1, utilization=0.8, jobs=("100",)))
    gpu2 = (gpu("gpu2", 0, utilization=0.0, memory_used_bytes=0.0), gpu("gpu2", 1, utilization=0.7, jobs=("101",)))
    gpu10 = tuple(mig("gpu10", 0, str(number), utilization=0.3, jobs=("102",)) for number in range(7, 11))
    gpu11 = (gpu("gpu11", 0, utilization=0.4, jobs=("103",)), gpu("gpu11", 1, utilization=None))
    return cluster(
        (node("gpu1", gpu1), gpu1),
        (node("gpu2", gpu2), gpu2),
        (node("gpu10", gpu10), gpu10),
        (node("gpu11", gpu11), gpu11),
        jobs=(
            job(100, gpus=2.0, nodes="gpu1", held=("GPU-gpu1-0", "GPU-gpu1-1")),
            job(101, user="bob", account="chemistry", nodes="gpu2", held=("GPU-gpu2-1",)),
            job(102, nodes="gpu10", gpus=4.0, held=tuple(each.key for each in gpu10)),
            job(103, nodes="gpu11", held=("GPU-gpu11-0",), array_job_id="90", array_task_id="3"),
            pending(104),
        ),
        queue=Queue(
            by_state={"running": 4, "pending": 1},
            pending_reasons={"Resources": 1},
            nodes_by_state={"mixed": 4},
            gpus_total=10,
            gpus_allocated=8,
        ),
        partitions=(Partition("gpu", cpus_total=256, nodes=4, gpus_total=10, jobs_running=4, jobs_pending=1),),
        users=(UserUsage("ann", jobs_running=3, gpus_running=7), UserUsage("bob", jobs_running=1, jobs_pending=1)),
        accounts=(AccountUsage("physics", jobs_running=3), AccountUsage("chemistry", jobs_running=1)),
        alerts=(),
        targets=tuple(
            Target(kind, f"{name}:{port}", name, "up", "", NOW - 5, 15.0)
            for name in ("gpu1", "gpu2", "gpu10", "gpu11")
            for kind, port in (("node", 9100), ("dcgm", 9400))
        ),
        dialects=(
            Dialect("gpus", "dcgm-exporter", "MIG", 4, NOW - 5),
            Dialect("nodes", "node_exporter", "", 4, NOW - 5),
            Dialect("slurm", "gpumon-slurm-exporter", "", 1, NOW - 5),
        ),
    )


def queued() -> ClusterSnapshot:
    """Two nodes of four GPUs with a queue: an array, a job on both nodes, idle ones, a shared GPU, jobs that wait."""
    by = {"held_by": Attribution.INDEX}
    gpu1 = (
        gpu("gpu1", 0, utilization=0.9, jobs=("201",), **by),
        gpu("gpu1", 1, utilization=0.7, jobs=("202",), **by),
        gpu("gpu1", 2, utilization=0.0, jobs=("210",), idle_since=NOW - 7200, **by),
        gpu("gpu1", 3, utilization=0.01, jobs=("210",), idle_since=NOW - 3600, **by),
    )
    gpu2 = (
        gpu("gpu2", 0, utilization=0.8, jobs=("211",), **by),
        gpu("gpu2", 1, utilization=0.6, jobs=("211",), **by),
        gpu("gpu2", 2, utilization=0.5, jobs=("212", "213"), **by),
        gpu("gpu2", 3, utilization=0.0),
    )
    whole = {"time_limit_seconds": 7200.0}
    return cluster(
        (node("gpu1", gpu1), gpu1),
        (node("gpu2", gpu2), gpu2),
        jobs=(
            job(201, array_job_id="200", array_task_id="1", nodes="gpu1", held=("GPU-gpu1-0",), **whole),
            job(202, array_job_id="200", array_task_id="2", nodes="gpu1", held=("GPU-gpu1-1",), **whole),
            pending(200, user="ann", reason="JobArrayTaskLimit", array_job_id="200", array_task_id="3-8", tasks=6.0,
                    priority=50.0),
            job(210, user="bob", account="chemistry", name="notebook", gpus=2.0, nodes="gpu1",
                held=("GPU-gpu1-2", "GPU-gpu1-3"), submitted_at=NOW - 18_000, started_at=NOW - 14_400,
                time_limit_seconds=28_800.0),
            job(211, user="eve", name="wide", gpus=2.0, node_count=2.0, nodes="gpu2",
                held=("GPU-gpu2-0", "GPU-gpu2-1")),
            job(212, user="dan", name="shard", partition="shared", nodes="gpu2", held=("GPU-gpu2-2",), **whole),
            job(213, user="dan", name="shard", partition="shared", nodes="gpu2", held=("GPU-gpu2-2",), **whole),
            pending(220, reason="Priority", priority=30.0, gpus=4.0, expected_at=NOW + 1800, name="later", **whole),
            pending(221, user="eve", priority=90.0, gpus=8.0, expected_at=NOW + 600, name="next", **whole),
            pending(222, reason="JobHeldUser", priority=0.0, name="held", **whole),
        ),
        queue=Queue(by_state={"running": 6, "pending": 9}, nodes_by_state={"mixed": 2}, gpus_total=8, gpus_allocated=7),
        users=(UserUsage("ann", jobs_running=2), UserUsage("bob", jobs_running=1)),
        dialects=(Dialect("gpus", "dcgm-exporter"), Dialect("jobs", "gpumon-slurm-exporter")),
    )  # fmt: skip


def troubled() -> ClusterSnapshot:
    """The healthy cluster with a hot GPU, an XID, an idle job, a silent exporter, a drained node, alerts, a problem."""
    whole = healthy()
    hot, broken = (gpu("gpu1", 0, utilization=0.9, jobs=("100",), temperature_celsius=88.0),
                   gpu("gpu1", 1, utilization=0.01, jobs=("100",), xid=79))  # fmt: skip
    old = tuple(msgspec.structs.replace(each, is_stale=True, sampled_at=NOW - 200) for each in whole.gpus_of("gpu11"))
    drained = NodeSlurm(state="idle", flags=("drain",), reason="fan broken", reason_user="root", since=NOW - 7200,
                        gpus_total=2, gpus_allocated=0)  # fmt: skip
    silent = (Exporter("node", "node", "gpu11:9100", True, NOW - 5),
              Exporter("dcgm", "dcgm", "gpu11:9400", False, NOW - 200))  # fmt: skip
    gpu1, gpu2, gpu10, gpu11 = whole.nodes
    return replace(
        whole,
        gpus=(hot, broken, *whole.gpus[2:8], *old),
        nodes=(
            gpu1,
            msgspec.structs.replace(gpu2, slurm=drained),
            gpu10,
            msgspec.structs.replace(gpu11, exporters=silent),
        ),
        alerts=(
            Alert("GpuHot", "firing", "critical", "gpu1", "gpu1 is hot", (("gpu", "0"),), NOW - 300),
            Alert("NodeLoad", "pending", "warning", "gpu10", "load is high", (), NOW - 60),
        ),
        problems=(
            Problem(
                "gpus", "The dcgm-exporter at gpu11:9400 has been silent for 3m; its last numbers are shown as old."
            ),
            Problem("jobs", "The query for jobs failed.", "Try gpumon doctor.", Severity.ERROR),
        ),
    )


def hostile() -> ClusterSnapshot:
    """A node, a GPU, a job, an alert and a problem for each hostile name, all of them in trouble."""
    nodes: list[tuple[Node, tuple[Gpu, ...]]] = []
    for number, name in enumerate(HOSTILE):
        card = gpu(name, number, utilization=0.0, jobs=(str(number),), temperature_celsius=99.0, xid=48, uuid=name)
        slurm = NodeSlurm(state="down", flags=(name,), reason=name, reason_user=name, gpus_total=2)
        nodes.append((node(name, (card,), slurm=slurm, filesystems=(Filesystem(name, 100.0, 0.0),)), (card,)))
    running = tuple(
        job(number, user=name, account=name, partition=name, name=name, reason=name, nodes=name, qos=name, held=(name,))
        for number, name in enumerate(HOSTILE)
    )
    waiting = tuple(
        pending(
            100 + number,
            user=name,
            account=name,
            partition=name,
            name=name,
            reason=name,
            qos=name,
            array_job_id=name,
            array_task_id=name,
            priority=1.0,
        )
        for number, name in enumerate(HOSTILE)
    )
    return cluster(
        *nodes,
        jobs=running + waiting,
        users=tuple(UserUsage(name, jobs_running=1) for name in HOSTILE),
        partitions=tuple(Partition(name, jobs_running=1) for name in HOSTILE),
        alerts=tuple(Alert(name, "firing", name, name, name, ((name, name),), NOW - 60) for name in HOSTILE),
        targets=tuple(Target(name, name, name, "down", name, NOW - 5) for name in HOSTILE),
        problems=tuple(Problem("gpus", name, name, Severity.ERROR) for name in HOSTILE),
    )  # fmt: skip

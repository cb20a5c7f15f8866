"""Handmade clusters and a source that hands them out, for tests of the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from gpumon.errors import GpumonError
from gpumon.model import (
    AccountUsage,
    Alert,
    ClusterSnapshot,
    Dialect,
    Exporter,
    Filesystem,
    Gpu,
    GpuDetail,
    GpuDevice,
    Job,
    Lack,
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
from gpumon.source import Parts, Point

NOW = 1_700_000_000.0
GIB = 2.0**30
A100 = "NVIDIA A100-SXM4-80GB"


def gpu(node: str, index: int, **known: object) -> Gpu:
    """A card with believable numbers; `known` replaces fields of the Gpu."""
    fields: dict[str, object] = {
        "utilization": 0.5,
        "memory_used_bytes": 40 * GIB,
        "temperature_celsius": 60.0,
        "power_watts": 250.0,
        "jobs": (),
        "sampled_at": NOW - 5,
    }
    device = GpuDevice(
        uuid=f"GPU-{node}-{index}",
        node=node,
        index=index,
        model=A100,
        driver="550.54",
        memory_total_bytes=80 * GIB,
        instance=f"{node}:9400",
    )
    return Gpu(device=device, **{**fields, **known})  # type: ignore[arg-type]  # a test may name any field


def node(name: str, **known: object) -> Node:
    """A node with believable numbers."""
    fields: dict[str, object] = {
        "cpu_share": 0.25,
        "cores": 64,
        "load1": 16.0,
        "memory_total_bytes": 512 * GIB,
        "memory_available_bytes": 256 * GIB,
        "filesystems": (Filesystem("/", 100 * GIB, 60 * GIB),),
        "booted_at": NOW - 86_400,
        "slurm": NodeSlurm(state="mixed", gpus_total=2, gpus_allocated=1, partitions=("gpu",)),
        "exporters": (
            Exporter("node", "node", f"{name}:9100", True, NOW - 5),
            Exporter("dcgm", "dcgm", f"{name}:9400", True, NOW - 5),
        ),
        "sampled_at": NOW - 5,
    }
    return Node(name=name, **{**fields, **known})  # type: ignore[arg-type]  # a test may name any field


def job(number: int, **known: object) -> Job:
    """A running job of ann."""
    fields: dict[str, object] = {
        "user": "ann",
        "account": "physics",
        "partition": "gpu",
        "qos": "normal",
        "name": "train",
        "state": "running",
        "nodes": "gpu1",
        "submitted_at": NOW - 7200,
        "started_at": NOW - 3600,
        "ends_at": NOW + 3600,
        "cpus": 16.0,
        "gpus": 1.0,
        "node_count": 1.0,
    }
    return Job(id=str(number), **{**fields, **known})  # type: ignore[arg-type]  # a test may name any field


def waiting(number: int, **known: object) -> Job:
    """A job of bob that waits for resources."""
    fields: dict[str, object] = {
        "user": "bob",
        "state": "pending",
        "reason": "Resources",
        "started_at": None,
        "ends_at": None,
        "nodes": "",
        "priority": 9.0,
    }
    return job(number, **{**fields, **known})


def cluster(**known: object) -> ClusterSnapshot:
    """Two nodes: gpu1 with a busy and a free GPU, gpu10 with a MIG slice and a stale one."""
    mig = GpuDevice(
        uuid="GPU-gpu10-0", node="gpu10", index=0, mig=MigInstance("7", "1g.10gb"), model=A100, instance="gpu10:9400"
    )
    gpus = (
        gpu("gpu1", 0, utilization=0.9, jobs=("100",), temperature_celsius=71.0, detail=GpuDetail(xid=0)),
        gpu("gpu1", 1, utilization=0.0, memory_used_bytes=0.0),
        Gpu(device=mig, utilization=0.3, jobs=None, sampled_at=NOW - 5),
        gpu("gpu10", 1, is_stale=True, sampled_at=NOW - 200, jobs=None),
    )
    snapshot = ClusterSnapshot(
        taken_at=NOW,
        source="http://head:9090",
        gpus=gpus,
        nodes=(
            node("gpu1", gpus=("GPU-gpu1-0", "GPU-gpu1-1")),
            node(
                "gpu10",
                gpus=("GPU-gpu10-0/7", "GPU-gpu10-1"),
                slurm=NodeSlurm(state="idle", flags=("drain",), reason="fan broken", gpus_total=2, gpus_allocated=0),
            ),
        ),
        jobs=(
            job(100, held=("GPU-gpu1-0",)),
            waiting(101),
        ),
        queue=Queue(by_state={"running": 1, "pending": 1}, nodes_by_state={"mixed": 1, "drained": 1}, gpus_total=4),
        partitions=(Partition("gpu", cpus_total=128, gpus_total=4, jobs_running=1, jobs_pending=1),),
        users=(UserUsage("ann", jobs_running=1, gpus_running=1), UserUsage("bob", jobs_pending=1, gpus_running=0)),
        accounts=(AccountUsage("physics", jobs_running=1),),
        alerts=(
            Alert("GpuHot", "firing", "critical", "gpu1", "gpu1 is hot", (("gpu", "0"),), NOW - 300),
            Alert("NodeLoad", "pending", "warning", "gpu10", "load", (), NOW - 60),
        ),
        targets=(
            Target("dcgm", "gpu1:9400", "gpu1", "up", "", NOW - 5, 15.0),
            Target("dcgm", "gpu10:9400", "gpu10", "down", "connection refused", NOW - 5, 15.0),
        ),
        dialects=(
            Dialect(
                "gpus",
                "dcgm-exporter",
                "no PROF fields",
                2,
                NOW - 5,
                (
                    Lack(
                        ("sm_active",),
                        "DCGM_FI_PROF_SM_ACTIVE",
                        "SM activity",
                        "DCGM_FI_PROF_SM_ACTIVE, gauge, SM activity.",
                    ),
                ),
            ),
            Dialect("nodes", "node_exporter", "", 2, NOW - 5),
            Dialect("slurm", "vpenso slurm exporter", "", 1, NOW - 5),
        ),
        problems=(Problem("gpus", "gpu10:9400 is silent for 3m", "Is dcgm-exporter running?", Severity.WARNING),),
        scrape_interval_seconds=15.0,
    )
    return replace(snapshot, **known)


class HandmadeSource:
    """Hands out snapshots one after the other, the last one again and again; raises errors among them."""

    def __init__(self, *pictures: ClusterSnapshot | GpumonError) -> None:
        self._pictures = list(pictures)
        self.asked: list[Parts] = []
        self.is_closed = False

    @property
    def label(self) -> str:
        """Where the numbers come from."""
        return "http://head:9090"

    def snapshot(self, parts: Parts = Parts.ALL) -> ClusterSnapshot:
        """The next picture."""
        self.asked.append(parts)
        picture = self._pictures.pop(0) if len(self._pictures) > 1 else self._pictures[0]
        if isinstance(picture, GpumonError):
            raise picture
        return picture

    def utilization_history(self, seconds: float, points: int) -> tuple[Point, ...]:
        """No history."""
        return ()

    def gpu_history(
        self, keys: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """No history."""
        return {}

    def node_history(
        self, nodes: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """No history."""
        return {}

    def close(self) -> None:
        """Notes that it was closed."""
        self.is_closed = True

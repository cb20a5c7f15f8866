"""The shapes of `--json`: what each answer holds, field by field, as docs/json.md promises.

They are classes of their own so that the model can change without breaking a script. Only what is counted in ten
thousands (a GPU's details, a job) goes out as the model has it, which costs next to nothing per row; the test of
docs/json.md notices when one of those changes.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gpumon.model import (
    NO_DETAIL,
    Alert,
    ClusterSnapshot,
    Exporter,
    Filesystem,
    Gpu,
    GpuDetail,
    Node,
    NodeSlurm,
    Problem,
)


class ProblemShape(msgspec.Struct, frozen=True):
    """Why a part of the answer is missing, old or doubtful."""

    part: str
    severity: str
    text: str
    advice: str


class Answer(msgspec.Struct, frozen=True):
    """What every answer begins with."""

    schema: str
    """Name and version: "gpumon.gpus/1"; the version changes when a field changes its meaning or goes."""
    taken_at: float | None
    source: str
    cluster: str
    simulated: bool
    problems: tuple[ProblemShape, ...]


class GpuShape(msgspec.Struct, frozen=True, gc=False):
    """One GPU or MIG slice."""

    node: str
    gpu: str
    key: str
    uuid: str
    index: int | None
    mig_instance: str | None
    mig_profile: str | None
    model: str | None
    driver: str | None
    pci_bus_id: str | None
    users: tuple[str, ...] | None
    jobs: tuple[str, ...] | None
    held_by: str | None
    idle_since: float | None
    utilization_share: float | None
    engine_active_share: float | None
    sm_active_share: float | None
    tensor_active_share: float | None
    dram_active_share: float | None
    memory_used_bytes: float | None
    memory_total_bytes: float | None
    temperature_celsius: float | None
    power_watts: float | None
    sampled_at: float | None
    is_stale: bool
    exporter: str
    detail: GpuDetail | None


class GpusAnswer(Answer, frozen=True):
    """`gpumon gpus --json`."""

    gpus: tuple[GpuShape, ...]


class NodeShape(msgspec.Struct, frozen=True):
    """One node."""

    node: str
    cpu_share: float | None
    cores: int | None
    load1: float | None
    load5: float | None
    load15: float | None
    memory_total_bytes: float | None
    memory_available_bytes: float | None
    disk_used_share: float | None
    filesystems: tuple[Filesystem, ...]
    disk_read_bytes_per_second: float | None
    disk_written_bytes_per_second: float | None
    network_received_bytes_per_second: float | None
    network_sent_bytes_per_second: float | None
    booted_at: float | None
    slurm: NodeSlurm | None
    gpus: tuple[str, ...]
    exporters: tuple[Exporter, ...]
    sampled_at: float | None
    is_stale: bool


class NodesAnswer(Answer, frozen=True):
    """`gpumon nodes --json`."""

    nodes: tuple[NodeShape, ...]


class AlertShape(msgspec.Struct, frozen=True):
    """One alert of Prometheus' own rules."""

    name: str
    state: str
    severity: str
    node: str | None
    summary: str
    labels: dict[str, str]
    since: float | None


class AlertsAnswer(Answer, frozen=True):
    """`gpumon alerts --json`."""

    alerts: tuple[AlertShape, ...]


def opening(name: str, snapshot: ClusterSnapshot) -> tuple[str, float | None, str, str, bool, tuple[ProblemShape, ...]]:
    """The values of `Answer`'s fields, in their order."""
    return (
        f"gpumon.{name}/1",
        snapshot.taken_at or None,
        snapshot.source,
        snapshot.cluster,
        snapshot.is_simulated,
        tuple(map(problem_shape, snapshot.problems)),
    )


def problem_shape(problem: Problem) -> ProblemShape:
    """A problem as it goes out."""
    return ProblemShape(problem.part, problem.severity.value, problem.text, problem.advice)


def gpus_answer(rows: Sequence[Gpu], snapshot: ClusterSnapshot) -> GpusAnswer:
    """These GPUs of a snapshot."""
    return GpusAnswer(*opening("gpus", snapshot), tuple([gpu_shape(gpu, snapshot) for gpu in rows]))


def nodes_answer(rows: Sequence[Node], snapshot: ClusterSnapshot) -> NodesAnswer:
    """These nodes of a snapshot."""
    return NodesAnswer(*opening("nodes", snapshot), tuple([_node(node) for node in rows]))


def alerts_answer(rows: Sequence[Alert], snapshot: ClusterSnapshot) -> AlertsAnswer:
    """These alerts of a snapshot."""
    return AlertsAnswer(*opening("alerts", snapshot), tuple([_alert(alert) for alert in rows]))


def gpu_shape(gpu: Gpu, snapshot: ClusterSnapshot) -> GpuShape:
    """A GPU as it goes out."""
    device = gpu.device
    mig = device.mig
    users = snapshot.users_of(gpu)
    return GpuShape(
        device.node,
        device.number,
        device.key,
        device.uuid,
        device.index,
        None if mig is None else mig.id,
        None if mig is None else mig.profile,
        device.model,
        device.driver,
        device.pci_bus_id,
        None if gpu.jobs and not users else users,
        gpu.jobs,
        gpu.held_by.value if gpu.held_by else None,
        gpu.idle_since,
        gpu.utilization,
        gpu.engine_active,
        gpu.sm_active,
        gpu.tensor_active,
        gpu.dram_active,
        gpu.memory_used_bytes,
        device.memory_total_bytes,
        gpu.temperature_celsius,
        gpu.power_watts,
        gpu.sampled_at,
        gpu.is_stale,
        device.instance,
        None if gpu.detail is NO_DETAIL else gpu.detail,
    )


def _node(node: Node) -> NodeShape:
    return NodeShape(
        node=node.name,
        cpu_share=node.cpu_share,
        cores=node.cores,
        load1=node.load1,
        load5=node.load5,
        load15=node.load15,
        memory_total_bytes=node.memory_total_bytes,
        memory_available_bytes=node.memory_available_bytes,
        disk_used_share=node.disk_used_share,
        filesystems=node.filesystems,
        disk_read_bytes_per_second=node.disk_read_bytes_per_second,
        disk_written_bytes_per_second=node.disk_written_bytes_per_second,
        network_received_bytes_per_second=node.network_received_bytes_per_second,
        network_sent_bytes_per_second=node.network_sent_bytes_per_second,
        booted_at=node.booted_at,
        slurm=node.slurm,
        gpus=node.gpus,
        exporters=node.exporters,
        sampled_at=node.sampled_at,
        is_stale=node.is_stale,
    )


def _alert(alert: Alert) -> AlertShape:
    return AlertShape(
        alert.name, alert.state, alert.severity, alert.node, alert.summary, dict(alert.labels), alert.since
    )

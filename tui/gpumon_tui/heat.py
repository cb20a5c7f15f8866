"""What one cell of the heatmap says about one GPU, in fifteen levels that are legible without colour too."""

from __future__ import annotations

from gpumon.model import ClusterSnapshot, Gpu, Node
from gpumon.settings import Thresholds

FREE, IDLE_HELD, ALARM, LOST, UNKNOWN = 10, 11, 12, 13, 14
"""The levels above the ten of utilization."""

SIGNS = "0123456789·z!×?"
"""The character of each level."""

STYLES = (*(f"heat--{name}" for name in (*range(10), "free", "idle", "alarm", "lost", "unknown")),)
"""The component class of each level."""

LEGEND = (
    (FREE, "free"),
    (IDLE_HELD, "idle, held"),
    (5, "busy 0-9"),
    (ALARM, "see to it"),
    (LOST, "lost"),
    (UNKNOWN, "unknown"),
)
"""What the signs mean, in the order in which the legend shows them."""


def level_of(gpu: Gpu, thresholds: Thresholds) -> int:
    """The level of one GPU: what needs a person comes first, then silence, then how busy it is."""
    if gpu.is_stale:
        return LOST
    if needs_a_person(gpu, thresholds):
        return ALARM
    share = gpu.utilization
    if share is None:
        return UNKNOWN
    if share < thresholds.idle_share and gpu.jobs is not None:
        return IDLE_HELD if gpu.jobs else FREE
    return max(0, min(9, int(share * 10)))


def needs_a_person(gpu: Gpu, thresholds: Thresholds) -> bool:
    """True for a GPU with an XID error, a failed row remap, or a dangerous temperature."""
    detail, celsius = gpu.detail, gpu.temperature_celsius
    xid = detail.xid if detail.xid_recent is None else detail.xid_recent
    is_hot = celsius is not None and celsius >= thresholds.temperature_critical_celsius
    return bool(xid) or bool(detail.row_remap_failed) or is_hot


def cells_of(node: Node, snapshot: ClusterSnapshot, thresholds: Thresholds) -> bytes:
    """One level per GPU of a node; GPUs that Slurm has configured and nobody sees are lost."""
    seen = bytes(level_of(gpu, thresholds) for gpu in snapshot.gpus_of(node.name))
    configured = int(node.slurm.gpus_total or 0) if node.slurm else 0
    return seen + bytes([LOST]) * max(0, configured - len(seen))


def mean_utilization(node: Node, snapshot: ClusterSnapshot) -> float | None:
    """Of the node's GPUs that tell theirs."""
    known = [gpu.utilization for gpu in snapshot.gpus_of(node.name) if gpu.utilization is not None and not gpu.is_stale]
    return sum(known) / len(known) if known else None

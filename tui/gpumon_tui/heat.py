"""What one cell of the heatmap says about one GPU, in levels that are legible without colour too."""

from __future__ import annotations

from gpumon.model import ClusterSnapshot, Gpu, Node
from gpumon.settings import Thresholds

LEVELS = 10
"""Of a number, from its lowest to its highest."""
FREE, IDLE_HELD, ALARM, LOST, UNKNOWN = range(LEVELS, LEVELS + 5)
"""The levels above those of a number."""

SIGNS = "0123456789·z!×?"
"""The character of each level."""

STYLES = (*(f"heat--{name}" for name in (*range(LEVELS), "free", "idle", "alarm", "lost", "unknown")),)
"""The component class of each level; those of a number, as far as it is utilization."""


def urgent_level(gpu: Gpu, thresholds: Thresholds) -> int | None:
    """Silence, then what needs a person: they come before any number; None when there is neither."""
    if gpu.is_stale:
        return LOST
    return ALARM if needs_a_person(gpu, thresholds) else None


def use_level(gpu: Gpu, thresholds: Thresholds) -> int:
    """How busy a GPU is, and whether somebody holds one that is not."""
    share = gpu.utilization
    if share is None:
        return UNKNOWN
    if share < thresholds.idle_share and gpu.jobs is not None:
        return IDLE_HELD if gpu.jobs else FREE
    return tenths(share)


def tenths(share: float | None) -> int:
    """The level of a share."""
    return UNKNOWN if share is None else max(0, min(LEVELS - 1, int(share * LEVELS)))


def needs_a_person(gpu: Gpu, thresholds: Thresholds) -> bool:
    """True for a GPU with an XID error, a failed row remap, or a dangerous temperature."""
    detail, celsius = gpu.detail, gpu.temperature_celsius
    xid = detail.xid if detail.xid_recent is None else detail.xid_recent
    is_hot = celsius is not None and celsius >= thresholds.temperature_critical_celsius
    return bool(xid) or bool(detail.row_remap_failed) or is_hot


def unseen(node: Node, snapshot: ClusterSnapshot) -> int:
    """How many GPUs Slurm has configured on a node that nobody sees."""
    configured = int(node.slurm.gpus_total or 0) if node.slurm else 0
    return max(0, configured - len(snapshot.gpus_of(node.name)))

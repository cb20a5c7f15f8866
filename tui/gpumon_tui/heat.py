"""What one cell of the heatmap says about one GPU, in levels that are legible without colour too."""

from __future__ import annotations

from typing import TypeAlias

from gpumon.model import Gpu, Node
from gpumon.settings import Thresholds

Cell: TypeAlias = "tuple[str, str]"
"""The sign of one GPU and the component class of its colour."""
LEVELS = 10
"""Of a number, from its lowest to its highest."""
FREE, IDLE_HELD, ALARM, LOST, UNKNOWN = range(LEVELS, LEVELS + 5)
"""The levels above those of a number."""

SIGNS = "0123456789·z!×?"
"""The character of each level."""

STYLES = (*(f"heat--{name}" for name in (*range(LEVELS), "free", "idle", "alarm", "lost", "unknown")),)
"""The component class of each level; those of a number, as far as it is utilization."""


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
    if share is None:
        return UNKNOWN
    level = int(share * LEVELS)
    return level if 0 <= level < LEVELS else 0 if level < 0 else LEVELS - 1


def needs_a_person(gpu: Gpu, thresholds: Thresholds) -> bool:
    """True for a GPU with an XID error, a failed row remap, or a dangerous temperature."""
    detail, celsius = gpu.detail, gpu.temperature_celsius
    if celsius is not None and celsius >= thresholds.temperature_critical_celsius:
        return True
    return bool(detail.xid if detail.xid_recent is None else detail.xid_recent) or detail.row_remap_failed is True


def unseen(node: Node, seen: int) -> int:
    """How many GPUs Slurm has configured on a node beyond those that are seen."""
    configured = int(node.slurm.gpus_total or 0) if node.slurm else 0
    return max(0, configured - seen)

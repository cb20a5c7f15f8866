"""What Grafana shows: a dashboard each for the cluster, a node, GPUs and Slurm, built as Grafana's own JSON."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from gpumon_setup.dashboards import cluster, gpu, node, slurm
from gpumon_setup.dashboards.dashboard import Dashboard
from gpumon_setup.dashboards.panel import SOURCE_UID

DASHBOARDS: tuple[Dashboard, ...] = (cluster.DASHBOARD, node.DASHBOARD, gpu.DASHBOARD, slurm.DASHBOARD)
"""The first is the page that Grafana opens with."""


@cache
def dashboard_files() -> Mapping[str, bytes]:
    """Each dashboard by its file's name."""
    return {f"{dashboard.uid}.json": dashboard.encoded() for dashboard in DASHBOARDS}


__all__ = ["DASHBOARDS", "SOURCE_UID", "Dashboard", "dashboard_files"]

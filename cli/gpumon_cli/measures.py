"""The measures that a condition of `gpumon status --warn/--crit` can name, with their meaning and unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from gpumon.totals import ClusterTotals


class Measure(msgspec.Struct, frozen=True):
    """One number of the cluster, in the unit in which people type it."""

    meaning: str
    value: Callable[[ClusterTotals], float | None]
    """None when nothing tells."""
    unit: str = ""
    """Behind the number in performance data: "%", or "" for a count and for what the guidelines have no letter for."""
    most: str = ""
    """The largest possible value in performance data."""


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


MEASURES: Mapping[str, Measure] = {
    "gpus": Measure("GPUs and MIG slices that are known", lambda told: told.gpus),
    "allocated": Measure("GPUs held by a job", lambda told: told.gpus_allocated),
    "free": Measure("GPUs held by nobody", lambda told: told.gpus_free),
    "busy": Measure("GPUs that work", lambda told: told.gpus_busy),
    "idle": Measure("GPUs held by a job that do not work", lambda told: told.gpus_idle),
    "hot": Measure("GPUs above the temperature threshold", lambda told: told.gpus_hot),
    "xid": Measure("GPUs with an XID error", lambda told: told.gpus_with_xid),
    "lost": Measure("GPUs that are silent, or that Slurm has and no exporter tells of", lambda told: told.gpus_lost),
    "stale": Measure("GPUs whose exporter is silent", lambda told: told.gpus_stale),
    "util": Measure("mean utilization in percent", lambda told: _percent(told.utilization_share), "%", "100"),
    "mem": Measure("framebuffer in use in percent", lambda told: _percent(told.memory_share), "%", "100"),
    "power": Measure("draw of all GPUs in watts", lambda told: told.power_watts),
    "temp": Measure("the hottest GPU in °C", lambda told: told.temperature_max_celsius),
    "nodes": Measure("nodes that are known", lambda told: told.nodes),
    "down": Measure("nodes that Slurm takes no jobs on: down, drained, failing", lambda told: told.nodes_out_of_use),
    "silent": Measure("nodes of which no exporter tells any more", lambda told: told.nodes_silent),
    "targets": Measure("scrape targets that are down", lambda told: told.targets_down),
    "running": Measure("running jobs", lambda told: told.jobs_running),
    "pending": Measure("pending jobs", lambda told: told.jobs_pending),
    "alerts": Measure("firing alerts of Prometheus' rules", lambda told: told.alerts_firing),
}
"""By the key that people type; docs/exit-codes.md lists the same."""

"""Which numbers are coloured, and why: one tone per meaning, the same in every table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from gpumon.model import (
    AccountUsage,
    Alert,
    ClusterSnapshot,
    Gpu,
    Job,
    Node,
    NodeSlurm,
    Partition,
    Severity,
    Target,
    UserUsage,
)
from gpumon.settings import Thresholds
from gpumon.usage import job_usage

GpuTone: TypeAlias = Callable[[Gpu, ClusterSnapshot], str]
NodeTone: TypeAlias = Callable[[Node, ClusterSnapshot], str]
JobTone: TypeAlias = Callable[[Job, ClusterSnapshot], str]

_BAD_STATES = {"down", "fail", "failing", "error", "not_responding"}


def heat_tone(celsius: float | None, thresholds: Thresholds) -> str:
    """Of a temperature."""
    if celsius is None or celsius < thresholds.temperature_celsius:
        return ""
    return "bad" if celsius >= thresholds.temperature_critical_celsius else "warn"


def use_tone(gpu: Gpu, thresholds: Thresholds) -> str:
    """Of a GPU's utilization: quiet when it is free, a warning when somebody holds it for nothing."""
    if gpu.utilization is None:
        return ""
    if gpu.utilization >= thresholds.idle_share:
        return "good"
    return "warn" if gpu.jobs else "quiet"


def gpu_tones(thresholds: Thresholds) -> Mapping[str, GpuTone]:
    """For the table of GPUs."""
    return {
        "util": lambda gpu, _: use_tone(gpu, thresholds),
        "temp": lambda gpu, _: heat_tone(gpu.temperature_celsius, thresholds),
        "xid": lambda gpu, _: "bad" if gpu.detail.xid else "quiet",
        "model": lambda _, __: "quiet",
        "total": lambda _, __: "quiet",
        "age": lambda _, __: "quiet",
    }


def state_tone(node: Node) -> str:
    """Of a node's Slurm state."""
    return "" if node.slurm is None else _state_tone(node.slurm.state, node.slurm.flags)


@lru_cache(maxsize=1024)
def _state_tone(state: str | None, flags: tuple[str, ...]) -> str:
    if not NodeSlurm(state=state, flags=flags).is_out_of_use:
        return ""
    return "bad" if {state or "", *flags} & _BAD_STATES else "warn"


def _above(share: float | None, limit: float) -> str:
    return "warn" if share is not None and share >= limit else ""


def node_tones(thresholds: Thresholds) -> Mapping[str, NodeTone]:
    """For the table of nodes."""
    return {
        "node": lambda node, _: state_tone(node),
        "state": lambda node, _: state_tone(node),
        "reason": lambda node, _: state_tone(node),
        "mem": lambda node, _: _above(node.memory_used_share, thresholds.memory_share),
        "disk": lambda node, _: _above(node.disk_used_share, thresholds.disk_share),
        "uptime": lambda _, __: "quiet",
        "age": lambda _, __: "quiet",
    }


def _job_tone(job: Job, _: ClusterSnapshot) -> str:
    return {"running": "good", "pending": "warn", "failed": "bad", "timeout": "bad"}.get(job.state, "quiet")


def job_tones(thresholds: Thresholds) -> Mapping[str, JobTone]:
    """For the table of jobs."""

    def use(job: Job, snapshot: ClusterSnapshot) -> str:
        if job.state == "pending":
            return "warn"
        share = job_usage(job, snapshot).mean_utilization
        return "" if share is None else "good" if share >= thresholds.idle_share else "warn"

    return {
        "state": _job_tone,
        "util": use,
        "idle": lambda _, __: "warn",
        "wasted": lambda _, __: "warn",
        "qos": lambda _, __: "quiet",
        "account": lambda _, __: "quiet",
    }


NO_PARTITION_TONES: Mapping[str, Callable[[Partition, ClusterSnapshot], str]] = {}
NO_USER_TONES: Mapping[str, Callable[[UserUsage, ClusterSnapshot], str]] = {}
NO_ACCOUNT_TONES: Mapping[str, Callable[[AccountUsage, ClusterSnapshot], str]] = {}


def _alert_tone(alert: Alert, _: ClusterSnapshot) -> str:
    if alert.state != "firing":
        return "quiet"
    return "bad" if alert.severity in ("critical", "error", "page") else "warn"


ALERT_TONES: Mapping[str, Callable[[Alert, ClusterSnapshot], str]] = {
    "state": _alert_tone,
    "severity": _alert_tone,
    "alert": _alert_tone,
}


def _target_tone(target: Target, _: ClusterSnapshot) -> str:
    return {"up": "good", "down": "bad"}.get(target.health, "quiet")


TARGET_TONES: Mapping[str, Callable[[Target, ClusterSnapshot], str]] = {
    "health": _target_tone,
    "error": lambda target, _: "bad" if target.last_error else "",
}

SEVERITY_TONES: Mapping[Severity, str] = {Severity.NOTE: "quiet", Severity.WARNING: "warn", Severity.ERROR: "bad"}
"""Of findings and problems."""

SEVERITY_SIGNS: Mapping[Severity, str] = {Severity.NOTE: "·", Severity.WARNING: "!", Severity.ERROR: "✗"}
"""The same without colour."""

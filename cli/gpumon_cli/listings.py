"""`gpumon gpus | nodes | jobs | idle | alerts`: where their rows come from, and what is known about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs

from gpumon.columns import ALERT_COLUMNS, GPU_COLUMNS, JOB_COLUMNS, NODE_COLUMNS, Column
from gpumon.model import Alert, Gpu, Node
from gpumon.settings import Settings
from gpumon.source import Parts
from gpumon_cli import shapes
from gpumon_cli.answers import Put
from gpumon_cli.arguments import Options
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.idle_listing import IDLE_COLUMNS, idle_listing
from gpumon_cli.jobs import jobs_listing
from gpumon_cli.listing import Listing, put_rows
from gpumon_cli.terminal import Terminal


def _stale_is_dim(row: Gpu | Node) -> str:
    return "dim" if row.is_stale else ""


def _fires(rows: Sequence[Alert]) -> ExitCode:
    return ExitCode.FINDINGS if any(alert.state == "firing" for alert in rows) else ExitCode.OK


_SHORT = {"model": 12}
"""Widths that do in a shell: a model is told by its beginning."""

GPUS: Listing[Gpu] = Listing(
    name="gpus",
    columns=GPU_COLUMNS,
    rows=lambda snapshot: snapshot.gpus or None,
    parts=Parts.GPUS | Parts.JOBS | Parts.IDLE,
    concerns=("gpus", "jobs", "slurm"),
    table=tuple(structs.replace(column, width=_SHORT.get(column.key, column.width)) for column in GPU_COLUMNS),
    spare=("total", "dram", "tensor", "age", "sm", "xid", "used", "known", "account", "model", "job", "idle", "power"),
    answer=shapes.gpus_answer,
    belongs=lambda gpu: gpu.device.node,
    style=_stale_is_dim,
)
NODES: Listing[Node] = Listing(
    name="nodes",
    columns=NODE_COLUMNS,
    rows=lambda snapshot: snapshot.nodes or None,
    parts=Parts.NODES | Parts.GPUS | Parts.SLURM,
    concerns=("nodes", "slurm", "gpus"),
    spare=("age", "uptime", "rx", "tx", "load", "disk", "reason"),
    answer=shapes.nodes_answer,
    belongs=lambda node: node.name,
    style=_stale_is_dim,
)
ALERTS: Listing[Alert] = Listing(
    name="alerts",
    columns=ALERT_COLUMNS,
    rows=lambda snapshot: snapshot.alerts,
    parts=Parts.ALERTS,
    concerns=("alerts",),
    spare=("since", "severity", "node"),
    answer=shapes.alerts_answer,
    style=lambda alert: "" if alert.state != "firing" else "bold red" if alert.severity == "critical" else "yellow",
    code=_fires,
)


_COLUMNS: Mapping[str, Sequence[Column[Any]]] = {
    "gpus": GPU_COLUMNS,
    "nodes": NODE_COLUMNS,
    "jobs": JOB_COLUMNS,
    "idle": IDLE_COLUMNS,
    "alerts": ALERT_COLUMNS,
}


def columns_help(name: str) -> str:
    """The columns of a listing, for its --help."""
    keys = ", ".join(column.key for column in _COLUMNS[name])
    return f"columns (for --columns, --filter and --sort):\n  {keys}"


def put_listing(options: Options, settings: Settings, screen: Terminal) -> tuple[Put, Parts]:
    """How a snapshot becomes the answer that was asked for, and which parts of one it takes.

    Raises:
        UsageError: what was typed cannot be meant.
    """
    if options.command == "gpus":
        return put_rows(GPUS, options, settings, screen), GPUS.parts
    if options.command == "nodes":
        return put_rows(NODES, options, settings, screen), NODES.parts
    if options.command == "jobs":
        jobs = jobs_listing(options, settings, screen)
        return put_rows(jobs, options, settings, screen), jobs.parts
    if options.command == "idle":
        idle = idle_listing(options, settings)
        return put_rows(idle, options, settings, screen), idle.parts
    return put_rows(ALERTS, options, settings, screen), ALERTS.parts

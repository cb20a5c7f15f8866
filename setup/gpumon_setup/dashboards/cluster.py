"""The whole cluster on one page."""

from __future__ import annotations

from gpumon_setup.dashboards import dashboard
from gpumon_setup.dashboards.dashboard import Dashboard
from gpumon_setup.dashboards.panel import Query, heading, lines, number
from gpumon_setup.dashboards.promql import (
    CLUSTER,
    busy,
    gpu,
    held_and_idle,
    jobs_running,
    jobs_waiting,
    memory_share,
    node_cpu_busy,
    node_gpus,
    node_memory_share,
)
from gpumon_setup.dashboards.table import Column, table

_GPUS = f"sum({node_gpus('gpumon_node_gpus', CLUSTER)})"
_ALLOCATED = f"sum({node_gpus('gpumon_node_gpus_allocated', CLUSTER)})"
_NODES = f"max by (cluster, node, state, flags) (gpumon_node_info{{{CLUSTER}}})"
_UNFIT = " or ".join(
    f"max by (cluster, node) (gpumon_node_info{{{CLUSTER},{unfit}}})"
    for unfit in ('state=~"down|error|unknown"', 'flags=~"(.*[+])?(drain|fail|not_responding|invalid_reg)([+].*)?"')
)
_POWER = gpu("DCGM_FI_DEV_POWER_USAGE", CLUSTER)
_TEMPERATURE = gpu("DCGM_FI_DEV_GPU_TEMP", CLUSTER)
_IDLE_ABOUT = "Cards that a job has held for ten minutes, and that did less than 5 % in them."

DASHBOARD = Dashboard(
    "gpumon-cluster",
    "Cluster",
    "How busy the GPUs are, who could have more, and what is broken.",
    (dashboard.CLUSTER,),
    (
        number("GPUs", "none", Query(_GPUS), about="As Slurm has them configured; a MIG slice is one."),
        number("GPUs in jobs", "none", Query(_ALLOCATED)),
        number("Mean load of GPUs", "percentunit", Query(f"avg({busy(CLUSTER)})")),
        number("Held and idle", "none", Query(held_and_idle(CLUSTER)), about=_IDLE_ABOUT, warns_from=1),
        number("GPU power", "watt", Query(f"sum({_POWER})")),
        number("Hottest GPU", "celsius", Query(f"max({_TEMPERATURE})"), warns_from=85),
        number("Jobs running", "none", Query(f"sum({jobs_running(CLUSTER)})")),
        number("Jobs waiting", "none", Query(f"sum({jobs_waiting(CLUSTER)})")),
        number("Nodes", "none", Query(f"count({_NODES})")),
        number(
            "Nodes out of work",
            "none",
            Query(f"count({_UNFIT}) or 0 * count({_NODES})"),
            about="Down, drained, failing or silent, as Slurm says.",
            warns_from=1,
        ),
        number(
            "Exporters silent",
            "none",
            Query(f"count(up{{{CLUSTER}}} == 0) or 0 * count(up{{{CLUSTER}}})"),
            warns_from=1,
        ),
        number("GPU memory in use", "percentunit", Query(f"avg({memory_share(CLUSTER)})")),
        heading("GPUs"),
        lines(
            "Load",
            "percentunit",
            Query(f"avg({busy(CLUSTER)})", "mean"),
            *(Query(f"quantile({share / 100}, {busy(CLUSTER)})", f"{share} % are below") for share in (10, 50, 90)),
            most=1,
        ),
        lines("In jobs", "none", Query(_GPUS, "there are"), Query(_ALLOCATED, "in jobs"),
              Query(held_and_idle(CLUSTER), "held and idle"), about=_IDLE_ABOUT),
        lines("Memory in use", "percentunit", Query(f"avg by (node) ({memory_share(CLUSTER)})", "{{node}}"), most=1),
        lines("Load by node", "percentunit", Query(f"avg by (node) ({busy(CLUSTER)})", "{{node}}"), most=1),
        lines("Power", "watt", Query(f"sum by (node) ({_POWER})", "{{node}}"), is_stacked=True),
        lines("Temperature", "celsius", Query(f"max({_TEMPERATURE})", "hottest"),
              Query(f"avg({_TEMPERATURE})", "mean")),
        heading("Nodes"),
        table(
            "Nodes",
            {"cluster": "Cluster", "node": "Node", "state": "State", "flags": "Besides"},
            (
                Column("", _NODES, is_hidden=True),
                Column("GPUs", node_gpus("gpumon_node_gpus", CLUSTER)),
                Column("In jobs", node_gpus("gpumon_node_gpus_allocated", CLUSTER)),
                Column("GPU load", f"avg by (cluster, node) ({busy(CLUSTER)})", "percentunit", is_share=True),
                Column("GPU memory", f"avg by (cluster, node) ({memory_share(CLUSTER)})", "percentunit", is_share=True),
                Column("GPU power", f"sum by (cluster, node) ({_POWER})", "watt"),
                Column("Hottest", f"max by (cluster, node) ({_TEMPERATURE})", "celsius"),
                Column("CPU load", node_cpu_busy(CLUSTER), "percentunit", is_share=True),
                Column("Memory", node_memory_share(CLUSTER), "percentunit", is_share=True),
            ),
            links={"Node": "/d/gpumon-node?var-node=${__value.text:percentencode}&${__url_time_range}"},
            sorted_by="Node",
            height=12,
        ),
        heading("Alerts"),
        table(
            "Alerts that fire",
            {"alertname": "Alert", "severity": "Severity", "node": "Node", "gpu": "GPU", "instance": "Exporter"},
            (
                Column(
                    "",
                    "max by (alertname, severity, node, gpu, instance) "
                    f'(ALERTS{{{CLUSTER},alertstate="firing"}})',
                    is_hidden=True,
                ),
            ),
            empty="none",
        ),
    ),
)  # fmt: skip

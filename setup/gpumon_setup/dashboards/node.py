"""One node: its cores, memory, disks and network, its GPUs, and the jobs on it."""

from __future__ import annotations

from gpumon_setup.dashboards import dashboard
from gpumon_setup.dashboards.dashboard import Dashboard, Variable
from gpumon_setup.dashboards.panel import Query, heading, lines, number
from gpumon_setup.dashboards.promql import (
    NODE,
    RATE,
    REAL_DISKS,
    WHICH_GPU,
    busy,
    gpu,
    held_by,
    memory_share,
    node_cpu_busy,
    node_gpus,
    node_memory_share,
    node_rate,
)
from gpumon_setup.dashboards.table import Column, table

_CORES = f'count by (cluster, node) (node_cpu_seconds_total{{{NODE},mode="idle"}})'
_FULL = (
    f"1 - max by (cluster, node, mountpoint) (node_filesystem_avail_bytes{{{NODE},{REAL_DISKS}}})"
    f" / max by (cluster, node, mountpoint) (node_filesystem_size_bytes{{{NODE},{REAL_DISKS}}})"
)


def _slurm(metric: str) -> str:
    return f"max by (cluster, node) ({metric}{{{NODE}}})"


DASHBOARD = Dashboard(
    "gpumon-node",
    "Node",
    "One node: cores, memory, disks, network, GPUs, and the jobs on it.",
    (
        dashboard.CLUSTER,
        Variable("node", "Node", 'up{cluster=~"$cluster",node!=""}', has_all=False),
    ),
    (
        number("Up since", "s", Query(f"time() - max by (cluster, node) (node_boot_time_seconds{{{NODE}}})")),
        number("Cores", "none", Query(_CORES)),
        number("Memory", "bytes", Query(f"max by (cluster, node) (node_memory_MemTotal_bytes{{{NODE}}})")),
        number("GPUs", "none", Query(node_gpus("gpumon_node_gpus", NODE)), about="As Slurm has them configured."),
        number("GPUs in jobs", "none", Query(node_gpus("gpumon_node_gpus_allocated", NODE))),
        number("GPU power", "watt", Query(f"sum by (cluster, node) ({gpu('DCGM_FI_DEV_POWER_USAGE', NODE)})")),
        table(
            "State in Slurm",
            {"state": "State", "flags": "Besides", "reason": "Reason", "reason_user": "Set by", "features": "Features"},
            (
                Column(
                    "",
                    f"max by (state, flags, reason, reason_user, features) (gpumon_node_info{{{NODE}}})",
                    is_hidden=True,
                ),
            ),
            height=4,
        ),
        heading("GPUs"),
        lines("GPU load", "percentunit", Query(busy(NODE), WHICH_GPU), most=1),
        lines("GPU memory in use", "percentunit", Query(memory_share(NODE), WHICH_GPU), most=1),
        lines("GPU temperature", "celsius", Query(gpu("DCGM_FI_DEV_GPU_TEMP", NODE), WHICH_GPU)),
        lines("GPU power", "watt", Query(gpu("DCGM_FI_DEV_POWER_USAGE", NODE), WHICH_GPU), is_stacked=True),
        table(
            "Jobs on its GPUs",
            {"job_id": "Job", "user": "User", "account": "Account", "partition": "Partition"},
            (
                Column("GPUs", f"sum by (job_id, user, account, partition) (max by (job_id, user, account, partition, "
                               f"node, gpu) (gpumon_job_gpu{{{NODE}}}))"),
                Column("GPU load", f"avg by (job_id, user, account, partition) ({held_by(busy(NODE), NODE)})",
                       "percentunit", is_share=True),
            ),
            about="Of a card that several jobs share, each job has the load of the whole card.",
            empty="none",
            height=8,
        ),
        heading("Cores and memory"),
        lines("Cores busy", "percentunit", Query(node_cpu_busy(NODE), "busy"),
              Query(f'avg by (cluster, node) (rate(node_cpu_seconds_total{{{NODE},mode="iowait"}}{RATE}))',
                    "waiting for disks"), most=1),
        lines("Processes that want a core", "none",
              *(Query(f"max by (cluster, node) (node_load{minutes}{{{NODE}}})", f"mean of {minutes} min")
                for minutes in (1, 15)),
              Query(_CORES, "cores"), Query(_slurm("gpumon_node_cpus_allocated"), "CPUs in jobs")),
        lines("Memory in use", "percentunit", Query(node_memory_share(NODE), "in use"), most=1),
        lines("Memory of jobs", "bytes", Query(_slurm("gpumon_node_memory_bytes"), "Slurm gives out"),
              Query(_slurm("gpumon_node_memory_allocated_bytes"), "in jobs")),
        heading("Disks and network"),
        lines("Disks full", "percentunit", Query(_FULL, "{{mountpoint}}"), most=1),
        lines("Disks", "Bps", Query(node_rate("disk_read_bytes_per_second"), "read"),
              Query(node_rate("disk_written_bytes_per_second"), "written")),
        lines("Network", "Bps", Query(node_rate("network_received_bytes_per_second"), "received"),
              Query(node_rate("network_sent_bytes_per_second"), "sent")),
        lines("Clock", "s", Query(f"abs(max by (cluster, node) (node_timex_offset_seconds{{{NODE}}}))", "off by"),
              about="munge refuses what is off by minutes."),
    ),
)  # fmt: skip

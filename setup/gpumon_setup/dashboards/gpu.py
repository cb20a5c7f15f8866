"""GPUs: load, memory, heat and power, links, and what goes wrong in them."""

from __future__ import annotations

from gpumon_setup.dashboards import dashboard
from gpumon_setup.dashboards.dashboard import Dashboard, Variable
from gpumon_setup.dashboards.panel import Panel, Query, heading, lines, number
from gpumon_setup.dashboards.promql import (
    BY_GPU,
    GPU,
    NODE,
    RATE,
    WHICH_GPU,
    busy,
    gpu,
    held_by,
    memory_share,
    memory_total,
)
from gpumon_setup.dashboards.table import Column, table

_MIB = 2**20


def _lines(
    title: str, unit: str, metric: str, *, factor: str = "", most: float | None = None, about: str = ""
) -> Panel:
    """One number of each card."""
    return lines(title, unit, Query(f"{gpu(metric, GPU)}{factor}", WHICH_GPU), most=most, about=about, width=8)


def _grown(metric: str, factor: str = "") -> str:
    """By how much a counter grew, per second."""
    return f"max by ({BY_GPU}) (rate({metric}{{{GPU}}}{RATE})){factor}"


DASHBOARD = Dashboard(
    "gpumon-gpu",
    "GPU",
    "Each card: load, memory, heat and power, links, and errors.",
    (
        dashboard.CLUSTER,
        Variable("node", "Node", 'DCGM_FI_DEV_FB_USED{cluster=~"$cluster"}'),
        Variable("gpu", "GPU", f"DCGM_FI_DEV_FB_USED{{{NODE}}}"),
    ),
    (
        number("GPUs that tell", "none", Query(f"count({gpu('DCGM_FI_DEV_FB_USED', GPU)})"),
               about="Cards and MIG slices of which dcgm-exporter says something."),
        number("Mean load", "percentunit", Query(f"avg({busy(GPU)})")),
        number("Memory in use", "bytes", Query(f"sum({gpu('DCGM_FI_DEV_FB_USED', GPU)}) * {_MIB}")),
        number("Memory", "bytes", Query(f"sum({memory_total(GPU)}) * {_MIB}")),
        number("Power", "watt", Query(f"sum({gpu('DCGM_FI_DEV_POWER_USAGE', GPU)})")),
        number("Energy", "joule", Query(
            f"sum(max by ({BY_GPU}) (increase(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{GPU}}}[$__range]))) / 1000"),
            about="Within the time that is shown."),
        heading("Load"),
        lines("Load", "percentunit", Query(busy(GPU), WHICH_GPU), most=1, width=8,
              about="The share of time in which anything ran at all."),
        _lines("Multiprocessors active", "percentunit", "DCGM_FI_PROF_SM_ACTIVE", most=1,
               about="How much of the card worked. Needs profiling."),
        _lines("Tensor cores active", "percentunit", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", most=1),
        _lines("Multiprocessors occupied", "percentunit", "DCGM_FI_PROF_SM_OCCUPANCY", most=1),
        _lines("Memory interface active", "percentunit", "DCGM_FI_PROF_DRAM_ACTIVE", most=1),
        lines("Memory in use", "percentunit", Query(memory_share(GPU), WHICH_GPU), most=1, width=8),
        table(
            "Who holds them",
            {"node": "Node", "gpu": "Slurm's number", "UUID": "UUID", "GPU_I_ID": "MIG", "job_id": "Job",
             "user": "User", "account": "Account", "partition": "Partition"},
            (Column("Load", held_by(busy(NODE), NODE), "percentunit", is_share=True),),
            about="Of all GPUs of the chosen nodes. Of a card that several jobs share, each has the load of the whole.",
            empty="nobody",
            sorted_by="Load",
        ),
        heading("Heat and power"),
        _lines("Temperature", "celsius", "DCGM_FI_DEV_GPU_TEMP"),
        _lines("Temperature of the memory", "celsius", "DCGM_FI_DEV_MEMORY_TEMP"),
        lines("Power", "watt", Query(gpu("DCGM_FI_DEV_POWER_USAGE", GPU), WHICH_GPU),
              Query(f"max({gpu('DCGM_FI_DEV_POWER_MGMT_LIMIT', GPU)})", "highest limit"), width=8),
        _lines("Clock", "hertz", "DCGM_FI_DEV_SM_CLOCK", factor=" * 1e6"),
        _lines("Clock of the memory", "hertz", "DCGM_FI_DEV_MEM_CLOCK", factor=" * 1e6"),
        lines("Slowed down", "percentunit",
              Query(_grown("DCGM_FI_DEV_POWER_VIOLATION", " / 1e9"), f"{WHICH_GPU} for power"),
              Query(_grown("DCGM_FI_DEV_THERMAL_VIOLATION", " / 1e9"), f"{WHICH_GPU} for heat"),
              width=8, about="The share of time in which a limit held a card back."),
        heading("Links"),
        _lines("Sent by PCIe", "Bps", "DCGM_FI_PROF_PCIE_TX_BYTES"),
        _lines("Received by PCIe", "Bps", "DCGM_FI_PROF_PCIE_RX_BYTES"),
        lines("NVLink", "Bps", Query(gpu("DCGM_FI_PROF_NVLINK_TX_BYTES", GPU), f"{WHICH_GPU} sent"),
              Query(gpu("DCGM_FI_PROF_NVLINK_RX_BYTES", GPU), f"{WHICH_GPU} received"), width=8),
        heading("Errors"),
        table(
            "XID errors",
            {"node": "Node", "gpu": "GPU", "UUID": "UUID"},
            (Column("Last XID", f"max by (node, gpu, UUID) (DCGM_FI_DEV_XID_ERRORS{{{GPU}}}) > 0"),),
            about="The last one of each card since its driver started; it stays until then.",
            empty="none",
            height=8,
            width=12,
        ),
        lines("XID errors lately", "none",
              Query(f"max by ({BY_GPU}, xid) (DCGM_EXP_XID_ERRORS_COUNT{{{GPU}}})", f"{WHICH_GPU} XID {{{{xid}}}}")),
        lines("ECC errors", "none",
              Query(f"max by ({BY_GPU}) (increase(DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{{{GPU}}}[1h]))",
                    f"{WHICH_GPU} not corrected"),
              Query(f"max by ({BY_GPU}) (increase(DCGM_FI_DEV_ECC_SBE_VOL_TOTAL{{{GPU}}}[1h])) > 0",
                    f"{WHICH_GPU} corrected"), width=8, about="Within an hour."),
        lines("Remapped rows", "none",
              Query(f"{gpu('DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS', GPU)}", f"{WHICH_GPU} not correctable"),
              Query(f"{gpu('DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS', GPU)} > 0", f"{WHICH_GPU} correctable"),
              width=8, about="Parts of the memory that were taken out of use."),
        lines("PCIe replays", "none",
              Query(f"max by ({BY_GPU}) (increase(DCGM_FI_DEV_PCIE_REPLAY_COUNTER{{{GPU}}}[1h]))", WHICH_GPU),
              width=8, about="Within an hour."),
    ),
)  # fmt: skip

"""A GPU node as dcgm-exporter 4.x tells it: the stock counters, and those that a good counters file adds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gpumon.model import Attribution, Gpu
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page, escaped
from gpumon_demo.inventory import MIB, Host

_XID_WINDOW = "300000"
_REASON_BITS = {"power cap": 0x4, "software thermal": 0x20, "hardware thermal": 0x40}
_IDLE_BIT = 0x1


class Counter(NamedTuple):
    """One line of the counters file."""

    metric: str
    kind: str
    help: str
    told: Callable[[Gpu], str | None]
    """The value's text; None where dcgm-exporter has no line for that GPU."""


def _whole(value: float | None) -> str | None:
    return None if value is None else str(round(value))


def _percent(value: float | None) -> str | None:
    return None if value is None else str(round(value * 100))


def _mib(value: float | None) -> str | None:
    return None if value is None else str(round(value / MIB))


def _ratio(value: float | None) -> str | None:
    return None if value is None else f"{value:.6f}"


def _flag(value: bool | None) -> str | None:  # noqa: FBT001  it is a value that is written, not a switch
    return None if value is None else str(int(value))


def _reserved(gpu: Gpu) -> str | None:
    total, used, free = gpu.device.memory_total_bytes, gpu.memory_used_bytes, gpu.detail.memory_free_bytes
    return None if total is None or used is None or free is None else _mib(total - used - free)


def _reasons(gpu: Gpu) -> str | None:
    reasons = gpu.detail.throttle_reasons
    if reasons is None:
        return None
    return str(sum(_REASON_BITS[reason] for reason in reasons) or (0 if gpu.engine_active else _IDLE_BIT))


_STOCK: tuple[tuple[str, str, str, Callable[[Gpu], str | None]], ...] = (
    ("SM_CLOCK", "gauge", "SM clock frequency (in MHz).", lambda gpu: _whole(gpu.detail.sm_clock_megahertz)),
    ("MEM_CLOCK", "gauge", "Memory clock frequency (in MHz).", lambda gpu: _whole(gpu.detail.memory_clock_megahertz)),
    ("MEMORY_TEMP", "gauge", "Memory temperature (in C).",
     lambda gpu: _whole(gpu.detail.memory_temperature_celsius or 0.0)),
    ("GPU_TEMP", "gauge", "GPU temperature (in C).", lambda gpu: _whole(gpu.temperature_celsius)),
    ("POWER_USAGE", "gauge", "Power draw (in W).", lambda gpu: _ratio(gpu.power_watts)),
    ("TOTAL_ENERGY_CONSUMPTION", "counter", "Total energy consumption since boot (in mJ).",
     lambda gpu: _whole((gpu.detail.energy_joules or 0.0) * 1000)),
    ("PCIE_REPLAY_COUNTER", "counter", "Total number of PCIe retries.", lambda gpu: _whole(gpu.detail.pcie_replays)),
    ("GPU_UTIL", "gauge", "GPU utilization (in %).", lambda gpu: None if gpu.device.mig else _percent(gpu.utilization)),
    ("MEM_COPY_UTIL", "gauge", "Memory utilization (in %).", lambda gpu: _percent(gpu.detail.memory_copy_share)),
    ("ENC_UTIL", "gauge", "Encoder utilization (in %).", lambda gpu: _percent(gpu.detail.encoder_share)),
    ("DEC_UTIL", "gauge", "Decoder utilization (in %).", lambda gpu: _percent(gpu.detail.decoder_share)),
    ("XID_ERRORS", "gauge", "Value of the last XID error encountered.", lambda gpu: _whole(gpu.detail.xid)),
    ("FB_FREE", "gauge", "Framebuffer memory free (in MiB).", lambda gpu: _mib(gpu.detail.memory_free_bytes)),
    ("FB_USED", "gauge", "Framebuffer memory used (in MiB).", lambda gpu: _mib(gpu.memory_used_bytes)),
    ("FB_RESERVED", "gauge", "Framebuffer memory reserved (in MiB).", _reserved),
    ("VGPU_LICENSE_STATUS", "gauge", "vGPU License status", lambda _: "0"),
    ("UNCORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for uncorrectable errors",
     lambda gpu: _whole(gpu.detail.remapped_rows_uncorrected)),
    ("CORRECTABLE_REMAPPED_ROWS", "counter", "Number of remapped rows for correctable errors",
     lambda gpu: _whole(gpu.detail.remapped_rows_corrected)),
    ("ROW_REMAP_FAILURE", "gauge", "Whether remapping of rows has failed",
     lambda gpu: _flag(gpu.detail.row_remap_failed)),
)  # fmt: skip

_PCIE = (
    "The rate of data {} over the PCIe bus - including both protocol headers and data payloads - in bytes per second."
)

_STOCK_PROFILING: tuple[tuple[str, str, Callable[[Gpu], str | None]], ...] = (
    ("GR_ENGINE_ACTIVE", "Ratio of time the graphics engine is active.", lambda gpu: _ratio(gpu.engine_active)),
    ("PIPE_TENSOR_ACTIVE", "Ratio of cycles the tensor (HMMA) pipe is active.", lambda gpu: _ratio(gpu.tensor_active)),
    ("DRAM_ACTIVE", "Ratio of cycles the device memory interface is active sending or receiving data.",
     lambda gpu: _ratio(gpu.dram_active)),
    ("PCIE_TX_BYTES", _PCIE.format("transmitted"), lambda gpu: _whole(gpu.detail.pcie_sent_bytes_per_second)),
    ("PCIE_RX_BYTES", _PCIE.format("received"), lambda gpu: _whole(gpu.detail.pcie_received_bytes_per_second)),
)  # fmt: skip

_MORE: tuple[tuple[str, str, str, Callable[[Gpu], str | None]], ...] = (
    ("DCGM_FI_PROF_SM_ACTIVE", "gauge", "The ratio of cycles an SM has at least 1 warp assigned.",
     lambda gpu: _ratio(gpu.sm_active)),
    ("DCGM_FI_PROF_SM_OCCUPANCY", "gauge", "The ratio of number of warps resident on an SM.",
     lambda gpu: _ratio(gpu.detail.sm_occupancy)),
    ("DCGM_FI_PROF_NVLINK_TX_BYTES", "gauge", "The rate of data transmitted over NVLink, in bytes per second.",
     lambda gpu: _whole(gpu.detail.nvlink_sent_bytes_per_second)),
    ("DCGM_FI_PROF_NVLINK_RX_BYTES", "gauge", "The rate of data received over NVLink, in bytes per second.",
     lambda gpu: _whole(gpu.detail.nvlink_received_bytes_per_second)),
    ("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "counter", "Total number of single-bit volatile ECC errors.",
     lambda gpu: _whole(gpu.detail.ecc_corrected)),
    ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "counter", "Total number of double-bit volatile ECC errors.",
     lambda gpu: _whole(gpu.detail.ecc_uncorrected)),
    ("DCGM_FI_DEV_ROW_REMAP_PENDING", "gauge", "Whether remapping of rows is pending",
     lambda gpu: _flag(gpu.detail.row_remap_pending)),
    ("DCGM_FI_DEV_POWER_MGMT_LIMIT", "gauge", "Current power limit (in W).",
     lambda gpu: _ratio(gpu.detail.power_limit_watts)),
    ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "gauge", "Current clock event reasons (bitmask).", _reasons),
)  # fmt: skip

COUNTERS: tuple[Counter, ...] = (
    *(Counter(f"DCGM_FI_DEV_{name}", kind, text, told) for name, kind, text, told in _STOCK),
    *(Counter(f"DCGM_FI_PROF_{name}", "gauge", text, told) for name, text, told in _STOCK_PROFILING),
    *(Counter(name, kind, text, told) for name, kind, text, told in _MORE),
)
"""The counters file, in its order."""


def dcgm(cluster: Cluster, host: Host, *, has_job_label: bool = False) -> str:
    """What a node's dcgm-exporter answers.

    On some nodes, and everywhere with `has_job_label`, it was told of jobs (--hpc-job-mapping-dir).
    """
    is_told = has_job_label or host.machine.told_by is Attribution.LABEL
    told = [(labels, gpu) for gpu in cluster.gpus_of(host) for labels in _labels(gpu, has_job_label=is_told)]
    page = Page()
    for counter in COUNTERS:
        page.lines(
            counter.metric,
            counter.kind,
            counter.help,
            [f"{counter.metric}{{{text}}} {value}" for text, gpu in told if (value := counter.told(gpu)) is not None],
        )
    name = "DCGM_EXP_XID_ERRORS_COUNT"
    page.lines(
        name,
        "gauge",
        "Count of XID Errors within user-specified time window (see xid-count-window-size param).",
        [
            f'{name}{{{text},window_size_in_ms="{_XID_WINDOW}",xid="{gpu.detail.xid}"}} {gpu.detail.xid_recent}'
            for text, gpu in told
            if gpu.detail.xid_recent
        ],
    )
    return page.text()


def _labels(gpu: Gpu, *, has_job_label: bool) -> list[str]:
    """The labels of a GPU's series; where jobs are named, it has all series once for each of its jobs."""
    device = gpu.device
    pairs = [
        ("gpu", str(device.index)),
        ("UUID", device.uuid),
        ("pci_bus_id", device.pci_bus_id or ""),
        ("device", f"nvidia{device.index}"),
        ("modelName", device.model or ""),
    ]
    if device.mig:
        pairs += [("GPU_I_PROFILE", device.mig.profile), ("GPU_I_ID", device.mig.id)]
    pairs += [("Hostname", device.node), ("DCGM_FI_DRIVER_VERSION", device.driver or "")]
    alike = ",".join(f'{name}="{escaped(value)}"' for name, value in pairs)
    return [f'{alike},hpc_job="{escaped(job)}"' for job in gpu.jobs] if has_job_label and gpu.jobs else [alike]

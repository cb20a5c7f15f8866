"""Which way dcgm-exporter speaks here, what it leaves out, what that disables and how to have it."""

from __future__ import annotations

from collections.abc import Collection

from gpumon.model import Dialect, Lack
from gpumon.reading.gpus import GpuReadings

_COUNTERS: tuple[tuple[str, str, str, str], ...] = (
    ("utilization", "DCGM_FI_DEV_GPU_UTIL", "gauge, GPU utilization (in %).", "utilization"),
    ("memory_used_bytes", "DCGM_FI_DEV_FB_USED", "gauge, Framebuffer memory used (in MiB).", "memory"),
    ("memory_free_bytes", "DCGM_FI_DEV_FB_FREE", "gauge, Framebuffer memory free (in MiB).", "the size of the memory"),
    ("temperature_celsius", "DCGM_FI_DEV_GPU_TEMP", "gauge, GPU temperature (in C).", "temperatures and hot GPUs"),
    ("power_watts", "DCGM_FI_DEV_POWER_USAGE", "gauge, Power draw (in W).", "power"),
    ("engine_active", "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "gauge, Ratio of time the graphics engine is active.",
     "utilization of MIG slices"),
    ("sm_active", "DCGM_FI_PROF_SM_ACTIVE", "gauge, The ratio of cycles an SM has at least 1 warp assigned.",
     "SM activity, which tells real use from a busy flag"),
    ("tensor_active", "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "gauge, Ratio of cycles the tensor (HMMA) pipe is active.",
     "tensor core activity"),
    ("dram_active", "DCGM_FI_PROF_DRAM_ACTIVE",
     "gauge, Ratio of cycles the device memory interface is active sending or receiving data.", "memory bandwidth use"),
    ("xid", "DCGM_FI_DEV_XID_ERRORS", "gauge, Value of the last XID error encountered.", "XID errors"),
    ("ecc_corrected", "DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "counter, Total number of single-bit volatile ECC errors.",
     "corrected memory errors"),
    ("ecc_uncorrected", "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "counter, Total number of double-bit volatile ECC errors.",
     "uncorrected memory errors"),
    ("row_remap_failed", "DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge, Whether remapping of rows has failed.",
     "failed row remapping"),
    ("throttle_reasons", "DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "gauge, Current clock event reasons (bitmask).",
     "why clocks are held down"),
    ("power_limit_watts", "DCGM_FI_DEV_POWER_MGMT_LIMIT", "gauge, Current power limit (in W).", "power limits"),
)  # fmt: skip
"""Field, metric, the rest of its line in dcgm-exporter's counters file, and what its absence disables."""

_HIDDEN_WITH = {
    "utilization": ("utilization", "idle_since"),
    "memory_used_bytes": ("memory_used_bytes", "memory_total_bytes"),
    "memory_free_bytes": ("memory_free_bytes", "memory_total_bytes"),
}
"""Fields of the model that a metric's absence hides, where it is not the one of that name."""


def gpu_dialect(
    readings: GpuReadings,
    targets: Collection[object],
    newest_at: float | None,
    unread: frozenset[str] = frozenset(),
) -> Dialect | None:
    """What was found of DCGM; None when there is no GPU sample at all. Fields in `unread` were not asked for yet."""
    if not readings.devices:
        return None
    told = {name for name, column in readings.values.items() if column} | unread
    if readings.events or "throttle_mask" in told:
        told.add("throttle_reasons")
    has_mig = "MIG" in readings.spellings
    lacks = tuple(
        Lack(
            _HIDDEN_WITH.get(name, (name,)),
            metric,
            disables,
            f"add to dcgm-exporter's counters file: {metric}, {line}",
        )
        for name, metric, line, disables in _COUNTERS
        if name not in told and not _is_replaced(name, told, has_mig=has_mig)
    )
    return Dialect("gpus", "dcgm-exporter", _variant(readings, told), len(targets), newest_at, lacks)


def _is_replaced(name: str, told: set[str], *, has_mig: bool) -> bool:
    """Whether another metric serves as well, so that nothing is disabled."""
    if name == "utilization":
        return has_mig and "engine_active" in told
    if name == "engine_active":
        return "utilization" in told and not has_mig
    return name == "xid" and "xid_recent" in told


def _variant(readings: GpuReadings, told: set[str]) -> str:
    profiling = {"engine_active", "sm_active", "tensor_active", "dram_active"}
    words = {
        "hostname": "label hostname",
        "container id": "Hostname is a container's id",
        "hpc_job": "label hpc_job",
        "jobid": "label jobid",
        "MIG": "MIG",
    }
    found = [words[spelling] for spelling in words if spelling in readings.spellings]
    if not profiling & told:
        found.append("no PROF fields")
    return ", ".join(found)

"""Every PromQL expression gpumon sends, named and explained; values from outside enter through `quoted` and `any_of`.

Spellings are those of dcgm-exporter 2.x to 4.x, node_exporter 1.x, and the Slurm exporters of vpenso, SckyzO, rivosinc,
Slurm's own OpenMetrics (25.11 and later) and gpumon's own. No query is ever sent per node, GPU or job.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")


def quoted(value: str) -> str:
    """`value` as a PromQL string literal, whatever it holds."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def any_of(values: Iterable[str]) -> str:
    """A PromQL string literal: a regular expression that matches exactly one of `values`."""
    return quoted("|".join(_literal(value) for value in sorted(values)))


def _literal(value: str) -> str:
    """`value` as an RE2 expression; `re.escape` would escape blanks and signs in ways that RE2 refuses."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)


def named(metrics: Iterable[str], matchers: str = "") -> str:
    """A selector for several metrics at once, with further label matchers."""
    names = sorted(metrics)
    for name in names:
        if not _METRIC.fullmatch(name):
            raise ValueError(f"not a metric's name: {name!r}")
    return "{__name__=~" + quoted("|".join(names)) + (f",{matchers}" if matchers else "") + "}"


class GpuMetric(msgspec.Struct, frozen=True):
    """One DCGM metric, the model's field it fills, and how its number becomes the model's unit."""

    metric: str
    field: str
    factor: float = 1.0


_MIB = 2.0**20
_PERCENT = 0.01

UTILIZATION = GpuMetric("DCGM_FI_DEV_GPU_UTIL", "utilization", _PERCENT)
ENGINE_ACTIVE = GpuMetric("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "engine_active")

LIVE_GPU_METRICS: tuple[GpuMetric, ...] = (
    UTILIZATION,
    GpuMetric("DCGM_FI_DEV_FB_USED", "memory_used_bytes", _MIB),
    GpuMetric("DCGM_FI_DEV_GPU_TEMP", "temperature_celsius"),
    GpuMetric("DCGM_FI_DEV_POWER_USAGE", "power_watts"),
    GpuMetric("DCGM_FI_PROF_SM_ACTIVE", "sm_active"),
)
"""Read at every refresh of a cluster that is too large for one query; `ENGINE_ACTIVE` joins them where there is MIG."""

RARER_GPU_METRICS: tuple[GpuMetric, ...] = (
    ENGINE_ACTIVE,
    GpuMetric("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "tensor_active"),
    GpuMetric("DCGM_FI_PROF_DRAM_ACTIVE", "dram_active"),
    GpuMetric("DCGM_FI_DEV_FB_FREE", "memory_free_bytes", _MIB),
    GpuMetric("DCGM_FI_DEV_FB_RESERVED", "memory_reserved_bytes", _MIB),
    GpuMetric("DCGM_FI_DEV_FB_TOTAL", "memory_total_bytes", _MIB),
    GpuMetric("DCGM_FI_DEV_MEMORY_TEMP", "memory_temperature_celsius"),
    GpuMetric("DCGM_FI_DEV_SM_CLOCK", "sm_clock_megahertz"),
    GpuMetric("DCGM_FI_DEV_MEM_CLOCK", "memory_clock_megahertz"),
    GpuMetric("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "energy_joules", 0.001),
    GpuMetric("DCGM_FI_DEV_POWER_MGMT_LIMIT", "power_limit_watts"),
    GpuMetric("DCGM_FI_DEV_MEM_COPY_UTIL", "memory_copy_share", _PERCENT),
    GpuMetric("DCGM_FI_DEV_ENC_UTIL", "encoder_share", _PERCENT),
    GpuMetric("DCGM_FI_DEV_DEC_UTIL", "decoder_share", _PERCENT),
    GpuMetric("DCGM_FI_PROF_SM_OCCUPANCY", "sm_occupancy"),
    GpuMetric("DCGM_FI_PROF_PCIE_TX_BYTES", "pcie_sent_bytes_per_second"),
    GpuMetric("DCGM_FI_PROF_PCIE_RX_BYTES", "pcie_received_bytes_per_second"),
    GpuMetric("DCGM_FI_PROF_NVLINK_TX_BYTES", "nvlink_sent_bytes_per_second"),
    GpuMetric("DCGM_FI_PROF_NVLINK_RX_BYTES", "nvlink_received_bytes_per_second"),
    GpuMetric("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "pcie_replays"),
    GpuMetric("DCGM_FI_DEV_XID_ERRORS", "xid"),
    GpuMetric("DCGM_EXP_XID_ERRORS_COUNT", "xid_recent"),
    GpuMetric("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "ecc_corrected"),
    GpuMetric("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "ecc_uncorrected"),
    GpuMetric("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "remapped_rows_corrected"),
    GpuMetric("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "remapped_rows_uncorrected"),
    GpuMetric("DCGM_FI_DEV_ROW_REMAP_FAILURE", "row_remap_failed"),
    GpuMetric("DCGM_FI_DEV_ROW_REMAP_PENDING", "row_remap_pending"),
    GpuMetric("DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "throttle_mask"),
    GpuMetric("DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "throttle_mask"),
    GpuMetric("DCGM_EXP_CLOCK_EVENTS_COUNT", "clock_events"),
)
"""Read in turns where a cluster is too large for one query. Energy is in mJ, framebuffer sizes are in MiB, profiling
ratios run from 0 to 1 and PCIe and NVLink values are bytes per second (dcgm-exporter's default-counters.csv)."""

GPU_METRICS: tuple[GpuMetric, ...] = LIVE_GPU_METRICS + RARER_GPU_METRICS

GPU_METRIC_BY_NAME = {metric.metric: metric for metric in GPU_METRICS}

ALL_GPU_SAMPLES = named(GPU_METRIC_BY_NAME)
"""Everything about every GPU in one answer: the cheapest way for some hundred GPUs."""

_COUNTED = (
    "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_DEV_SM_CLOCK",
    "DCGM_FI_DEV_GPU_TEMP",
    "gpumon_job_info",
    "gpumon_demo_info",
    "gpumon_slurm_gpu_info",
    "nvidia_gpu_jobId",
    "slurm_node_job",
)
SIZES = f"count by (__name__) ({named(_COUNTED)})"
"""How many GPUs and jobs there are, to choose how to read them, whether they are simulated, and what maps there are.

Three metrics of GPUs, because a vGPU has no temperature and a site may drop a clock."""

_IDENTITY = "UUID, GPU_I_ID"

_DEVICE_LABELS = (
    "UUID, GPU_I_ID, GPU_I_PROFILE, gpu, modelName, Hostname, hostname, node, instance, job, pci_bus_id, "
    "DCGM_FI_DRIVER_VERSION, hpc_job, jobid"
)


def gpu_devices(metric: str) -> str:
    """What each GPU is and who tells about it: labels that rarely change, and the job where an exporter knows it."""
    return f"max by ({_DEVICE_LABELS}) ({metric})"


def gpu_metric(metric: GpuMetric) -> str:
    """One metric of every GPU, without the labels that never change; how busy it is comes with its job where told."""
    if metric.field == "clock_events":
        return f"max by ({_IDENTITY}, clock_event) ({metric.metric})"
    if metric.field == "xid_recent":
        return f"sum by ({_IDENTITY}) (max by ({_IDENTITY}, xid, err_code) ({metric.metric}))"
    if metric in (UTILIZATION, ENGINE_ACTIVE):
        return f"max by ({_IDENTITY}, hpc_job, jobid) ({metric.metric})"
    return f"max by ({_IDENTITY}) ({metric.metric})"


def gpu_metric_of(metric: GpuMetric, uuids: Iterable[str]) -> str:
    """One metric of some cards and their slices, for a range query; a new hpc_job in between makes no new line."""
    return f"max by ({_IDENTITY}) ({metric.metric}{{UUID=~{any_of(uuids)}}})"


def gpu_peaks(metric: GpuMetric, uuids: Iterable[str], step_seconds: float) -> str:
    """The highest number of some cards and their slices within each step, by the job that is named with it."""
    highest = f"max_over_time({metric.metric}{{UUID=~{any_of(uuids)}}}[{step_seconds:.0f}s])"
    return f"max by ({_IDENTITY}, hpc_job, jobid) ({highest})"


UP_TIMES = "timestamp(up)"
"""When each target was last scraped, with success or without."""

DOWN = "up == 0"
"""The targets whose last scrape failed: a short answer on a healthy cluster."""

SILENT_LOOKBACK_SECONDS = 3600
"""How far back the last values of a silent exporter are looked for."""


def last_words(instances: Iterable[str]) -> str:
    """What silent targets said last, about GPUs and nodes, within the lookback."""
    wanted = named((*GPU_METRIC_BY_NAME, *NODE_GAUGES), f"instance=~{any_of(instances)}")
    return f"last_over_time({wanted}[{SILENT_LOOKBACK_SECONDS}s])"


def silent_since(instances: Iterable[str]) -> str:
    """The raw `up` samples of silent targets, to know when each was last heard."""
    return f"up{{instance=~{any_of(instances)}}}[{SILENT_LOOKBACK_SECONDS}s]"


def up_history(instance: str, job: str) -> str:
    """The raw `up` samples of one target, whose distances are the scrape interval."""
    return f"up{{instance={quoted(instance)},job={quoted(job)}}}[5m]"


NODE_GAUGES: tuple[str, ...] = (
    "node_boot_time_seconds",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "node_load1",
    "node_load15",
    "node_load5",
    "node_memory_MemAvailable_bytes",
    "node_memory_MemTotal_bytes",
    "node_uname_info",
)

PSEUDO_FILESYSTEMS = (
    "tmpfs|ramfs|overlay|squashfs|devtmpfs|rootfs|nsfs|autofs|proc|sysfs|fuse.lxcfs|fuse.portal|efivarfs|iso9660"
)

NODE_SAMPLES = named(NODE_GAUGES, f"fstype!~{quoted(PSEUDO_FILESYSTEMS)}")
"""Every plain number of node_exporter that a node's row needs, real disks only."""

NODE_CORES = 'count without (cpu, mode) (node_cpu_seconds_total{mode="idle"})'
"""Logical cores of each node."""


NODE_CPU_SHARE = '1 - avg without (cpu, mode) (irate(node_cpu_seconds_total{mode="idle"}[5m]))'
"""Busy share of each node between its last two scrapes: one less the mean idle share of its cores.

`irate`, because `rate` divides by the whole window: on a server that was just started it would call idle cores busy."""

_DERIVED_DISKS = "dm-.*|md.*|loop.*|ram.*|sr.*|zram.*|fd.*|nbd.*"
_TUNNELS = "cali.*|cni.*|flannel.*|tun.*|tap.*|wg.*"
_VIRTUAL_LINKS = f"lo|veth.*|docker.*|br-.*|br[0-9]+|virbr.*|{_TUNNELS}|dummy.*|bond.*|team.*|vlan.*|.*[.].*"

NODE_RATES: tuple[tuple[str, str, str], ...] = (
    ("disk_read_bytes_per_second", "node_disk_read_bytes_total", _DERIVED_DISKS),
    ("disk_written_bytes_per_second", "node_disk_written_bytes_total", _DERIVED_DISKS),
    ("network_received_bytes_per_second", "node_network_receive_bytes_total", _VIRTUAL_LINKS),
    ("network_sent_bytes_per_second", "node_network_transmit_bytes_total", _VIRTUAL_LINKS),
)
"""Field, counter and devices to leave out: those that carry again what a physical device below them carries."""


def node_rate(metric: str, left_out: str) -> str:
    """Bytes per second of a node over its physical devices, between its last two scrapes."""
    return f"sum without (device) (irate({metric}{{device!~{quoted(left_out)}}}[5m]))"


def node_history(field: str, instances: Iterable[str], window_seconds: float) -> str | None:
    """One number of the nodes behind some targets, for a range query; None for a number that has no history.

    A mean over the window before each moment: between two scrapes alone, a line of few points would show chance.
    """
    where, window = f"instance=~{any_of(instances)}", f"[{window_seconds:.0f}s]"
    if field == "load1":
        return f"node_load1{{{where}}}"
    if field == "cpu_share":
        return f'1 - avg without (cpu, mode) (rate(node_cpu_seconds_total{{mode="idle",{where}}}{window}))'
    for name, metric, left_out in NODE_RATES:
        if name == field:
            return f"sum without (device) (rate({metric}{{device!~{quoted(left_out)},{where}}}{window}))"
    return None


_SLURM_NAMES: tuple[tuple[str, str], ...] = (
    ("slurm_queue_", "[a-z_]+"),
    ("slurm_jobs", "|_[a-z_]+"),
    ("slurm_nodes", "|_[a-z_]+"),
    ("slurm_(?:user|account)_", "jobs_pending|jobs_running|jobs_suspended|jobs_cpus_alloc|jobs_gpus_alloc"),
    ("slurm_(?:user|account)_", "cpus_running|gpus_running|fairshare"),
    (
        "slurm_",
        "user_state_total|user_cpu_alloc|account_job_state_(?:total|cpu_alloc)|pending_reason_total",
    ),
    ("slurm_partition_", "cpus|cpus_allocated|cpus_idle|cpus_total|gpus|gpus_allocated|gpus_idle|nodes|jobs"),
    ("slurm_partition_", "jobs_pending|jobs_running|jobs_gpus_alloc|nodes_cpus_alloc|nodes_cpus_idle|job_state_total"),
    ("slurm_partition_", "total_cpus|idle_cpus|alloc_cpus|node_count"),
    ("slurm_node_", "cpu_alloc|cpu_total|mem_alloc|mem_total|status|gres_total|gres_used|count_per_state"),
    ("slurm_node_", "drain_reason_info|drain_since_timestamp_seconds|cpus|cpus_alloc|gpus|gpus_alloc"),
    ("slurm_node_", "memory_bytes|memory_alloc_bytes"),
    ("slurm_(?:cpus|gpus)_", "alloc|total"),
    ("(?:slurm|gpumon)_reservation_", "info|start_time_seconds|end_time_seconds|node_count"),
    ("gpumon_node_", "info|state_since_seconds|gpus|gpus_allocated|gpus_shared|gpus_expected|cpus|cpus_allocated"),
    ("gpumon_node_", "memory_bytes|memory_allocated_bytes|partition_info"),
    ("gpumon_partition_", "gpus|gpus_allocated|nodes|info|max_time_seconds"),
    ("gpumon_", "user_gpus_running|account_gpus_running|pending_jobs|oldest_pending_time_seconds|demo_info"),
    ("gpumon_finished_jobs", "|_window_seconds"),
)

_SLURM_STANDING: tuple[tuple[str, str], ...] = (
    ("slurm_", "up"),
    ("gpumon_exporter_", "info|reading_age_seconds|command_up|left_out|hidden|jobs_without_gpu_map"),
)


def _spelled(names: Iterable[tuple[str, str]]) -> str:
    """A selector for names that are told as a beginning and its endings."""
    return "{__name__=~" + quoted("|".join(f"{start}(?:{ends})" for start, ends in names)) + "}"


SLURM_SAMPLES = _spelled((*_SLURM_NAMES, *_SLURM_STANDING))
"""Every aggregate of every Slurm exporter that gpumon can read: some hundred series, on large clusters thousands."""

SLURM_STANDING = _spelled(_SLURM_STANDING)
"""What gpumon's own Slurm exporter says of itself alone, for refreshes that do not read the rest: a dozen series."""

SLURM_HOLDING = _spelled((*_SLURM_STANDING, ("gpumon_node_", "info|gpus|gpus_allocated|gpus_shared|gpus_expected")))
"""How many GPUs of each node are held besides, for those who ask for jobs and not for the queue."""

JOB_INFO = "gpumon_job_info"
"""What each job is; one series a job."""

HOLDING_JOB_INFO = 'gpumon_job_info{state!="pending"}'
"""The jobs that hold something, without the queue behind them."""

JOB_NUMBERS: tuple[tuple[str, str], ...] = (
    ("gpumon_job_submit_time_seconds", "submitted_at"),
    ("gpumon_job_start_time_seconds", "started_at"),
    ("gpumon_job_end_time_seconds", "ends_at"),
    ("gpumon_job_eligible_time_seconds", "eligible_at"),
    ("gpumon_job_estimated_start_time_seconds", "expected_at"),
    ("gpumon_job_time_limit_seconds", "time_limit_seconds"),
    ("gpumon_job_cpus", "cpus"),
    ("gpumon_job_memory_bytes", "memory_bytes"),
    ("gpumon_job_gpus", "gpus"),
    ("gpumon_job_node_count", "node_count"),
    ("gpumon_job_priority", "priority"),
    ("gpumon_job_array_tasks", "tasks"),
)
"""Metric and field of a job's numbers."""

JOB_GPUS = "gpumon_job_gpu"
"""Which job holds which GPU of which node; one series for each GPU that is held."""


GPU_MAP = "max by (node, exported_node, gpu, UUID, GPU_I_ID) (gpumon_slurm_gpu_info)"
"""Which card each of Slurm's numbers means, on the nodes that say so."""

JOBS_OF_GPUS = "max by (uuid, ordinal, GPU_I_ID, instance, node) (nvidia_gpu_jobId)"
"""jobstats' exporter: the job that holds each GPU is the value, 0 for none."""

JOBS_OF_NODES = (
    "max by (job_id, node_name) (slurm_node_job) "
    'and on (job_id) (slurm_job_info{job_state=~"RUNNING|SUSPENDED|COMPLETING"})'
)
"""soperator's exporter: the jobs on each node; those that ended are told there, too, and left out here."""


def job_number(metric: str) -> str:
    """One number of every job, by its id alone."""
    return f"max by (job_id) ({metric})"


def jobs_in_detail(job_ids: Iterable[str]) -> str:
    """All numbers and GPUs of a few jobs, for those that are new since the last refresh."""
    return named((*(metric for metric, _ in JOB_NUMBERS), JOB_GPUS), f"job_id=~{any_of(job_ids)}")


UTILIZATION_HISTORY = f"avg(max by (UUID, GPU_I_ID) ({UTILIZATION.metric})) / 100"
"""Mean utilization of the cluster, for a range query."""

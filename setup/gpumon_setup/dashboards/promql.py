"""The expressions that several panels share; each thing is told by its cluster, so that two may have the same names."""

from __future__ import annotations

from gpumon.prometheus.queries import NODE_RATES, PSEUDO_FILESYSTEMS, quoted

CLUSTER = 'cluster=~"$cluster"'
NODE = f'{CLUSTER},node=~"$node"'
GPU = f'{NODE},gpu=~"$gpu"'
BY_GPU = "cluster, node, gpu, UUID, GPU_I_ID"
"""A card, or a MIG slice of one."""
WHICH_GPU = "{{node}} GPU {{gpu}} {{GPU_I_ID}}"
RATE = "[$__rate_interval]"
_CARD = "cluster, node, UUID, GPU_I_ID"
"""What a card is told by where Slurm's number and the driver's may differ."""
REAL_DISKS = f"fstype!~{quoted(PSEUDO_FILESYSTEMS)}"


def gpu(metric: str, where: str, *, over: str = "") -> str:
    """One number of each card and slice; `over` is a function of a range, such as "avg_over_time" with "[10m]"."""
    function, _, span = over.partition("[")
    series = f"{metric}{{{where}}}"
    return f"max by ({BY_GPU}) ({f'{function}({series}[{span})' if over else series})"


def busy(where: str, *, over: str = "") -> str:
    """The busy share of each card; a MIG slice has no utilization, but tells how long its engines were active."""
    utilization = gpu("DCGM_FI_DEV_GPU_UTIL", where, over=over)
    return f"({utilization} / 100 or {gpu('DCGM_FI_PROF_GR_ENGINE_ACTIVE', where, over=over)})"


def memory_total(where: str) -> str:
    """Framebuffer memory of each card in MiB, added up where nobody tells the sum."""
    used, free, reserved = (gpu(f"DCGM_FI_DEV_FB_{part}", where) for part in ("USED", "FREE", "RESERVED"))
    return f"({gpu('DCGM_FI_DEV_FB_TOTAL', where)} or ({used} + {free} + ({reserved} or {used} * 0)))"


def memory_share(where: str) -> str:
    """How full the memory of each card is."""
    return f"({gpu('DCGM_FI_DEV_FB_USED', where)} / {memory_total(where)})"


def holders(where: str) -> str:
    """Which job holds which card, as 1: by the map that each node has of Slurm's numbers."""
    held = f"max by (cluster, node, gpu, job_id, user, account, partition) (gpumon_job_gpu{{{where}}})"
    known = f"max by (cluster, node, gpu, UUID, GPU_I_ID) (gpumon_slurm_gpu_info{{{where}}})"
    return f"({held} * on (cluster, node, gpu) group_left (UUID, GPU_I_ID) {known})"


def held_by(value: str, where: str) -> str:
    """A number of each card once for each job on it: of a card that several share nobody knows who does what."""
    return f"max by ({_CARD}) ({value}) * on ({_CARD}) group_right () {holders(where)}"


def held_and_idle(where: str) -> str:
    """How many cards a job has held for ten minutes in which they did nothing; 0 only where some are held so long."""
    idle = f"max by ({_CARD}) ({busy(where, over='avg_over_time[10m]')}) < 0.05"
    held = f"({holders(where)} and on (cluster, job_id) time() - gpumon_job_start_time_seconds{{{CLUSTER}}} > 600)"
    return f"count({idle} and on ({_CARD}) {held}) or 0 * count({held})"


def node_gpus(metric: str, where: str) -> str:
    """What Slurm says of each node's GPUs, all types together."""
    return f"sum by (cluster, node) (max by (cluster, node, type) ({metric}{{{where}}}))"


def node_cpu_busy(where: str) -> str:
    """The busy share of each node's cores."""
    return f'1 - avg by (cluster, node) (rate(node_cpu_seconds_total{{{where},mode="idle"}}{RATE}))'


def node_memory_share(where: str) -> str:
    """How full each node's memory is."""
    available, total = (f"max by (cluster, node) (node_memory_Mem{part}_bytes{{{where}}})"
                        for part in ("Available", "Total"))  # fmt: skip
    return f"1 - {available} / {total}"


def node_rate(field: str) -> str:
    """Bytes per second of each node over its physical devices; `field` as in `NODE_RATES`."""
    metric, left_out = next((metric, left_out) for name, metric, left_out in NODE_RATES if name == field)
    return f"sum by (cluster, node) (rate({metric}{{{NODE},device!~{quoted(left_out)}}}{RATE}))"


def jobs_running(where: str) -> str:
    """Jobs of each cluster that run."""
    return f'count by (cluster) (max by (cluster, job_id) (gpumon_job_info{{{where},state="running"}}))'


def jobs_waiting(where: str) -> str:
    """Jobs of each cluster that wait, array tasks one by one."""
    return f"sum by (cluster) (max by (cluster, partition, reason) (gpumon_pending_jobs{{{where}}}))"

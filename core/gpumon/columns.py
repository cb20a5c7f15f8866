"""The columns of every table, by name: what a table in the shell or on the screen shows, sorts and filters by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Generic, TypeAlias, TypeVar

import msgspec

from gpumon import units
from gpumon.model import AccountUsage, Alert, ClusterSnapshot, Gpu, Job, Node, Partition, Target, UserUsage
from gpumon.reasons import in_words
from gpumon.text import shown
from gpumon.units import MISSING, Units
from gpumon.usage import job_usage
from gpumon.waiting import place

Row = TypeVar("Row")
Value: TypeAlias = "str | float | None"


class Column(msgspec.Struct, Generic[Row], frozen=True):
    """One column of a table of `Row`s."""

    key: str
    """Its name in filters, sort keys, CSV heads and the configuration."""
    title: str
    width: int
    """In cells; a longer text is cut with an ellipsis."""
    value: Callable[[Row, ClusterSnapshot], Value]
    """What it holds: a number, a text, or None for unknown; in the model's units."""
    text: Callable[[Row, ClusterSnapshot, Units], str]
    """What people read, one line without control characters."""
    is_number: bool = False
    """Numbers are right-aligned and compared by size."""
    scale: float = 1.0
    """What a value is multiplied with to be what people type in a filter: 100 for a share, 2**-30 for bytes (GiB)."""
    missing: str = ""
    """The model's field behind it, to ask the snapshot why it is missing."""
    part: str = "gpus"
    """The part of the snapshot to ask."""


def _text(
    key: str,
    title: str,
    width: int,
    value: Callable[[Row, ClusterSnapshot], str | None],
    missing: str = "",
    part: str = "gpus",
) -> Column[Row]:
    """A text: a dash where it is not known (None), a blank where it is known that there is none ("")."""

    def text(row: Row, snapshot: ClusterSnapshot, _: Units) -> str:
        known = value(row, snapshot)
        return MISSING if known is None else shown(known)

    return Column(key, title, width, value, text, missing=missing, part=part)


def _count(
    key: str,
    title: str,
    width: int,
    value: Callable[[Row, ClusterSnapshot], float | None],
    *,
    part: str = "slurm",
    missing: str = "",
) -> Column[Row]:
    return Column(
        key,
        title,
        width,
        value,
        lambda row, snapshot, _: units.count(value(row, snapshot)),
        True,
        part=part,
        missing=missing,
    )


def _share(
    key: str,
    title: str,
    width: int,
    value: Callable[[Row, ClusterSnapshot], float | None],
    missing: str,
    part: str = "gpus",
) -> Column[Row]:
    return Column(
        key, title, width, value, lambda row, snapshot, _: units.share(value(row, snapshot)), True, 100, missing, part
    )


def _size(
    key: str,
    title: str,
    width: int,
    value: Callable[[Row, ClusterSnapshot], float | None],
    missing: str,
    part: str = "gpus",
) -> Column[Row]:
    return Column(
        key,
        title,
        width,
        value,
        lambda row, snapshot, unit: unit.size(value(row, snapshot)),
        True,
        2**-30,
        missing,
        part,
    )


def _rate(
    key: str,
    title: str,
    width: int,
    value: Callable[[Row, ClusterSnapshot], float | None],
    missing: str,
    part: str = "nodes",
) -> Column[Row]:
    return Column(
        key,
        title,
        width,
        value,
        lambda row, snapshot, unit: unit.rate(value(row, snapshot)),
        True,
        2**-20,
        missing,
        part,
    )


def _age(
    key: str, title: str, width: int, value: Callable[[Row, ClusterSnapshot], float | None], part: str
) -> Column[Row]:
    return Column(
        key,
        title,
        width,
        value,
        lambda row, snapshot, _: units.age(value(row, snapshot)),
        True,
        missing="sampled_at",
        part=part,
    )


def _since(moment: float | None, snapshot: ClusterSnapshot) -> float | None:
    return None if moment is None else max(0.0, snapshot.taken_at - moment)


def _until(moment: float | None, snapshot: ClusterSnapshot) -> float | None:
    return None if moment is None else moment - snapshot.taken_at


def _holders(gpu: Gpu, snapshot: ClusterSnapshot) -> str | None:
    users = snapshot.users_of(gpu)
    return None if users is None or (gpu.jobs and not users) else ",".join(users)


def _accounts(gpu: Gpu, snapshot: ClusterSnapshot) -> str | None:
    if gpu.jobs is None:
        return None
    known = [snapshot.job_by_id[job].account for job in gpu.jobs if job in snapshot.job_by_id]
    return None if gpu.jobs and not known else ",".join(dict.fromkeys(known))


_BLANK = ""
"""Where a question does not arise, such as how long a waiting job has run; a dash would say that nobody knows."""


GPU_COLUMNS: tuple[Column[Gpu], ...] = (
    _text("node", "NODE", 14, lambda gpu, _: gpu.device.node),
    _text("gpu", "GPU", 5, lambda gpu, _: gpu.device.number),
    _text("model", "MODEL", 22, lambda gpu, _: (gpu.device.model or "").removeprefix("NVIDIA ") or None, "model"),
    _share("util", "UTIL", 5, lambda gpu, _: gpu.utilization, "utilization"),
    _share("mem", "MEM", 5, lambda gpu, _: gpu.memory_share, "memory_used_bytes"),
    _size("used", "USED", 9, lambda gpu, _: gpu.memory_used_bytes, "memory_used_bytes"),
    _size("total", "TOTAL", 9, lambda gpu, _: gpu.device.memory_total_bytes, "memory_total_bytes"),
    Column(
        "temp",
        "TEMP",
        6,
        lambda gpu, _: gpu.temperature_celsius,
        lambda gpu, _, unit: unit.degrees(gpu.temperature_celsius),
        True,
        missing="temperature_celsius",
    ),
    Column(
        "power",
        "POWER",
        7,
        lambda gpu, _: gpu.power_watts,
        lambda gpu, _s, _u: units.watts(gpu.power_watts),
        True,
        missing="power_watts",
    ),
    _share("sm", "SM", 5, lambda gpu, _: gpu.sm_active, "sm_active"),
    _share("tensor", "TENSOR", 6, lambda gpu, _: gpu.tensor_active, "tensor_active"),
    _share("dram", "DRAM", 5, lambda gpu, _: gpu.dram_active, "dram_active"),
    _count("xid", "XID", 4, lambda gpu, _: gpu.detail.xid, part="gpus", missing="xid"),
    _text("user", "USER", 10, _holders, "jobs", "jobs"),
    _text("job", "JOB", 10, lambda gpu, _: None if gpu.jobs is None else ",".join(gpu.jobs), "jobs", "jobs"),
    _text("account", "ACCOUNT", 10, _accounts, "jobs", "jobs"),
    Column(
        "idle",
        "IDLE",
        7,
        lambda gpu, snapshot: _since(gpu.idle_since, snapshot),
        lambda gpu, snapshot, _: _BLANK if gpu.idle_since is None else units.duration(_since(gpu.idle_since, snapshot)),
        True,
        1 / 60,
        "idle_since",
        "jobs",
    ),
    _text("known", "KNOWN BY", 12, lambda gpu, _: gpu.held_by.value if gpu.held_by else _BLANK, "jobs", "jobs"),
    _age("age", "AGE", 5, lambda gpu, snapshot: _since(gpu.sampled_at, snapshot), "gpus"),
)
"""Of the table of GPUs."""


def _gpus_busy(node: Node, snapshot: ClusterSnapshot) -> float | None:
    known = [gpu.utilization for gpu in snapshot.gpus_of(node.name) if gpu.utilization is not None and not gpu.is_stale]
    return sum(known) / len(known) if known else None


def _gpus_total(node: Node, _: ClusterSnapshot) -> float | None:
    if node.slurm and node.slurm.gpus_total is not None:
        return node.slurm.gpus_total
    return len(node.gpus) or None


def _reason(node: Node, _: ClusterSnapshot) -> str | None:
    if node.slurm is None:
        return None
    return node.slurm.reason or (None if node.slurm.is_out_of_use else "")


NODE_COLUMNS: tuple[Column[Node], ...] = (
    _text("node", "NODE", 14, lambda node, _: node.name),
    _text("state", "STATE", 16, lambda node, _: (node.slurm.words or None) if node.slurm else None, "state", "slurm"),
    _share("cpu", "CPU", 5, lambda node, _: node.cpu_share, "cpu_share", "nodes"),
    Column(
        "load",
        "LOAD",
        7,
        lambda node, _: node.load1,
        lambda node, _s, _u: units.number(node.load1),
        True,
        1,
        "load1",
        "nodes",
    ),
    _share("mem", "MEM", 5, lambda node, _: node.memory_used_share, "memory_available_bytes", "nodes"),
    _share("disk", "DISK", 5, lambda node, _: node.disk_used_share, "filesystems", "nodes"),
    _rate(
        "rx", "NET IN", 11, lambda node, _: node.network_received_bytes_per_second, "network_received_bytes_per_second"
    ),
    _rate("tx", "NET OUT", 11, lambda node, _: node.network_sent_bytes_per_second, "network_sent_bytes_per_second"),
    _count("gpus", "GPUS", 5, _gpus_total, part="gpus", missing="gpus_total"),
    _count(
        "alloc", "ALLOC", 6, lambda node, _: node.slurm.gpus_allocated if node.slurm else None, missing="gpus_allocated"
    ),
    _share("util", "UTIL", 5, _gpus_busy, "utilization"),
    Column(
        "uptime",
        "UPTIME",
        8,
        lambda node, snapshot: _since(node.booted_at, snapshot),
        lambda node, snapshot, _: units.duration(_since(node.booted_at, snapshot)),
        True,
        1,
        "booted_at",
        "nodes",
    ),
    _text("reason", "REASON", 30, _reason, "reason", "slurm"),
    _age("age", "AGE", 5, lambda node, snapshot: _since(node.sampled_at, snapshot), "nodes"),
)
"""Of the table of nodes."""


def _waits(job: Job) -> bool:
    return job.started_at is None and job.state == "pending"


def _left(job: Job, snapshot: ClusterSnapshot) -> float | None:
    return _until(job.ends_at, snapshot) if job.started_at else None


def _waited(job: Job, snapshot: ClusterSnapshot) -> float | None:
    return _since(job.submitted_at, snapshot) if job.started_at is None else None


def _idle(job: Job, snapshot: ClusterSnapshot) -> float | None:
    return _since(job_usage(job, snapshot).idle_since, snapshot)


def _wasted_hours(job: Job, snapshot: ClusterSnapshot) -> float | None:
    seconds = job_usage(job, snapshot).wasted_gpu_seconds
    return None if seconds is None else seconds / 3600


def _rank(job: Job, snapshot: ClusterSnapshot) -> float | None:
    found = place(job, snapshot)
    return None if found is None else float(found.rank)


def _expected(job: Job, snapshot: ClusterSnapshot) -> float | None:
    return _until(job.expected_at, snapshot) if _waits(job) else None


def _use(job: Job, share: float | None) -> str:
    """A share of a job's GPUs; blank for a job that has none, not even a part of one, or waits for them."""
    return _BLANK if _waits(job) or (job.gpus == 0 and not job.held) else units.share(share)


def _duration(seconds: float | None) -> str:
    return _BLANK if seconds is None else units.duration(seconds)


JOB_COLUMNS: tuple[Column[Job], ...] = (
    _text("job", "JOB", 12, lambda job, _: job.shown_id),
    _text("user", "USER", 10, lambda job, _: job.user or None),
    _text("account", "ACCOUNT", 10, lambda job, _: job.account or None),
    _text("partition", "PARTITION", 10, lambda job, _: job.partition or None),
    _text("state", "STATE", 11, lambda job, _: job.state or None),
    _count("gpus", "GPUS", 5, lambda job, _: job.gpus, part="jobs", missing="gpus"),
    _count("cpus", "CPUS", 6, lambda job, _: job.cpus, part="jobs", missing="cpus"),
    _count("nodecount", "NODES", 5, lambda job, _: job.node_count, part="jobs", missing="node_count"),
    Column(
        "elapsed",
        "ELAPSED",
        8,
        lambda job, snapshot: _since(job.started_at, snapshot),
        lambda job, snapshot, _: _BLANK if _waits(job) else units.duration(_since(job.started_at, snapshot)),
        True,
        1,
        "started_at",
        "jobs",
    ),
    Column(
        "left",
        "LEFT",
        8,
        _left,
        lambda job, snapshot, _: _BLANK if _waits(job) else units.duration(_left(job, snapshot)),
        True,
        1,
        "ends_at",
        "jobs",
    ),
    Column(
        "waited",
        "WAITED",
        8,
        _waited,
        lambda job, snapshot, _: _BLANK if job.started_at is not None else units.duration(_waited(job, snapshot)),
        True,
        1,
        "submitted_at",
        "jobs",
    ),
    Column(
        "util",
        "UTIL",
        5,
        lambda job, snapshot: job_usage(job, snapshot).mean_utilization,
        lambda job, snapshot, _: _use(job, job_usage(job, snapshot).mean_utilization),
        True,
        100,
        "held",
        "jobs",
    ),
    Column(
        "low",
        "LOW",
        5,
        lambda job, snapshot: job_usage(job, snapshot).worst_utilization,
        lambda job, snapshot, _: _use(job, job_usage(job, snapshot).worst_utilization),
        True,
        100,
        "held",
        "jobs",
    ),
    Column(
        "idle", "IDLE", 7, _idle, lambda job, snapshot, _: _duration(_idle(job, snapshot)), True, 1 / 60, part="jobs"
    ),
    Column(
        "wasted",
        "WASTED",
        7,
        _wasted_hours,
        lambda job, snapshot, _: (
            _BLANK if (hours := _wasted_hours(job, snapshot)) is None else f"{units.number(hours)}h"
        ),
        True,
        part="jobs",
    ),
    _text("reason", "REASON", 18, lambda job, _: job.reason),
    _text("why", "WAITS FOR", 30, lambda job, _: in_words(job.reason) if _waits(job) else _BLANK),
    Column(
        "expected",
        "STARTS IN",
        9,
        _expected,
        lambda job, snapshot, _: _duration(_expected(job, snapshot)),
        True,
        part="jobs",
    ),
    Column(
        "rank",
        "PLACE",
        6,
        _rank,
        lambda job, snapshot, _: units.count(_rank(job, snapshot)) if _waits(job) else _BLANK,
        True,
        1,
        "priority",
        "jobs",
    ),
    _text("qos", "QOS", 8, lambda job, _: job.qos or None),
    _text("nodes", "ON", 16, lambda job, _: job.nodes),
    _text("name", "NAME", 24, lambda job, _: job.name or None),
)
"""Of the table of jobs."""

PARTITION_COLUMNS: tuple[Column[Partition], ...] = (
    _text("partition", "PARTITION", 12, lambda row, _: row.name),
    _count("running", "RUNNING", 8, lambda row, _: row.jobs_running),
    _count("pending", "PENDING", 8, lambda row, _: row.jobs_pending),
    _count("cpus", "CPUS", 8, lambda row, _: row.cpus_total),
    _count("cpualloc", "CPU USE", 8, lambda row, _: row.cpus_allocated),
    _count("gpus", "GPUS", 6, lambda row, _: row.gpus_total),
    _count("gpualloc", "GPU USE", 8, lambda row, _: row.gpus_allocated),
    _count("nodes", "NODES", 6, lambda row, _: row.nodes),
)
"""Of the table of partitions."""

USER_COLUMNS: tuple[Column[UserUsage], ...] = (
    _text("user", "USER", 12, lambda row, _: row.name),
    _count("running", "RUNNING", 8, lambda row, _: row.jobs_running),
    _count("pending", "PENDING", 8, lambda row, _: row.jobs_pending),
    _count("suspended", "SUSP", 6, lambda row, _: row.jobs_suspended),
    _count("cpus", "CPUS", 8, lambda row, _: row.cpus_running),
    _count("gpus", "GPUS", 6, lambda row, _: row.gpus_running),
)
"""Of the table of users."""

ACCOUNT_COLUMNS: tuple[Column[AccountUsage], ...] = (
    _text("account", "ACCOUNT", 12, lambda row, _: row.name),
    _count("running", "RUNNING", 8, lambda row, _: row.jobs_running),
    _count("pending", "PENDING", 8, lambda row, _: row.jobs_pending),
    _count("suspended", "SUSP", 6, lambda row, _: row.jobs_suspended),
    _count("cpus", "CPUS", 8, lambda row, _: row.cpus_running),
    _count("gpus", "GPUS", 6, lambda row, _: row.gpus_running),
    Column(
        "fairshare",
        "FAIR",
        6,
        lambda row, _: row.fairshare,
        lambda row, _s, _u: units.number(row.fairshare, 2),
        True,
        1,
        "fairshare",
        "slurm",
    ),
)
"""Of the table of accounts."""

ALERT_COLUMNS: tuple[Column[Alert], ...] = (
    _text("state", "STATE", 8, lambda alert, _: alert.state),
    _text("severity", "SEVERITY", 9, lambda alert, _: alert.severity),
    _text("alert", "ALERT", 24, lambda alert, _: alert.name),
    _text("node", "NODE", 14, lambda alert, _: alert.node),
    Column(
        "since",
        "SINCE",
        7,
        lambda alert, snapshot: _since(alert.since, snapshot),
        lambda alert, snapshot, _: units.age(_since(alert.since, snapshot)),
        True,
        1,
        "since",
        "alerts",
    ),
    _text("summary", "SUMMARY", 50, lambda alert, _: alert.summary),
)
"""Of the table of alerts."""

TARGET_COLUMNS: tuple[Column[Target], ...] = (
    _text("health", "HEALTH", 8, lambda target, _: target.health),
    _text("job", "JOB", 16, lambda target, _: target.job),
    _text("instance", "INSTANCE", 24, lambda target, _: target.instance),
    _text("node", "NODE", 14, lambda target, _: target.node),
    _age("age", "TRIED", 6, lambda target, snapshot: _since(target.scraped_at, snapshot), "targets"),
    _text("error", "ERROR", 60, lambda target, _: target.last_error),
)
"""Of the table of scrape targets."""


def by_key(columns: tuple[Column[Row], ...]) -> Mapping[str, Column[Row]]:
    """The columns of a table by their keys."""
    return {column.key: column for column in columns}

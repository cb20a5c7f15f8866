"""What one reading of Slurm holds. None is "not known"; times are seconds since 1970, memory is in bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SlurmJob:
    """One record of the queue that runs, waits, is suspended or completes; a folded array of waiting tasks is one."""

    job_id: str
    """Slurm's raw number, also of an array's task."""
    array_job_id: str = ""
    array_task_id: str = ""
    """The task's number, or the range of a folded waiting rest: 3-199:2%4."""
    het_job_id: str = ""
    user: str = ""
    account: str = ""
    partition: str = ""
    """Of a waiting job all that it may start in, with commas: a100,h100."""
    qos: str = ""
    name: str = ""
    """What its user chose: anything. Empty when names are switched off."""
    state: str = ""
    """Slurm's base state in lower case: running, pending, suspended, completing, configuring."""
    reason: str = ""
    """Why it waits, Slurm's word; empty when it does not."""
    nodes: str = ""
    """A hostlist; empty when it has none yet."""
    submitted_at: float | None = None
    eligible_at: float | None = None
    started_at: float | None = None
    """None until it has started."""
    ends_at: float | None = None
    """When its limit is reached; None without a start or a limit."""
    expected_at: float | None = None
    """When Slurm plans to start it; only of waiting jobs, None without a plan."""
    time_limit_seconds: float | None = None
    """None when unlimited, too."""
    cpus: float | None = None
    memory_bytes: float | None = None
    gpus: float | None = None
    """Held, or asked for while it waits; 0 when it wants none."""
    node_count: float | None = None
    priority: float | None = None
    array_tasks: int | None = None
    """Tasks that are folded into this record; None when it is one job."""


@dataclass(frozen=True)
class GpuHold:
    """A GPU that a job holds, or has a share of."""

    job_id: str
    node: str
    index: int
    """Slurm's number of it on that node."""
    type: str
    """Slurm's type; empty when it has none."""
    share: str
    """whole, mig or shard."""


@dataclass(frozen=True)
class JobCount:
    """Jobs that agree in all of these, counted: every one that Slurm remembers, array tasks one by one."""

    state: str
    """As in a job; also completed, failed, timeout, cancelled, node_fail, preempted, out_of_memory, ..."""
    reason: str
    user: str
    account: str
    partition: str
    jobs: int
    cpus: float
    gpus: float
    oldest: float | None = None
    """When the first of them was submitted."""


@dataclass(frozen=True)
class NodeGpus:
    """The GPUs of one type in a node."""

    type: str
    total: int
    allocated: int
    """Given to jobs as wholes or as MIG slices."""
    shared: int = 0
    """Of which jobs use shards; not among the allocated."""


@dataclass(frozen=True)
class SlurmNode:
    """One node, in however many partitions it is."""

    name: str
    state: str
    """Base state in lower case: idle, mixed, allocated, down, future, unknown, ..."""
    flags: tuple[str, ...] = ()
    """What is added to it: drain, planned, completing, not_responding, maint, reserved, ..."""
    reason: str = ""
    reason_user: str = ""
    features: str = ""
    state_since: float | None = None
    partitions: tuple[str, ...] = ()
    cpus: int = 0
    cpus_allocated: int = 0
    cpus_idle: int = 0
    cpus_other: int = 0
    """On nodes that take no jobs."""
    memory_bytes: float | None = None
    memory_allocated_bytes: float | None = None
    gpus: tuple[NodeGpus, ...] = ()
    shards: int = 0
    shards_allocated: int | None = 0
    """None when Slurm does not count them (up to 23.02) and not all jobs that hold some are known."""


@dataclass(frozen=True)
class SlurmPartition:
    """One partition."""

    name: str
    state: str
    """In lower case: up, down, drain, inactive."""
    is_default: bool = False
    qos: str = ""
    max_time_seconds: float | None = None
    """None when unlimited, as everywhere here."""
    default_time_seconds: float | None = None
    max_nodes: float | None = None


@dataclass(frozen=True)
class SlurmReservation:
    """One reservation."""

    name: str
    state: str
    nodes: str = ""
    users: str = ""
    accounts: str = ""
    partition: str = ""
    flags: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    node_count: float | None = None


@dataclass(frozen=True)
class Scheduler:
    """What sdiag says; times of cycles are microseconds."""

    threads: float | None = None
    queue_size: float | None = None
    dbd_queue_size: float | None = None
    last_cycle: float | None = None
    mean_cycle: float | None = None
    cycle_per_minute: float | None = None
    backfill_last_cycle: float | None = None
    backfill_mean_cycle: float | None = None
    backfill_depth_mean: float | None = None
    backfilled_jobs_since_start: float | None = None
    backfilled_jobs_since_cycle: float | None = None
    backfilled_heterogeneous: float | None = None


@dataclass(frozen=True)
class AccountShare:
    """The fair share of one account, 0 to 1."""

    account: str
    fairshare: float


@dataclass(frozen=True)
class FinishedJob:
    """A job that ended lately."""

    job_id: str
    user: str
    account: str
    partition: str
    state: str
    exit_code: str
    """Slurm's "1:0": exit status and signal; empty when not known."""
    ended_at: float | None


@dataclass(frozen=True)
class CommandResult:
    """How the last run of one command went."""

    name: str
    is_ok: bool
    seconds: float
    error: str = ""
    """One sentence; empty when it went well."""
    succeeded_at: float | None = None
    """When it last went well; None when it never did."""


@dataclass(frozen=True)
class Reading:
    """All that was read at one time."""

    taken_at: float
    """When it was complete."""
    is_up: bool
    """Whether Slurm told its queue and its nodes; else all but the commands is empty."""
    commands: tuple[CommandResult, ...] = ()
    slurm_version: str = ""
    cluster: str = ""
    jobs: tuple[SlurmJob, ...] = ()
    holds: tuple[GpuHold, ...] = ()
    queue: tuple[JobCount, ...] = ()
    """Everything that Slurm remembers, also what is not among `jobs`."""
    nodes: tuple[SlurmNode, ...] = ()
    partitions: tuple[SlurmPartition, ...] = ()
    reservations: tuple[SlurmReservation, ...] = ()
    scheduler: Scheduler | None = None
    """None when sdiag did not answer."""
    shares: tuple[AccountShare, ...] = ()
    finished: tuple[FinishedJob, ...] = ()
    """The newest ones, at most 200."""
    finished_counts: tuple[tuple[str, str, int], ...] = ()
    """Partition, state and how many ended within the window."""
    finished_window_seconds: float = 3600.0
    left_out: tuple[tuple[str, int], ...] = ()
    """What is not told one by one, and how many of it: pending_jobs, users, accounts."""
    jobs_without_gpu_map: int = 0
    """Running jobs with GPUs of which nobody could tell which ones."""
    hidden: tuple[str, ...] = ()
    """What Slurm keeps from the exporter's user: jobs, nodes, ..."""

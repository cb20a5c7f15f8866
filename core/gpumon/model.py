"""What a cluster is to gpumon: GPUs, nodes, jobs and what is known about each, as one immutable snapshot.

None always means "not known", never 0; the snapshot says why (`ClusterSnapshot.why_missing`). Times are seconds since
the epoch, shares run from 0 to 1, memory is in bytes. All classes are frozen msgspec Structs: they are
made and compared several times faster than dataclasses, and defining one costs a fiftieth, for which every start waits.
Those that exist ten thousand times and hold no cycles are left out of the collector's rounds (`gc=False`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from types import MappingProxyType

import msgspec


class Attribution(Enum):
    """How it is known which jobs hold a GPU; best first."""

    LABEL = "label"
    """dcgm-exporter itself names the job (hpc_job, jobid)."""
    UUID = "uuid"
    """Slurm's allocation, and the node's own map from Slurm's index to the card."""
    INDEX = "index"
    """Slurm's allocation, its index taken for the driver's: wrong where gres.conf is not in PCI order."""
    NODE = "node"
    """One job holds the whole node."""
    JOB_EXPORTER = "job exporter"
    """jobstats' or soperator's series."""


class MigInstance(msgspec.Struct, frozen=True, gc=False):
    """A slice of a GPU in multi-instance mode."""

    id: str
    """GPU_I_ID: the GPU instance's number on its card."""
    profile: str
    """GPU_I_PROFILE, for instance "1g.10gb"; empty when the exporter does not name it."""


class GpuDevice(msgspec.Struct, frozen=True, gc=False):
    """What a GPU is, as opposed to what it does: it changes with a reboot or a repair."""

    uuid: str
    """The card's identity, "GPU-..."; all slices of one card share it."""
    node: str
    """The node it sits in, by the name Slurm uses."""
    index: int | None = None
    """The driver's number for it on its node (DCGM's and NVML's, not /dev/nvidiaN's minor)."""
    mig: MigInstance | None = None
    """Which slice of the card this is; None for a whole card."""
    model: str | None = None
    """For instance "NVIDIA A100-SXM4-80GB"."""
    driver: str | None = None
    """The driver's version."""
    pci_bus_id: str | None = None
    memory_total_bytes: float | None = None
    """Framebuffer: used, free and reserved together."""
    instance: str = ""
    """The Prometheus target that tells about it, for instance "gpu01:9400"."""

    @property
    def key(self) -> str:
        """Unique in a cluster and stable: the UUID, with the MIG instance's number behind a slash."""
        return self.uuid if self.mig is None else f"{self.uuid}/{self.mig.id}"

    @property
    def number(self) -> str:
        """How people name it on its node: "3", or "3.7" for MIG instance 7 of card 3, "?" when unknown."""
        card = "?" if self.index is None else str(self.index)
        return card if self.mig is None else f"{card}.{self.mig.id}"


class GpuDetail(msgspec.Struct, frozen=True, gc=False):
    """What is looked at one GPU at a time, or changes rarely: clocks, energy, traffic, errors."""

    memory_free_bytes: float | None = None
    memory_temperature_celsius: float | None = None
    sm_clock_megahertz: float | None = None
    memory_clock_megahertz: float | None = None
    energy_joules: float | None = None
    """Since the driver was loaded."""
    power_limit_watts: float | None = None
    memory_copy_share: float | None = None
    """Share of time in which memory was read or written (DCGM's MEM_COPY_UTIL)."""
    encoder_share: float | None = None
    decoder_share: float | None = None
    sm_occupancy: float | None = None
    pcie_sent_bytes_per_second: float | None = None
    pcie_received_bytes_per_second: float | None = None
    nvlink_sent_bytes_per_second: float | None = None
    nvlink_received_bytes_per_second: float | None = None
    pcie_replays: float | None = None
    """Retransmissions on the PCIe link since boot."""
    ecc_corrected: float | None = None
    """Single-bit errors since the driver was loaded."""
    ecc_uncorrected: float | None = None
    """Double-bit errors since the driver was loaded."""
    remapped_rows_corrected: float | None = None
    remapped_rows_uncorrected: float | None = None
    xid: int | None = None
    """The last XID error since the exporter started, 0 when there was none: the value stays until another comes."""
    xid_recent: int | None = None
    """XID errors counted within the exporter's window (DCGM_EXP_XID_ERRORS_COUNT)."""
    row_remap_failed: bool | None = None
    row_remap_pending: bool | None = None
    throttle_reasons: tuple[str, ...] | None = None
    """Why clocks are held down, in words; () when they are not; "idle" is not listed."""
    sampled_at: float | None = None
    """When these were scraped; above a few thousand GPUs they are read more rarely than the rest."""


NO_DETAIL = GpuDetail()
"""A GPU about which none of the rarer facts is known."""


class Gpu(msgspec.Struct, frozen=True, gc=False):
    """One GPU, or one MIG slice of one, as Prometheus last saw it."""

    device: GpuDevice
    utilization: float | None = None
    """Busy share, 0 to 1: DCGM's GPU_UTIL, or the graphics engine's active share where that is all there is (MIG)."""
    engine_active: float | None = None
    """Share of time in which the graphics or compute engine was active (PROF_GR_ENGINE_ACTIVE)."""
    sm_active: float | None = None
    """Share of time in which a multiprocessor had work, averaged over all of them (PROF_SM_ACTIVE)."""
    tensor_active: float | None = None
    dram_active: float | None = None
    memory_used_bytes: float | None = None
    temperature_celsius: float | None = None
    power_watts: float | None = None
    """The whole card's draw: every MIG slice of a card repeats it, so it is summed by card."""
    detail: GpuDetail = NO_DETAIL
    jobs: tuple[str, ...] | None = None
    """Ids of the jobs that hold it, as in `Job.id`; () when known to be free; None when nothing tells."""
    sampled_at: float | None = None
    """When its exporter was last scraped with success."""
    is_stale: bool = False
    """True when the values are older than a few scrape intervals: the exporter fell silent."""
    held_by: Attribution | None = None
    """How `jobs` is known; None when nothing tells."""
    idle_since: float | None = None
    """Since when its utilization has stayed below the idle share although a job holds it, as far as history was
    looked at and never before its job began; None when it is busy, free or silent, or its history was not read."""

    @property
    def key(self) -> str:
        """Unique in a cluster and stable."""
        return self.device.key

    @property
    def node(self) -> str:
        """The node it sits in."""
        return self.device.node

    @property
    def memory_share(self) -> float | None:
        """Used part of the framebuffer."""
        total, used = self.device.memory_total_bytes, self.memory_used_bytes
        return None if used is None or not total else used / total


class Filesystem(msgspec.Struct, frozen=True, gc=False):
    """One mounted disk of a node."""

    mountpoint: str
    size_bytes: float
    available_bytes: float
    """What an unprivileged user can still write."""

    @property
    def used_share(self) -> float | None:
        """Share that is taken; None for a filesystem without a size."""
        return None if not self.size_bytes else 1 - self.available_bytes / self.size_bytes


class GpuCount(msgspec.Struct, frozen=True, gc=False):
    """GPUs of one type on a node, as Slurm counts them: each MIG slice is one."""

    type: str
    """Slurm's GRES type: "h100", "a100_1g.5gb"; "" where gres.conf names none."""
    total: float
    allocated: float
    """Held by jobs as whole GPUs or MIG slices."""
    shared: float = 0.0
    """Not allocated as such, but parts (shards) of them are held: not free for a job that wants a GPU."""


class NodeSlurm(msgspec.Struct, frozen=True, gc=False):
    """What Slurm says about a node."""

    state: str | None = None
    """The base state in lower case: "idle", "mixed", "allocated", "down", ..."""
    flags: tuple[str, ...] = ()
    """Flags beside the state: "drain", "completing", "reserved", ..."""
    reason: str | None = None
    """Why an administrator or Slurm took it out of use; written by people."""
    reason_user: str | None = None
    since: float | None = None
    """When that state or reason began."""
    partitions: tuple[str, ...] = ()
    cpus_total: float | None = None
    cpus_allocated: float | None = None
    memory_total_bytes: float | None = None
    memory_allocated_bytes: float | None = None
    gpus_total: float | None = None
    """GPUs that Slurm has configured there, MIG slices counted as they are configured."""
    gpus_allocated: float | None = None
    gpus_by_type: tuple[GpuCount, ...] = ()
    """By Slurm's type, in the order of their names; () when no exporter tells types."""

    @property
    def is_out_of_use(self) -> bool:
        """True when it takes no new jobs: down, drained, draining or failing."""
        words = {self.state or "", *self.flags}
        return bool(words & {"down", "drain", "drained", "draining", "fail", "failing", "error", "not_responding"})

    @property
    def words(self) -> str:
        """State and flags in one expression: "mixed+drain"; "" when Slurm does not tell."""
        return "+".join((self.state or "", *self.flags)).strip("+")


class Exporter(msgspec.Struct, frozen=True, gc=False):
    """One scrape target that tells about a node."""

    kind: str
    """"node", "dcgm", "slurm" or "other"."""
    job: str
    instance: str
    is_up: bool
    scraped_at: float | None = None
    """When it was last scraped with success; None when never within the time looked at."""


class Node(msgspec.Struct, frozen=True, gc=False):
    """One machine of the cluster."""

    name: str
    """The name Slurm uses: short, without domain and port."""
    cpu_share: float | None = None
    """Busy share of all cores between the last two scrapes."""
    cores: int | None = None
    load1: float | None = None
    load5: float | None = None
    load15: float | None = None
    memory_total_bytes: float | None = None
    memory_available_bytes: float | None = None
    filesystems: tuple[Filesystem, ...] = ()
    """Real disks, fullest first; temporary and container mounts left out."""
    disk_read_bytes_per_second: float | None = None
    disk_written_bytes_per_second: float | None = None
    network_received_bytes_per_second: float | None = None
    network_sent_bytes_per_second: float | None = None
    booted_at: float | None = None
    slurm: NodeSlurm | None = None
    """None when no Slurm exporter names the node."""
    gpus: tuple[str, ...] = ()
    """Keys of its GPUs, in the order of their numbers."""
    exporters: tuple[Exporter, ...] = ()
    sampled_at: float | None = None
    """When its node_exporter was last scraped with success; None without one."""
    is_stale: bool = False
    """True when node_exporter's values are older than a few scrape intervals."""

    @property
    def memory_used_share(self) -> float | None:
        """Share of memory that programs cannot have any more."""
        total, free = self.memory_total_bytes, self.memory_available_bytes
        return None if free is None or not total else 1 - free / total

    @property
    def disk_used_share(self) -> float | None:
        """Of the fullest disk."""
        return self.filesystems[0].used_share if self.filesystems else None


class SlurmGpu(msgspec.Struct, frozen=True, gc=False):
    """A GPU as Slurm gives it out, whether or not an exporter tells of the card."""

    node: str
    index: int
    """Slurm's own number of it on that node; every MIG slice has one."""
    type: str = ""
    """Slurm's GRES type, as in `GpuCount`."""
    share: str = "whole"
    """"whole", "mig" or "shard"."""


class Job(msgspec.Struct, frozen=True, gc=False):
    """One job of the queue, or one task of a job array."""

    id: str
    """The raw job id, unique: array tasks have their own."""
    user: str = ""
    account: str = ""
    partition: str = ""
    qos: str = ""
    name: str = ""
    """Chosen by its user: may hold anything."""
    state: str = ""
    """Lower case: "running", "pending", ..."""
    reason: str = ""
    """Why it waits, in Slurm's word: "Resources", "Priority", ...; empty when it does not."""
    nodes: str = ""
    """Its nodes as Slurm's hostlist: "gpu[01-02]"; empty while it waits."""
    array_job_id: str = ""
    array_task_id: str = ""
    """One number, or Slurm's range for tasks that still wait together: "3-199:2%4"."""
    het_job_id: str = ""
    submitted_at: float | None = None
    started_at: float | None = None
    ends_at: float | None = None
    """When its time limit is reached."""
    eligible_at: float | None = None
    """When it may start at the earliest, dependencies and begin times met."""
    expected_at: float | None = None
    """When Slurm expects a waiting job to start; None when it made no plan for it."""
    time_limit_seconds: float | None = None
    """None when unlimited or unknown."""
    cpus: float | None = None
    memory_bytes: float | None = None
    gpus: float | None = None
    """How many GPUs it holds or asks for."""
    node_count: float | None = None
    priority: float | None = None
    tasks: float | None = None
    """How many tasks of its array wait together in this record; None for a job that is no such record."""
    held: tuple[str, ...] = ()
    """Keys of the GPUs it holds, where they are known."""
    allocated: tuple[SlurmGpu, ...] = ()
    """What Slurm gave it, by nodes and numbers; () when it holds nothing, and when nobody tells."""

    @property
    def shown_id(self) -> str:
        """As Slurm's tools print it: "24_3" for task 3 of array 24."""
        return f"{self.array_job_id}_{self.array_task_id}" if self.array_task_id else self.id


class Partition(msgspec.Struct, frozen=True):
    """One partition and how full it is."""

    name: str
    cpus_total: float | None = None
    cpus_allocated: float | None = None
    cpus_idle: float | None = None
    nodes: float | None = None
    gpus_total: float | None = None
    gpus_allocated: float | None = None
    jobs_running: float | None = None
    jobs_pending: float | None = None
    state: str = ""
    """Lower case: "up", "down", "drain", "inactive"; empty when the exporter does not tell."""
    max_time_seconds: float | None = None
    """The longest time limit a job may have; None when unlimited or unknown."""


class UserUsage(msgspec.Struct, frozen=True):
    """What one user has in the queue."""

    name: str
    jobs_running: float | None = None
    jobs_pending: float | None = None
    jobs_suspended: float | None = None
    cpus_running: float | None = None
    gpus_running: float | None = None


class AccountUsage(msgspec.Struct, frozen=True):
    """What one account has in the queue."""

    name: str
    jobs_running: float | None = None
    jobs_pending: float | None = None
    jobs_suspended: float | None = None
    cpus_running: float | None = None
    gpus_running: float | None = None
    fairshare: float | None = None


class Reservation(msgspec.Struct, frozen=True):
    """A set of nodes kept for somebody or something."""

    name: str
    state: str = ""
    nodes: str = ""
    users: str = ""
    flags: str = ""
    starts_at: float | None = None
    ends_at: float | None = None
    node_count: float | None = None


class Queue(msgspec.Struct, frozen=True):
    """Slurm's queue in numbers."""

    by_state: Mapping[str, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Jobs by state in lower case ("running", "pending", "completing", ...), as far as the exporter counts them."""
    pending_reasons: Mapping[str, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Pending jobs by Slurm's reason; empty when the exporter does not tell."""
    nodes_by_state: Mapping[str, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Nodes by state in lower case, each node once."""
    cpus_total: float | None = None
    cpus_allocated: float | None = None
    gpus_total: float | None = None
    gpus_allocated: float | None = None
    oldest_pending_at: float | None = None
    """When the job was submitted that waits longest."""
    finished: Mapping[str, float] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Jobs that ended lately, by how ("completed", "failed", ...); empty when the exporter does not tell, too."""
    finished_window_seconds: float | None = None
    """How far back `finished` goes; None when the exporter does not tell."""


class Alert(msgspec.Struct, frozen=True):
    """One alert of Prometheus' own rules."""

    name: str
    state: str
    """"firing" or "pending"."""
    severity: str = ""
    node: str | None = None
    """The node it is about, when its labels name one."""
    summary: str = ""
    """The rule's summary or description, filled in by Prometheus."""
    labels: tuple[tuple[str, str], ...] = ()
    since: float | None = None


class Target(msgspec.Struct, frozen=True):
    """One scrape target of Prometheus."""

    job: str
    instance: str
    node: str
    health: str
    """"up", "down" or "unknown"."""
    last_error: str = ""
    scraped_at: float | None = None
    """When it was last tried."""
    scrape_interval_seconds: float | None = None


class Lack(msgspec.Struct, frozen=True):
    """Something a source does not export, what that disables, and how to have it."""

    fields: tuple[str, ...]
    """Fields of the model that stay None because of it."""
    metric: str
    """The metric that is missing."""
    disables: str
    """In words: what cannot be shown."""
    remedy: str = ""
    """What to do, for instance the exact line for dcgm-exporter's counters file."""


class Dialect(msgspec.Struct, frozen=True):
    """One kind of exporter that was found, in which spelling, and what it lacks."""

    part: str
    """What it tells about: "gpus", "nodes", "slurm" or "jobs"."""
    name: str
    """For instance "dcgm-exporter", "node_exporter", "vpenso slurm exporter"."""
    variant: str = ""
    """Peculiarities: "label hostname", "hpc_job", "MIG", "no PROF fields"."""
    targets: int | None = None
    """How many scrape targets speak it."""
    newest_at: float | None = None
    """When the newest of their samples was scraped."""
    lacks: tuple[Lack, ...] = ()


class Severity(Enum):
    """How much a problem takes away."""

    NOTE = "note"
    """Worth knowing; nothing is missing."""
    WARNING = "warning"
    """Some numbers are missing or old."""
    ERROR = "error"
    """A whole part is missing."""


class Problem(msgspec.Struct, frozen=True):
    """Why a part of the picture is missing, old or doubtful."""

    part: str
    """Which part: "gpus", "nodes", "slurm", "jobs", "alerts", "targets" or "source"."""
    text: str
    """What is wrong and where, in one sentence."""
    advice: str = ""
    """What to do about it."""
    severity: Severity = Severity.WARNING


class Tier(Enum):
    """How much is read at each refresh; large clusters are read in turns."""

    REGEX = "everything, in one query"
    FULL = "everything, one query per metric"
    TURNS = "utilization of all GPUs, the rest in turns"


class ClusterSnapshot(msgspec.Struct, frozen=True, dict=True):
    """The whole cluster at one instant. Partial truth is normal: `problems` says what is missing."""

    taken_at: float = 0.0
    """By the clock of the server that holds the data; 0 before anything was read."""
    cluster: str = ""
    """The profile's name, "" for the only one."""
    source: str = ""
    """Where it was read: the server's URL without secrets, or the simulation's seed."""
    is_simulated: bool = False
    gpus: tuple[Gpu, ...] = ()
    """Ordered by node, number and MIG instance."""
    nodes: tuple[Node, ...] = ()
    """Ordered by name as people count: gpu2 before gpu10."""
    jobs: tuple[Job, ...] | None = None
    """Ordered by their numbers; None when no source tells of single jobs."""
    queue: Queue | None = None
    """None when no Slurm exporter was found."""
    partitions: tuple[Partition, ...] = ()
    users: tuple[UserUsage, ...] = ()
    accounts: tuple[AccountUsage, ...] = ()
    reservations: tuple[Reservation, ...] | None = None
    """None when no source tells."""
    alerts: tuple[Alert, ...] | None = None
    """None when the server has no alerts to ask for."""
    targets: tuple[Target, ...] | None = None
    """None when the server does not list its targets."""
    dialects: tuple[Dialect, ...] = ()
    problems: tuple[Problem, ...] = ()
    tier: Tier = Tier.REGEX
    scrape_interval_seconds: float | None = None
    """How often the server scrapes GPUs, as it says itself."""
    queries: int = 0
    """Requests that this refresh took."""
    read_seconds: float = 0.0
    """From the first request to the finished snapshot."""

    @cached_property
    def gpu_by_key(self) -> Mapping[str, Gpu]:
        """Every GPU by its key."""
        return MappingProxyType({gpu.device.key: gpu for gpu in self.gpus})

    @cached_property
    def node_by_name(self) -> Mapping[str, Node]:
        """Every node by its name."""
        return MappingProxyType({node.name: node for node in self.nodes})

    @cached_property
    def job_by_id(self) -> Mapping[str, Job]:
        """Every job by its raw id; empty when single jobs are not known."""
        return MappingProxyType({job.id: job for job in self.jobs or ()})

    def gpus_of(self, node: str) -> tuple[Gpu, ...]:
        """The GPUs of one node in the order of their numbers; () for a node that is not known."""
        found, by_key = self.node_by_name.get(node), self.gpu_by_key
        return tuple([by_key[key] for key in found.gpus if key in by_key]) if found else ()

    def users_of(self, gpu: Gpu) -> tuple[str, ...] | None:
        """Who holds a GPU; () when it is free; None when nothing tells, also when its jobs are but numbers."""
        if gpu.jobs is None:
            return None
        found = tuple(dict.fromkeys(self.job_by_id[job].user for job in gpu.jobs if job in self.job_by_id))
        return None if gpu.jobs and not found else found

    def why_missing(self, part: str, name: str) -> str:
        """Why field `name` is None in `part` ("gpus", "nodes", "slurm", "jobs"): the best reason known, in words."""
        parts = {part, "slurm"} if part == "jobs" else {part}  # whoever tells of jobs is an exporter of Slurm
        for dialect in self.dialects:
            for lack in dialect.lacks:
                if dialect.part in parts and name in lack.fields:
                    return f"{lack.metric} is not exported by {dialect.name}"
        for problem in self.problems:
            # a lesser one (one silent exporter, say) is no reason for the dashes of others
            if problem.part in parts and problem.severity is Severity.ERROR:
                return problem.text
        if self.tier is Tier.TURNS and part == "gpus":
            return "not read yet: a cluster of this size is read in turns"
        if any(dialect.part == part for dialect in self.dialects):
            return "no sample for it in the last scrape"
        nobody = {
            "gpus": "no GPU exporter found",
            "nodes": "no node_exporter found",
            "jobs": "no exporter tells of jobs",
        }
        return nobody.get(part, "no Slurm exporter found")

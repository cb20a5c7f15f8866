"""The names of vpenso's exporter, which dashboards everywhere use, with its meaning and without its mistakes.

GPUs count in every spelling, with MIG slices, with cards that are used by shards, and in use on draining nodes, too;
a node is counted once, however many partitions it is in, and under one word, without the marks that sinfo adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gpumon_exporter.metrics.exposition import Family, Samples
from gpumon_exporter.metrics.nodes import gpus_of, is_usable
from gpumon_exporter.metrics.queue import summed
from gpumon_exporter.slurm.records import JobCount, Reading, Scheduler, SlurmNode

NODE_WORDS = ("alloc", "comp", "down", "drain", "err", "fail", "idle", "maint", "mix", "resv")
QUEUE_STATES = (
    "pending", "running", "suspended", "cancelled", "completing", "completed", "configuring", "failed", "timeout",
    "preempted", "node_fail",
)  # fmt: skip
JOBS = (("jobs_pending", "pending"), ("jobs_running", "running"), ("jobs_suspended", "suspended"))
CPUS: tuple[tuple[str, str, Callable[[SlurmNode], float]], ...] = (
    ("alloc", "Allocated CPUs", lambda node: node.cpus_allocated),
    ("idle", "Idle CPUs", lambda node: node.cpus_idle),
    ("other", "Other CPUs", lambda node: node.cpus_other),
    ("total", "Total CPUs", lambda node: node.cpus),
)
MEMORY: tuple[tuple[str, str, Callable[[SlurmNode], float | None]], ...] = (
    ("mem_alloc", "Allocated memory per node, in MiB", lambda node: node.memory_allocated_bytes),
    ("mem_total", "Total memory per node, in MiB", lambda node: node.memory_bytes),
)
SCHEDULER: tuple[tuple[str, str, Callable[[Scheduler], float | None]], ...] = (
    ("threads", "number of scheduler threads", lambda told: told.threads),
    ("queue_size", "length of the scheduler queue", lambda told: told.queue_size),
    ("dbd_queue_size", "length of the DBD agent queue", lambda told: told.dbd_queue_size),
    ("last_cycle", "scheduler last cycle time in microseconds", lambda told: told.last_cycle),
    ("mean_cycle", "scheduler mean cycle time in microseconds", lambda told: told.mean_cycle),
    ("cycle_per_minute", "number of scheduler cycles per minute", lambda told: told.cycle_per_minute),
    ("backfill_last_cycle", "backfill last cycle time in microseconds", lambda told: told.backfill_last_cycle),
    ("backfill_mean_cycle", "backfill mean cycle time in microseconds", lambda told: told.backfill_mean_cycle),
    ("backfill_depth_mean", "backfill mean depth", lambda told: told.backfill_depth_mean),
    (
        "backfilled_jobs_since_start_total",
        "jobs started by backfilling since Slurm started",
        lambda told: told.backfilled_jobs_since_start,
    ),
    (
        "backfilled_jobs_since_cycle_total",
        "jobs started by backfilling since the statistics were reset",
        lambda told: told.backfilled_jobs_since_cycle,
    ),
    (
        "backfilled_heterogeneous_total",
        "heterogeneous job components started by backfilling since Slurm started",
        lambda told: told.backfilled_heterogeneous,
    ),
)
FAIRSHARE = Family("slurm_account_fairshare", "FairShare for account, 0 to 1", ("account",))
_MIB = 2**20


def vpenso_families(reading: Reading) -> Iterator[tuple[Family, Samples]]:
    """The whole block."""
    yield from _cpus(reading.nodes)
    yield from _gpus(reading.nodes)
    yield from _nodes(reading.nodes)
    yield from _queue(reading.queue)
    yield from _partitions(reading)
    for whose, of in _OWNERS:
        yield from _usage(reading.queue, whose, of)
    yield FAIRSHARE, (((share.account,), share.fairshare) for share in reading.shares)
    if reading.scheduler:
        for suffix, words, value in SCHEDULER:
            family = Family(f"slurm_scheduler_{suffix}", f"Information provided by the Slurm sdiag command, {words}")
            yield family, [((), value(reading.scheduler))]


def word_of(node: SlurmNode) -> str:
    """A node's state in one word, as sinfo says it, without the marks behind it."""
    is_working = node.state in ("allocated", "mixed") or "completing" in node.flags
    if "drain" in node.flags:
        return "draining" if is_working else "drained"
    if "fail" in node.flags:
        return "failing" if is_working else "fail"
    if node.state == "idle" and "maint" in node.flags:
        return "maint"
    if "completing" in node.flags and node.state != "allocated":
        return "completing"
    if node.state == "idle" and "reserved" in node.flags:
        return "reserved"
    return node.state


def _cpus(nodes: Iterable[SlurmNode]) -> Iterator[tuple[Family, Samples]]:
    for suffix, words, value in CPUS:
        yield Family(f"slurm_cpus_{suffix}", words), [((), sum(map(value, nodes)))]


def _gpus(nodes: Iterable[SlurmNode]) -> Iterator[tuple[Family, Samples]]:
    total, used, idle = 0.0, 0.0, 0.0
    for node in nodes:
        of_node = gpus_of(node)
        used_of_node = min(of_node, sum(gpus.allocated + gpus.shared for gpus in node.gpus))
        total, used = total + of_node, used + used_of_node
        if is_usable(node):
            idle += of_node - used_of_node
    for suffix, words, value in (
        ("alloc", "GPUs in use, whole, as MIG slices or by shards", used),
        ("idle", "GPUs that are free on nodes that take jobs", idle),
        ("other", "GPUs that are free on nodes that take no jobs", total - used - idle),
        ("total", "Total GPUs, a MIG slice counting as one", total),
    ):
        yield Family(f"slurm_gpus_{suffix}", words), [((), value)]
    share = used / total if total else None
    yield Family("slurm_gpus_utilization", "Share of all GPUs that is in use, 0 to 1"), [((), share)]


def _nodes(nodes: Iterable[SlurmNode]) -> Iterator[tuple[Family, Samples]]:
    words = [(node, word_of(node)) for node in nodes]
    for suffix in NODE_WORDS:
        count = sum(word.startswith(suffix[:3]) for _, word in words)
        yield Family(f"slurm_nodes_{suffix}", f"Nodes in a state that begins with {suffix[:3]}"), [((), count)]
    labels = ("node", "status")
    for suffix, text, value in CPUS:
        family = Family(f"slurm_node_cpu_{suffix}", f"{text} per node", labels)
        yield family, [((node.name, word), value(node)) for node, word in words]
    for suffix, text, size in MEMORY:
        yield (
            Family(f"slurm_node_{suffix}", text, labels),
            [((node.name, word), _mib(size(node))) for node, word in words],
        )


def _mib(size: float | None) -> float | None:
    return None if size is None else size / _MIB


def _queue(counts: Iterable[JobCount]) -> Iterator[tuple[Family, Samples]]:
    for state in QUEUE_STATES:
        number = sum(count.jobs for count in counts if count.state == state)
        yield Family(f"slurm_queue_{state}", f"Jobs in the queue: {state}"), [((), number)]
    number = sum(count.jobs for count in counts if count.state == "pending" and count.reason == "Dependency")
    yield Family("slurm_queue_pending_dependency", "Pending jobs because of dependency in queue"), [((), number)]


def _partitions(reading: Reading) -> Iterator[tuple[Family, Samples]]:
    for suffix, words, value in CPUS:
        totals: dict[str, float] = {}
        for node in reading.nodes:
            for name in node.partitions:
                totals[name] = totals.get(name, 0.0) + value(node)
        name = "allocated" if suffix == "alloc" else suffix
        family = Family(f"slurm_partition_cpus_{name}", f"{words} for partition", ("partition",))
        yield family, [((name,), total) for name, total in sorted(totals.items())]
    for suffix, state in JOBS[:2]:
        family = Family(f"slurm_partition_{suffix}", f"{state.capitalize()} jobs for partition", ("partition",))
        yield family, _in_partitions(reading.queue, state)


def _in_partitions(counts: Iterable[JobCount], state: str) -> Samples:
    """A job that may start in several partitions waits in each of them."""
    totals: dict[str, int] = {}
    for count in counts:
        if count.state == state:
            for partition in count.partition.split(","):
                totals[partition] = totals.get(partition, 0) + count.jobs
    return [((partition,), total) for partition, total in sorted(totals.items())]


_OWNERS: tuple[tuple[str, Callable[[JobCount], str]], ...] = (
    ("account", lambda count: count.account),
    ("user", lambda count: count.user),
)


def _usage(counts: Iterable[JobCount], whose: str, of: Callable[[JobCount], str]) -> Iterator[tuple[Family, Samples]]:
    for suffix, state in JOBS:
        family = Family(f"slurm_{whose}_{suffix}", f"{state.capitalize()} jobs for {whose}", (whose,))
        alike = [count for count in counts if count.state == state]
        yield family, summed(alike, lambda count: (of(count),), lambda count: count.jobs)
    family = Family(f"slurm_{whose}_cpus_running", f"Running cpus for {whose}", (whose,))
    running = [count for count in counts if count.state == "running"]
    yield family, summed(running, lambda count: (of(count),), lambda count: count.cpus)

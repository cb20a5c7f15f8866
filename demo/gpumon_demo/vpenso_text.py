"""Slurm under the names of vpenso's exporter, which gpumon's own keeps so that existing dashboards go on working."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gpumon.model import AccountUsage, NodeSlurm, Partition, UserUsage
from gpumon_demo.chance import draw
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page

_MIB = 2**20
_NODE_WORDS = ("alloc", "comp", "down", "drain", "err", "fail", "idle", "maint", "mix", "resv")
_Numbers = Sequence[tuple[str, str, Callable[[NodeSlurm], float]]]


def _total(node: NodeSlurm) -> float:
    return node.cpus_total or 0.0


def _taken(node: NodeSlurm) -> float:
    return node.cpus_allocated or 0.0


def _free(node: NodeSlurm) -> float:
    """CPUs of a node that it would give to a job."""
    return 0.0 if node.is_out_of_use else _total(node) - _taken(node)


_CPUS: _Numbers = (
    ("alloc", "Allocated CPUs", _taken),
    ("idle", "Idle CPUs", _free),
    ("other", "Other CPUs", lambda node: _total(node) - _taken(node) - _free(node)),
    ("total", "Total CPUs", _total),
)
_MEMORY: _Numbers = (
    ("mem_alloc", "Allocated memory per node, in MiB", lambda node: (node.memory_allocated_bytes or 0.0) / _MIB),
    ("mem_total", "Total memory per node, in MiB", lambda node: (node.memory_total_bytes or 0.0) / _MIB),
)
_PARTITION: Sequence[tuple[str, str, Callable[[Partition], float]]] = (
    ("cpus_allocated", "Allocated CPUs", lambda one: one.cpus_allocated or 0.0),
    ("cpus_idle", "Idle CPUs", lambda one: one.cpus_idle or 0.0),
    ("cpus_other", "Other CPUs",
     lambda one: (one.cpus_total or 0.0) - (one.cpus_allocated or 0.0) - (one.cpus_idle or 0.0)),
    ("cpus_total", "Total CPUs", lambda one: one.cpus_total or 0.0),
)  # fmt: skip
_PARTITION_JOBS: Sequence[tuple[str, Callable[[Partition], float | None]]] = (
    ("pending", lambda one: one.jobs_pending),
    ("running", lambda one: one.jobs_running),
)
_USAGE: Sequence[tuple[str, str, Callable[[UserUsage | AccountUsage], float | None]]] = (
    ("jobs_pending", "Pending jobs", lambda one: one.jobs_pending),
    ("jobs_running", "Running jobs", lambda one: one.jobs_running),
    ("jobs_suspended", "Suspended jobs", lambda one: one.jobs_suspended),
    ("cpus_running", "Running cpus", lambda one: one.cpus_running),
)


def put_vpenso(page: Page, cluster: Cluster) -> None:
    """The whole block."""
    nodes = cluster.slurm_nodes
    for suffix, text, told in _CPUS:
        page.family(f"slurm_cpus_{suffix}", "gauge", text, [({}, sum(map(told, nodes.values())))])
    _gpus(page, nodes.values())
    _nodes(page, nodes)
    _queue(page, cluster)
    _partitions(page, cluster)
    _usage(page, "account", cluster.accounts)
    _usage(page, "user", cluster.users)
    shares = [({"account": one.name}, one.fairshare or 0.0) for one in cluster.accounts]
    page.family("slurm_account_fairshare", "gauge", "FairShare for account, 0 to 1", shares)
    _scheduler(page, cluster)


def word(node: NodeSlurm) -> str:
    """A node's state in one word, as sinfo says it, without the marks behind it."""
    if "drain" in node.flags:
        return "draining" if node.state in {"allocated", "mixed"} else "drained"
    if "completing" in node.flags and node.state != "allocated":
        return "completing"
    return "reserved" if node.state == "idle" and "reserved" in node.flags else node.state or ""


def _gpus(page: Page, nodes: Iterable[NodeSlurm]) -> None:
    total = used = idle = 0.0
    for node in nodes:
        of_node = sum(count.total for count in node.gpus_by_type)
        used_of_node = sum(count.allocated + count.shared for count in node.gpus_by_type)
        total, used = total + of_node, used + used_of_node
        idle += 0.0 if node.is_out_of_use else of_node - used_of_node
    for suffix, text, value in (
        ("alloc", "GPUs in use, whole, as MIG slices or by shards", used),
        ("idle", "GPUs that are free on nodes that take jobs", idle),
        ("other", "GPUs that are free on nodes that take no jobs", total - used - idle),
        ("total", "Total GPUs, a MIG slice counting as one", total),
    ):
        page.family(f"slurm_gpus_{suffix}", "gauge", text, [({}, value)])
    share = used / total if total else 0.0
    page.family("slurm_gpus_utilization", "gauge", "Share of all GPUs that is in use, 0 to 1", [({}, share)])


def _nodes(page: Page, nodes: Mapping[str, NodeSlurm]) -> None:
    words = {name: word(node) for name, node in nodes.items()}
    for begin in _NODE_WORDS:
        count = sum(one.startswith(begin[:3]) for one in words.values())
        page.family(f"slurm_nodes_{begin}", "gauge", f"Nodes in a state that begins with {begin[:3]}", [({}, count)])
    cpus = [(f"cpu_{suffix}", f"{text} per node", told) for suffix, text, told in _CPUS]
    for suffix, text, told in (*cpus, *_MEMORY):
        rows = [({"node": name, "status": words[name]}, told(node)) for name, node in nodes.items()]
        page.family(f"slurm_node_{suffix}", "gauge", text, rows)


def _queue(page: Page, cluster: Cluster) -> None:
    states = dict(cluster.queue.by_state)
    pending = cluster.tally.pending().items()
    states["pending_dependency"] = sum(demand.jobs for (_, reason), demand in pending if reason == "Dependency")
    for state, jobs in states.items():
        text = "Jobs that wait for another one" if state == "pending_dependency" else f"Jobs in state {state}"
        page.family(f"slurm_queue_{state}", "gauge", text, [({}, jobs)])


def _partitions(page: Page, cluster: Cluster) -> None:
    for suffix, text, told in _PARTITION:
        rows = [({"partition": one.name}, told(one)) for one in cluster.partitions]
        page.family(f"slurm_partition_{suffix}", "gauge", f"{text} for partition", rows)
    for state, jobs_of in _PARTITION_JOBS:
        jobs = [({"partition": one.name}, number) for one in cluster.partitions if (number := jobs_of(one))]
        page.family(f"slurm_partition_jobs_{state}", "gauge", f"{state.capitalize()} jobs for partition", jobs)


def _usage(page: Page, whose: str, people: Sequence[UserUsage | AccountUsage]) -> None:
    """What each has; totals of nothing are left out."""
    for suffix, text, told in _USAGE:
        rows = [({whose: one.name}, value) for one in people if (value := told(one))]
        page.family(f"slurm_{whose}_{suffix}", "gauge", f"{text} for {whose}", rows)


def _scheduler(page: Page, cluster: Cluster) -> None:
    seed, moment, depth = cluster.simulation.seed, cluster.moment, len(cluster.jobs)
    for suffix, text, value in (
        ("threads", "number of scheduler threads", 3 + int(5 * draw(seed, moment, 95))),
        ("queue_size", "length of the scheduler queue", int(2 * draw(seed, moment, 96))),
        ("dbd_queue_size", "length of the DBD agent queue", 0),
        ("last_cycle", "scheduler last cycle time in microseconds", 200 + 3 * depth),
        ("mean_cycle", "scheduler mean cycle time in microseconds", 350 + 3 * depth),
        ("cycle_per_minute", "number of scheduler cycles per minute", 3),
        ("backfill_last_cycle", "backfill last cycle time in microseconds", 5000 + 40 * depth),
        ("backfill_mean_cycle", "backfill mean cycle time in microseconds", 6000 + 40 * depth),
        ("backfill_depth_mean", "backfill mean depth", min(depth, 1000)),
        ("backfilled_jobs_since_start_total", "jobs started by backfilling since Slurm started",
         moment % 1_000_000 // 97),
        ("backfilled_jobs_since_cycle_total", "jobs started by backfilling since the statistics were reset",
         moment % 86_400 // 97),
        ("backfilled_heterogeneous_total", "heterogeneous job components started by backfilling since Slurm started",
         moment % 1_000_000 // 97 // 40),
    ):  # fmt: skip
        help_text = f"Information provided by the Slurm sdiag command, {text}"
        page.family(f"slurm_scheduler_{suffix}", "gauge", help_text, [({}, value)])

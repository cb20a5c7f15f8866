"""Slurm as gpumon's own exporter tells it: vpenso's aggregates, and jobs, GPUs, nodes and reasons under `gpumon_`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from gpumon.model import AccountUsage, Job, NodeSlurm, UserUsage
from gpumon_demo.chance import draw
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page
from gpumon_demo.workload import places

_Rows = Iterable[tuple[Mapping[str, str], float]]
_MIB = 2**20
_NODE_WORDS: tuple[str, ...] = ("alloc", "comp", "down", "drain", "err", "fail", "idle", "maint", "mix", "resv")


def slurm(cluster: Cluster) -> str:
    """What the Slurm exporter answers."""
    page = Page()
    simulation = cluster.simulation
    page.family("gpumon_demo_info", "gauge", "Simulated data: the seed and size of the cluster that does not exist.",
                [({"seed": str(simulation.seed), "nodes": str(simulation.size)}, 1)])  # fmt: skip
    _jobs(page, cluster)
    _places(page, cluster)
    _nodes(page, cluster)
    _partitions(page, cluster)
    _usage(page, cluster)
    _reservations(page, cluster)
    _vpenso_totals(page, cluster)
    _vpenso_nodes(page, cluster)
    _scheduler(page, cluster)
    return page.text()


def _jobs(page: Page, cluster: Cluster) -> None:
    jobs = cluster.jobs
    page.family("gpumon_job_info", "gauge", "A job that runs or waits.", ((_job(job), 1) for job in jobs))
    for name, text, values in (
        ("submit_time_seconds", "When it was submitted.", [job.submitted_at for job in jobs]),
        ("start_time_seconds", "When it started.", [job.started_at for job in jobs]),
        ("end_time_seconds", "When it reaches its time limit.", [job.ends_at for job in jobs]),
        ("cpus", "CPUs it holds or asks for.", [job.cpus for job in jobs]),
        ("memory_bytes", "Memory it holds or asks for.", [job.memory_bytes for job in jobs]),
        ("gpus", "GPUs it holds or asks for.", [job.gpus for job in jobs]),
        ("node_count", "Nodes it holds or asks for.", [job.node_count for job in jobs]),
        ("priority", "Its place in the queue: higher comes first.", [job.priority for job in jobs]),
    ):
        rows = (({"job_id": job.id}, value) for job, value in zip(jobs, values, strict=True) if value is not None)
        page.family(f"gpumon_job_{name}", "gauge", text, rows)


def _job(job: Job) -> Mapping[str, str]:
    return {
        "job_id": job.id,
        "array_job_id": job.array_job_id,
        "array_task_id": job.array_task_id,
        "het_job_id": job.het_job_id,
        "user": job.user,
        "account": job.account,
        "partition": job.partition,
        "qos": job.qos,
        "name": job.name,
        "state": job.state,
        "reason": job.reason,
        "nodes": job.nodes,
    }


def _places(page: Page, cluster: Cluster) -> None:
    rows = (
        (
            {
                "job_id": job.id,
                "user": job.user,
                "account": job.account,
                "partition": job.partition,
                "node": host.name,
                "gpu": gpu,
                "type": kind,
                "share": share,
            },
            1.0,
        )
        for host in cluster.by_name
        for job, gpu, kind, share in places(cluster, host)
    )
    page.family("gpumon_job_gpu", "gauge", "A GPU that a job holds.", rows)


def _nodes(page: Page, cluster: Cluster) -> None:
    nodes = cluster.slurm_nodes
    info: _Rows = [
        (
            {
                "node": name,
                "state": node.state or "",
                "flags": "+".join(node.flags),
                "reason": node.reason or "",
                "reason_user": node.reason_user or "",
                "features": _features(cluster, name),
            },
            1,
        )
        for name, node in nodes.items()
    ]
    page.family("gpumon_node_info", "gauge", "A node and its state.", info)
    _by_node(page, nodes, "state_since_seconds", "When that state or its reason began.", lambda node: node.since)
    for suffix, text, word in (
        ("gpus", "GPUs that Slurm has configured.", "gpus_total"),
        ("gpus_allocated", "GPUs that jobs hold.", "gpus_allocated"),
    ):
        page.family(
            f"gpumon_node_{suffix}", "gauge", text, _gpus_by_type(cluster, is_allocated=word == "gpus_allocated")
        )
    _by_node(page, nodes, "gpus_expected", "GPUs that a node should have.", lambda node: node.gpus_total)
    _by_node(page, nodes, "cpus", "CPUs of a node.", lambda node: node.cpus_total)
    _by_node(page, nodes, "cpus_allocated", "CPUs that jobs hold.", lambda node: node.cpus_allocated)
    _by_node(page, nodes, "memory_bytes", "Memory of a node.", lambda node: node.memory_total_bytes)
    _by_node(page, nodes, "memory_allocated_bytes", "Memory that jobs hold.", lambda node: node.memory_allocated_bytes)
    page.family(
        "gpumon_node_partition_info",
        "gauge",
        "A partition that a node stands in.",
        (({"node": name, "partition": one}, 1) for name, node in nodes.items() for one in node.partitions),
    )


def _features(cluster: Cluster, name: str) -> str:
    machine = cluster.simulation.host_by_name[name].machine
    return f"{machine.card.gres},nvlink" if machine.card and machine.card.has_nvlink else machine.partition


def _by_node(
    page: Page, nodes: Mapping[str, NodeSlurm], suffix: str, text: str, value: Callable[[NodeSlurm], float | None]
) -> None:
    rows = (({"node": name}, told) for name, node in nodes.items() if (told := value(node)) is not None)
    page.family(f"gpumon_node_{suffix}", "gauge", text, rows)


def _gpus_by_type(cluster: Cluster, *, is_allocated: bool) -> _Rows:
    for host in cluster.by_name:
        of_machine = host.machine.card.gres if host.machine.card else ""
        kinds = Counter(unit.slice.profile if unit.slice else of_machine for unit in host.units)
        held = Counter(kind for _, _, kind, _ in places(cluster, host))
        for kind in sorted(kinds):
            yield {"node": host.name, "type": kind}, held[kind] if is_allocated else kinds[kind]


def _partitions(page: Page, cluster: Cluster) -> None:
    partitions = cluster.partitions
    for prefix, suffix, text, values in (
        ("gpumon", "gpus", "GPUs of a partition's nodes.", [one.gpus_total for one in partitions]),
        ("gpumon", "gpus_allocated", "GPUs of a partition's nodes that jobs hold.",
         [one.gpus_allocated for one in partitions]),
        ("gpumon", "nodes", "Nodes of a partition.", [one.nodes for one in partitions]),
        ("slurm", "cpus_allocated", "Allocated CPUs for partition", [one.cpus_allocated for one in partitions]),
        ("slurm", "cpus_idle", "Idle CPUs for partition", [one.cpus_idle for one in partitions]),
        ("slurm", "cpus_other", "Other CPUs for partition",
         [(one.cpus_total or 0) - (one.cpus_allocated or 0) - (one.cpus_idle or 0) for one in partitions]),
        ("slurm", "cpus_total", "Total CPUs for partition", [one.cpus_total for one in partitions]),
        ("slurm", "jobs_pending", "Pending jobs for partition", [one.jobs_pending for one in partitions]),
        ("slurm", "jobs_running", "Running jobs for partition", [one.jobs_running for one in partitions]),
    ):  # fmt: skip
        rows = [({"partition": one.name}, value or 0.0) for one, value in zip(partitions, values, strict=True)]
        page.family(f"{prefix}_partition_{suffix}", "gauge", text, rows)
    reasons = Counter((job.partition, job.reason) for job in cluster.jobs if job.state == "pending")
    page.family(
        "gpumon_pending_jobs",
        "gauge",
        "Pending jobs by what they wait for.",
        (({"partition": name, "reason": reason}, number) for (name, reason), number in sorted(reasons.items())),
    )


def _usage(page: Page, cluster: Cluster) -> None:
    _usage_of(page, "user", cluster.users)
    _usage_of(page, "account", cluster.accounts)
    shares = [({"account": one.name}, one.fairshare or 0.0) for one in cluster.accounts]
    page.family("slurm_account_fairshare", "gauge", "FairShare for account", shares)


def _usage_of(page: Page, whose: str, people: Sequence[UserUsage | AccountUsage]) -> None:
    for prefix, suffix, text, values in (
        ("gpumon", "gpus_running", "GPUs that running jobs hold", [one.gpus_running for one in people]),
        ("slurm", "jobs_running", "Running jobs", [one.jobs_running for one in people]),
        ("slurm", "jobs_pending", "Pending jobs", [one.jobs_pending for one in people]),
        ("slurm", "jobs_suspended", "Suspended jobs", [one.jobs_suspended for one in people]),
        ("slurm", "cpus_running", "Running cpus", [one.cpus_running for one in people]),
    ):
        rows = [({whose: one.name}, value or 0.0) for one, value in zip(people, values, strict=True)]
        page.family(f"{prefix}_{whose}_{suffix}", "gauge", f"{text} for {whose}", rows)


def _reservations(page: Page, cluster: Cluster) -> None:
    told = cluster.reservations
    page.family(
        "gpumon_reservation_info",
        "gauge",
        "A reservation.",
        (
            (
                {
                    "reservation": one.name,
                    "state": one.state,
                    "nodes": one.nodes,
                    "users": one.users,
                    "flags": one.flags,
                },
                1.0,
            )
            for one in told
        ),
    )
    for suffix, text, values in (
        ("start_time_seconds", "When it begins.", [one.starts_at for one in told]),
        ("end_time_seconds", "When it ends.", [one.ends_at for one in told]),
        ("node_count", "Its nodes.", [one.node_count for one in told]),
    ):
        rows = [({"reservation": one.name}, value or 0.0) for one, value in zip(told, values, strict=True)]
        page.family(f"gpumon_reservation_{suffix}", "gauge", text, rows)


def _vpenso_totals(page: Page, cluster: Cluster) -> None:
    queue, nodes = cluster.queue, cluster.slurm_nodes.values()
    states = dict(queue.by_state)
    states["pending_dependency"] = float(sum(job.reason == "Dependency" for job in cluster.jobs))
    for state, number in sorted(states.items()):
        page.family(f"slurm_queue_{state}", "gauge", f"Jobs in the queue: {state}", [({}, number)])
    words = {"idle": "idle", "mixed": "mix", "allocated": "alloc", "down": "down", "drained": "drain",
             "draining": "drain"}  # fmt: skip
    counted: dict[str, int] = dict.fromkeys(_NODE_WORDS, 0)
    for word, number in queue.nodes_by_state.items():
        counted[words[word]] += int(number)
    for word, number in counted.items():
        page.family(f"slurm_nodes_{word}", "gauge", f"Nodes: {word}", [({}, number)])
    usable = [node for node in nodes if not node.is_out_of_use]
    for what, total, taken in (
        ("cpus", queue.cpus_total or 0.0, queue.cpus_allocated or 0.0),
        ("gpus", queue.gpus_total or 0.0, queue.gpus_allocated or 0.0),
    ):
        idle = _unused(usable, what)
        for word, number in (("alloc", taken), ("idle", idle), ("other", total - taken - idle), ("total", total)):
            page.family(f"slurm_{what}_{word}", "gauge", f"{what.upper()}: {word}", [({}, number)])
    use = (queue.gpus_allocated or 0.0) / queue.gpus_total if queue.gpus_total else 0.0
    page.family("slurm_gpus_utilization", "gauge", "Total GPU utilization", [({}, use)])


def _unused(nodes: Iterable[NodeSlurm], what: str) -> float:
    if what == "cpus":
        return sum((node.cpus_total or 0.0) - (node.cpus_allocated or 0.0) for node in nodes)
    return sum((node.gpus_total or 0.0) - (node.gpus_allocated or 0.0) for node in nodes)


def _vpenso_nodes(page: Page, cluster: Cluster) -> None:
    rows: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for name, node in cluster.slurm_nodes.items():
        pairs = {"node": name, "status": _status(node)}
        total, taken = node.cpus_total or 0.0, node.cpus_allocated or 0.0
        free = 0.0 if node.is_out_of_use else total - taken
        for suffix, value in (
            ("cpu_alloc", taken),
            ("cpu_idle", free),
            ("cpu_other", total - taken - free),
            ("cpu_total", total),
            ("mem_alloc", (node.memory_allocated_bytes or 0.0) / _MIB),
            ("mem_total", (node.memory_total_bytes or 0.0) / _MIB),
        ):
            rows.setdefault(suffix, []).append((pairs, value))
    words = {"cpu": "CPUs", "mem": "Memory in MiB"}
    for suffix, told in rows.items():
        what, which = suffix.split("_")
        page.family(f"slurm_node_{suffix}", "gauge", f"{words[what]} per node: {which}", told)


def _status(node: NodeSlurm) -> str:
    """As sinfo prints it."""
    if "drain" in node.flags:
        return "drained" if node.state == "idle" else "draining"
    return f"{node.state}*" if "not_responding" in node.flags else node.state or ""


def _scheduler(page: Page, cluster: Cluster) -> None:
    seed, moment = cluster.simulation.seed, cluster.moment
    depth = float(len(cluster.jobs))
    for place, (suffix, value) in enumerate(
        (
            ("threads", 3 + 5 * draw(seed, moment, 95)),
            ("queue_size", 2 * draw(seed, moment, 96)),
            ("dbd_queue_size", 0.0),
            ("last_cycle", 200 + 3 * depth),
            ("mean_cycle", 350 + 3 * depth),
            ("cycle_per_minute", 3.0),
            ("backfill_last_cycle", 5000 + 40 * depth),
            ("backfill_mean_cycle", 6000 + 40 * depth),
            ("backfill_depth_mean", min(depth, 1000.0)),
            ("backfilled_jobs_since_start_total", float(moment % 1_000_000 // 97)),
            ("backfilled_jobs_since_cycle_total", float(moment % 86_400 // 97)),
            ("backfilled_heterogeneous_total", 0.0),
        )
    ):
        text = f"From sdiag: {suffix.replace('_', ' ')}"
        page.family(f"slurm_scheduler_{suffix}", "gauge", text, [({}, float(int(value)) if place < 2 else value)])

"""Slurm's sums: the queue by state and reason, partitions, users, accounts, reservations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gpumon.model import AccountUsage, Job, NodeSlurm, Partition, Queue, Reservation, UserUsage
from gpumon_demo.chance import draw
from gpumon_demo.hosts import node_slurm
from gpumon_demo.people import ACCOUNTS
from gpumon_demo.workload import hostlist

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster

REMEMBERED_SECONDS = 300
"""Slurm's MinJobAge: for so long finished jobs stay in the queue's counts."""

_STATES = (
    "pending", "running", "suspended", "cancelled", "completing", "completed", "configuring", "failed", "timeout",
    "preempted", "node_fail",
)  # fmt: skip


def node_states(cluster: Cluster) -> dict[str, NodeSlurm]:
    """What Slurm says about each node, by name."""
    return {host.name: node_slurm(cluster, host) for host in cluster.by_name}


def queue(cluster: Cluster) -> Queue:
    """The queue in numbers."""
    jobs, nodes = cluster.jobs, cluster.slurm_nodes.values()
    states = dict.fromkeys(_STATES, 0.0) | {state: float(number) for state, number in _ended(cluster).items()}
    states |= {state: float(number) for state, number in Counter(job.state for job in jobs).items()}
    return Queue(
        by_state=states,
        pending_reasons={
            reason: float(number) for reason, number in Counter(job.reason for job in jobs if job.reason).items()
        },
        nodes_by_state={word: float(number) for word, number in Counter(map(in_one_word, nodes)).items()},
        cpus_total=sum(node.cpus_total or 0.0 for node in nodes),
        cpus_allocated=sum(node.cpus_allocated or 0.0 for node in nodes),
        gpus_total=sum(node.gpus_total or 0.0 for node in nodes),
        gpus_allocated=sum(node.gpus_allocated or 0.0 for node in nodes),
    )


def _ended(cluster: Cluster) -> Counter[str]:
    """The jobs that ended a short while ago, by what became of them."""
    found = Counter(
        held.job.ending
        for block in cluster.simulation.blocks
        for held in block.ended(cluster.moment, REMEMBERED_SECONDS)
    )
    moment = cluster.moment
    found["cancelled"] += sum(moment - REMEMBERED_SECONDS < job.withdrawn <= moment for job in cluster.streams)
    return found


def in_one_word(node: NodeSlurm) -> str:
    """A node's state for counting, each node once."""
    if "drain" in node.flags:
        return "drained" if node.state == "idle" else "draining"
    return node.state or "unknown"


def partitions(cluster: Cluster) -> tuple[Partition, ...]:
    """How full each partition is; a node in two partitions stands in both."""
    nodes = cluster.slurm_nodes.values()
    jobs = Counter((job.partition, job.state) for job in cluster.jobs)
    found: list[Partition] = []
    for name in sorted({partition for node in nodes for partition in node.partitions}):
        here = [node for node in nodes if name in node.partitions]
        usable = [node for node in here if not node.is_out_of_use]
        found.append(
            Partition(
                name,
                cpus_total=sum(node.cpus_total or 0.0 for node in here),
                cpus_allocated=sum(node.cpus_allocated or 0.0 for node in here),
                cpus_idle=sum((node.cpus_total or 0.0) - (node.cpus_allocated or 0.0) for node in usable),
                nodes=float(len(here)),
                gpus_total=sum(node.gpus_total or 0.0 for node in here),
                gpus_allocated=sum(node.gpus_allocated or 0.0 for node in here),
                jobs_running=float(jobs[name, "running"]),
                jobs_pending=float(jobs[name, "pending"]),
            )
        )
    return tuple(found)


class _Share:
    """What one user or account has in the queue, while it is counted."""

    def __init__(self) -> None:
        self.running = self.pending = 0
        self.cpus = self.gpus = 0.0

    def add(self, job: Job) -> None:
        """Counts one job in."""
        if job.state == "pending":
            self.pending += 1
            return
        self.running += 1
        self.cpus += job.cpus or 0.0
        self.gpus += job.gpus or 0.0


def users(cluster: Cluster) -> tuple[UserUsage, ...]:
    """Everybody who has something in the queue."""
    found: dict[str, _Share] = {}
    for job in cluster.jobs:
        found.setdefault(job.user, _Share()).add(job)
    return tuple(
        UserUsage(name, float(share.running), float(share.pending), 0.0, share.cpus, share.gpus)
        for name, share in sorted(found.items())
    )


def accounts(cluster: Cluster) -> tuple[AccountUsage, ...]:
    """All accounts."""
    found = {name: _Share() for name in ACCOUNTS}
    for job in cluster.jobs:
        found[job.account].add(job)
    seed, week = cluster.simulation.seed, cluster.moment // 604_800
    return tuple(
        AccountUsage(
            name,
            float(share.running),
            float(share.pending),
            0.0,
            share.cpus,
            share.gpus,
            round(0.05 + 0.9 * draw(seed, week, place, 91), 6),
        )
        for place, (name, share) in enumerate(found.items())
    )


_WEEK = 7 * 86_400
_TUESDAY_SIX = 5 * 86_400 + 6 * 3600
"""Seconds from Thursday, 1 January 1970, to the first Tuesday at six."""


def reservations(cluster: Cluster) -> tuple[Reservation, ...]:
    """Maintenance on Tuesday mornings, and a course that lasts through the week."""
    moment = cluster.moment
    week = (moment - _TUESDAY_SIX - 4 * 3600) // _WEEK + 1
    start = _TUESDAY_SIX + week * _WEEK
    monday = start - 22 * 3600 - (_WEEK if moment < start - 22 * 3600 else 0)
    friday = monday + 5 * 86_400
    large = [host.name for host in cluster.by_name if host.machine.partition == "h100"]
    small = [host.name for host in cluster.by_name if host.machine.partition == "l40s"][:1]
    course = "active" if moment < friday else "inactive"
    upkeep = "active" if start <= moment else "inactive"
    return (
        Reservation(
            "course-dl", course, hostlist(small), "hwang,rossi", "SPEC_NODES", float(monday), float(friday), 1.0
        ),
        Reservation(
            "maintenance",
            upkeep,
            hostlist(large),
            "root",
            "MAINT,IGNORE_JOBS,SPEC_NODES",
            float(start),
            float(start + 4 * 3600),
            float(len(large)),
        ),
    )

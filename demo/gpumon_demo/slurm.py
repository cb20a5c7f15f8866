"""Slurm's sums: the queue by state and reason, partitions, users, accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from gpumon.model import AccountUsage, Partition, Queue, UserUsage
from gpumon_demo.backlog import Waiting
from gpumon_demo.blocks import Held
from gpumon_demo.chance import draw
from gpumon_demo.people import ACCOUNTS
from gpumon_demo.slurm_nodes import in_one_word
from gpumon_demo.tally import Count

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster

REMEMBERED_SECONDS = 300
"""Slurm's MinJobAge: for so long finished jobs stay in the queue's counts."""
WINDOW_SECONDS = 3600
"""For so long a job has ended lately."""

STATES = (
    "pending", "running", "suspended", "cancelled", "completing", "completed", "configuring", "failed", "timeout",
    "preempted", "node_fail",
)  # fmt: skip
"""What is counted of the queue; more is not told."""

DEFAULT_PARTITION = "h100"
"""Where jobs go that name none."""
_HOUR = 3600.0


class Limits(NamedTuple):
    """What a partition allows; None where it sets no limit."""

    max_time_seconds: float | None = 48 * _HOUR
    default_time_seconds: float | None = _HOUR
    max_nodes: float | None = None
    qos: str = ""


_LIMITS = {
    "a100": Limits(72 * _HOUR),
    "cpu": Limits(None, 4 * _HOUR),
    "debug": Limits(12 * _HOUR, max_nodes=1.0, qos="interactive"),
    "v100": Limits(7 * 24 * _HOUR),
}


def limits(partition: str) -> Limits:
    """What a partition allows."""
    return _LIMITS.get(partition) or Limits()


def queue(cluster: Cluster) -> Queue:
    """The queue in numbers; GPUs of which jobs hold shards are in use like any other."""
    nodes, pending = cluster.slurm_nodes.values(), cluster.tally.pending()
    states = _endings(cluster, REMEMBERED_SECONDS)
    states.update({state: count.jobs for state, count in cluster.tally.by(lambda alike: [alike.state]).items()})
    reasons: Counter[str] = Counter()
    for (_, reason), count in pending.items():
        reasons[reason] += count.jobs
    return Queue(
        by_state={state: float(states[state]) for state in STATES},
        pending_reasons={reason: float(number) for reason, number in reasons.items()},
        nodes_by_state={word: float(number) for word, number in Counter(map(in_one_word, nodes)).items()},
        cpus_total=sum(node.cpus_total or 0.0 for node in nodes),
        cpus_allocated=sum(node.cpus_allocated or 0.0 for node in nodes),
        gpus_total=sum(node.gpus_total or 0.0 for node in nodes),
        gpus_allocated=sum(count.allocated + count.shared for node in nodes for count in node.gpus_by_type),
        oldest_pending_at=min((count.oldest for count in pending.values()), default=None),
        finished=dict(_endings(cluster, WINDOW_SECONDS)),
        finished_window_seconds=float(WINDOW_SECONDS),
    )


def _endings(cluster: Cluster, seconds: int) -> Counter[str]:
    """The jobs that ended within the last `seconds`, by what became of them."""
    found = Counter(held.job.ending for held in recently_ended(cluster, seconds))
    withdrawn = sum(1 for _ in recently_withdrawn(cluster, seconds))
    return found + Counter({"cancelled": withdrawn})


def recently_ended(cluster: Cluster, seconds: int) -> Iterable[Held]:
    """The jobs that ran, and ended within the last `seconds`."""
    for block in cluster.simulation.blocks:
        yield from block.ended(cluster.moment, seconds)


def recently_withdrawn(cluster: Cluster, seconds: int) -> Iterable[Waiting]:
    """The jobs that waited, and were taken back within the last `seconds`."""
    moment = cluster.moment
    return (job for job in cluster.streams if moment - seconds < job.withdrawn <= moment)


def partitions(cluster: Cluster) -> tuple[Partition, ...]:
    """How full each partition is; a node in two partitions stands in both."""
    nodes = cluster.slurm_nodes.values()
    jobs = cluster.tally.by(lambda alike: [(name, alike.state) for name in alike.partitions])
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
                jobs_running=float(jobs.get((name, "running"), _NONE).jobs),
                jobs_pending=float(jobs.get((name, "pending"), _NONE).jobs),
                state="up",
                max_time_seconds=limits(name).max_time_seconds,
            )
        )
    return tuple(found)


def users(cluster: Cluster) -> tuple[UserUsage, ...]:
    """Everybody who has something that runs, waits or is suspended."""
    counts = cluster.tally.by(lambda alike: [(alike.user, alike.state)])
    usage = {name: _usage(counts, name) for name in sorted({name for name, _ in counts})}
    return tuple(UserUsage(name, *numbers) for name, numbers in usage.items() if any(numbers))


def accounts(cluster: Cluster) -> tuple[AccountUsage, ...]:
    """All accounts."""
    seed, week = cluster.simulation.seed, cluster.moment // 604_800
    counts = cluster.tally.by(lambda alike: [(alike.account, alike.state)])
    return tuple(
        AccountUsage(name, *_usage(counts, name), round(0.05 + 0.9 * draw(seed, week, place, 91), 6))
        for place, name in enumerate(ACCOUNTS)
    )


_NONE = Count()


def _usage(counts: Mapping[tuple[str, str], Count], name: str) -> tuple[float, float, float, float, float]:
    """Jobs that run, wait and are suspended, CPUs and GPUs of those that run."""
    running, pending, suspended = (counts.get((name, state), _NONE) for state in ("running", "pending", "suspended"))
    return float(running.jobs), float(pending.jobs), float(suspended.jobs), running.cpus, running.gpus

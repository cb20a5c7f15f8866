"""Slurm's own OpenMetrics (25.11 and later): aggregates from slurmctld itself, over five endpoints.

Its traps, from captures of 26.05: memory is in MiB though the names end in `_bytes`; base states of nodes add up to the
total while flags (drain, completing, ...) are counted beside them; finished jobs count in `slurm_jobs`.
"""

from __future__ import annotations

from gpumon.model import Lack, NodeSlurm, Queue
from gpumon.reading.slurm.reading import SlurmReading, accounts, mib, partitions, users
from gpumon.reading.slurm.samples import SlurmSamples
from gpumon.reading.slurm.states import job_word, node_word
from gpumon.reading.slurm.vpenso import LACKS as VPENSO_LACKS

_BASE_STATES = ("alloc", "down", "future", "idle", "mixed", "unknown")
"""The states of which every node has exactly one."""

_JOB_STATES = (
    "bootfail", "cancelled", "completed", "completing", "configuring", "deadline", "failed", "node_failed",
    "outofmemory", "pending", "preempted", "running", "suspended", "timeout",
)  # fmt: skip
"""States of jobs; the other suffixes are flags and sums."""

LACKS = (
    *VPENSO_LACKS,
    Lack(("state", "flags"), "a node's state", "the Slurm state of each node", "gpumon-slurm-exporter tells it"),
)


def read(samples: SlurmSamples) -> SlurmReading:
    """Everything Slurm's own names can tell; GPU counts exist since 26.05."""
    nodes = _nodes(samples)
    gpus = [node.gpus_total for node in nodes.values() if node.gpus_total is not None]
    cpus = [node.cpus_total for node in nodes.values() if node.cpus_total is not None]
    running = samples.by("slurm_partition_jobs_gpus_alloc", "partition")
    return SlurmReading(
        queue=Queue(
            by_state={
                job_word(word): number
                for word in _JOB_STATES
                if (number := samples.one(f"slurm_jobs_{word}")) is not None
            },
            nodes_by_state=_node_states(samples),
            cpus_total=sum(cpus) if cpus else None,
            cpus_allocated=samples.one("slurm_jobs_cpus_alloc"),
            gpus_total=sum(gpus) if gpus else None,
            gpus_allocated=samples.one("slurm_jobs_gpus_alloc"),
        ),
        nodes=nodes,
        partitions=partitions(
            {
                "cpus_total": samples.by("slurm_partition_cpus", "partition"),
                "cpus_allocated": samples.by("slurm_partition_nodes_cpus_alloc", "partition"),
                "cpus_idle": samples.by("slurm_partition_nodes_cpus_idle", "partition"),
                "nodes": samples.by("slurm_partition_nodes", "partition"),
                "gpus_total": samples.by("slurm_partition_gpus", "partition"),
                "gpus_allocated": running,
                "jobs_running": samples.by("slurm_partition_jobs_running", "partition"),
                "jobs_pending": samples.by("slurm_partition_jobs_pending", "partition"),
            }
        ),
        users=users(_usage(samples, "user", "username")),
        accounts=accounts(_usage(samples, "account", "account")),
        lacks=LACKS,
    )


def _node_states(samples: SlurmSamples) -> dict[str, float]:
    """Base states, with drained nodes told apart from usable idle ones and draining ones from busy ones.

    A drained node is idle, mixed or allocated besides, and which of these is not told: it is taken from the idle ones
    first when it is drained, and from the mixed ones first when it is draining.
    """
    states = {word: number for word in _BASE_STATES if (number := samples.one(f"slurm_nodes_{word}"))}
    for flag, order in (("drained", ("idle", "mixed", "alloc")), ("draining", ("mixed", "alloc", "idle"))):
        left = samples.one(f"slurm_nodes_{flag}") or 0.0
        if left:
            states[flag] = left
        for base in order:
            taken = min(left, states.get(base, 0.0))
            states[base] = states.get(base, 0.0) - taken
            left -= taken
    return {node_word(word): number for word, number in states.items() if number}


def _usage(samples: SlurmSamples, whose: str, label: str) -> dict[str, dict[str, float]]:
    return {
        "jobs_running": samples.by(f"slurm_{whose}_jobs_running", label),
        "jobs_pending": samples.by(f"slurm_{whose}_jobs_pending", label),
        "jobs_suspended": samples.by(f"slurm_{whose}_jobs_suspended", label),
        "cpus_running": samples.by(f"slurm_{whose}_jobs_cpus_alloc", label),
        "gpus_running": samples.by(f"slurm_{whose}_jobs_gpus_alloc", label),
    }


def _nodes(samples: SlurmSamples) -> dict[str, NodeSlurm]:
    total, used = samples.once("slurm_node_cpus", "node"), samples.once("slurm_node_cpus_alloc", "node")
    gpus, taken = samples.once("slurm_node_gpus", "node"), samples.once("slurm_node_gpus_alloc", "node")
    size, held = (
        mib(samples.once("slurm_node_memory_bytes", "node")),
        mib(samples.once("slurm_node_memory_alloc_bytes", "node")),
    )
    return {
        name: NodeSlurm(
            cpus_total=number,
            cpus_allocated=used.get(name),
            memory_total_bytes=size.get(name),
            memory_allocated_bytes=held.get(name),
            gpus_total=gpus.get(name),
            gpus_allocated=taken.get(name),
        )
        for name, number in total.items()
    }

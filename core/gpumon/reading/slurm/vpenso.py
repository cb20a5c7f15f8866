"""vpenso's prometheus-slurm-exporter 0.20: aggregates, one node list, GPUs only as totals when switched on."""

from __future__ import annotations

from gpumon.model import Lack, NodeSlurm, Queue
from gpumon.reading.slurm.reading import SlurmReading, accounts, mib, partitions, users
from gpumon.reading.slurm.samples import SlurmSamples
from gpumon.reading.slurm.states import job_word, node_state, node_word

LACKS = (
    Lack(("reason", "since"), "a node's drain reason", "why a node is drained", "gpumon-slurm-exporter tells it"),
    Lack(("jobs",), "a metric for each job", "the list of jobs, and which job holds which GPU",
         "gpumon-slurm-exporter tells it"),
    Lack(("pending_reasons",), "pending jobs by reason", "why jobs wait", "gpumon-slurm-exporter tells it"),
    Lack(("reservations",), "reservations", "the list of reservations", "gpumon-slurm-exporter tells it"),
)  # fmt: skip


def read(samples: SlurmSamples) -> SlurmReading:
    """Everything vpenso's names can tell; memory is in MiB there."""
    return SlurmReading(
        queue=queue(samples),
        nodes=nodes(samples),
        partitions=partitions(
            {
                "cpus_total": samples.by("slurm_partition_cpus_total", "partition"),
                "cpus_allocated": samples.by("slurm_partition_cpus_allocated", "partition"),
                "cpus_idle": samples.by("slurm_partition_cpus_idle", "partition"),
                "jobs_pending": samples.by("slurm_partition_jobs_pending", "partition"),
            }
        ),
        users=users(usage(samples, "user")),
        accounts=accounts({**usage(samples, "account"), "fairshare": samples.by("slurm_account_fairshare", "account")}),
        lacks=LACKS,
    )


def queue(samples: SlurmSamples) -> Queue:
    """Jobs and nodes by state, and the cluster's CPUs and GPUs."""
    states = {job_word(word): number for word, number in samples.suffixed("slurm_queue_").items()}
    states.pop("pending_dependency", None)  # a part of "pending", which would count twice
    node_states = {node_word(word): number for word, number in samples.suffixed("slurm_nodes_").items()}
    node_states.pop("total", None)
    return Queue(
        by_state=states,
        nodes_by_state=node_states,
        cpus_total=samples.one("slurm_cpus_total"),
        cpus_allocated=samples.one("slurm_cpus_alloc"),
        gpus_total=samples.one("slurm_gpus_total"),
        gpus_allocated=samples.one("slurm_gpus_alloc"),
    )


def usage(samples: SlurmSamples, whose: str) -> dict[str, dict[str, float]]:
    """Jobs, CPUs and GPUs of each user or account."""
    return {
        "jobs_running": samples.by(f"slurm_{whose}_jobs_running", whose),
        "jobs_pending": samples.by(f"slurm_{whose}_jobs_pending", whose),
        "jobs_suspended": samples.by(f"slurm_{whose}_jobs_suspended", whose),
        "cpus_running": samples.by(f"slurm_{whose}_cpus_running", whose),
        "gpus_running": samples.by(f"slurm_{whose}_gpus_running", whose),
    }


def nodes(samples: SlurmSamples) -> dict[str, NodeSlurm]:
    """Each node with its state, CPUs and memory; a node in several partitions once."""
    states = {labels.get("node", ""): labels.get("status", "") for labels, _ in samples.rows("slurm_node_cpu_total")}
    total, used = samples.once("slurm_node_cpu_total", "node"), samples.once("slurm_node_cpu_alloc", "node")
    size, taken = mib(samples.once("slurm_node_mem_total", "node")), mib(samples.once("slurm_node_mem_alloc", "node"))
    found: dict[str, NodeSlurm] = {}
    for name, status in states.items():
        state, flags = node_state(status)
        found[name] = NodeSlurm(
            state=state or None,
            flags=flags,
            cpus_total=total.get(name),
            cpus_allocated=used.get(name),
            memory_total_bytes=size.get(name),
            memory_allocated_bytes=taken.get(name),
        )
    found.pop("", None)
    return found

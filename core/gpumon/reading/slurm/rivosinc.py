"""rivosinc's prometheus-slurm-exporter 1.x: states as labels, pending reasons; no node list, no GPUs."""

from __future__ import annotations

from collections.abc import Mapping

from gpumon.model import Lack, Queue
from gpumon.reading.slurm.reading import SlurmReading, accounts, partitions, users
from gpumon.reading.slurm.samples import SlurmSamples
from gpumon.reading.slurm.states import job_word, node_state
from gpumon.reading.slurm.vpenso import LACKS as VPENSO_LACKS

LACKS = (
    *(lack for lack in VPENSO_LACKS if lack.fields != ("pending_reasons",)),
    Lack(("gpus_total", "gpus_allocated", "gpus_running"), "GPUs in Slurm", "how many GPUs are allocated",
         "gpumon-slurm-exporter tells it"),
    Lack(("state", "flags"), "nodes by name", "the Slurm state of each node", "gpumon-slurm-exporter tells it"),
)  # fmt: skip


def read(samples: SlurmSamples) -> SlurmReading:
    """Everything rivosinc's names can tell."""
    jobs = "slurm_partition_job_state_total"
    states: dict[str, float] = {}
    for word, number in samples.by("slurm_user_state_total", "state").items():
        states[job_word(word)] = states.get(job_word(word), 0.0) + number
    node_states: dict[str, float] = {}
    for word, number in samples.by("slurm_node_count_per_state", "state").items():
        state = node_state(word)[0]
        node_states[state] = node_states.get(state, 0.0) + number
    return SlurmReading(
        queue=Queue(
            by_state=states,
            pending_reasons=samples.by("slurm_pending_reason_total", "reason"),
            nodes_by_state=node_states,
            cpus_total=samples.one("slurm_cpus_total"),
        ),
        partitions=partitions(
            {
                "cpus_total": samples.by("slurm_partition_total_cpus", "partition"),
                "cpus_allocated": samples.by("slurm_partition_alloc_cpus", "partition"),
                "cpus_idle": samples.by("slurm_partition_idle_cpus", "partition"),
                "nodes": samples.by("slurm_partition_node_count", "partition"),
                "jobs_running": _in_state(samples, jobs, "partition", "RUNNING"),
                "jobs_pending": _in_state(samples, jobs, "partition", "PENDING"),
            }
        ),
        users=users(_usage(samples, "slurm_user_state_total", "slurm_user_cpu_alloc", "username")),
        accounts=accounts(
            _usage(samples, "slurm_account_job_state_total", "slurm_account_job_state_cpu_alloc", "account")
        ),
        lacks=LACKS,
    )


def _in_state(samples: SlurmSamples, metric: str, label: str, state: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for labels, value in samples.rows(metric):
        if labels.get("state", "").upper() == state and labels.get(label):
            found[labels[label]] = found.get(labels[label], 0.0) + value
    return found


def _usage(samples: SlurmSamples, jobs: str, cpus: str, label: str) -> Mapping[str, Mapping[str, float]]:
    return {
        "jobs_running": _in_state(samples, jobs, label, "RUNNING"),
        "jobs_pending": _in_state(samples, jobs, label, "PENDING"),
        "jobs_suspended": _in_state(samples, jobs, label, "SUSPENDED"),
        "cpus_running": _in_state(samples, cpus, label, "RUNNING"),
    }

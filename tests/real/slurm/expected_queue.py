"""The totals that follow from what squeue, sinfo, sshare, sacct and sdiag say; vpenso's names among them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import mean

from real.slurm.expected_nodes import gpus
from real.slurm.told import Series, Told, series
from real.slurm.truth import Fields, Job, Truth, cards

QUEUE_STATES = (
    "pending", "running", "suspended", "cancelled", "completing", "completed", "configuring", "failed", "timeout",
    "preempted", "node_fail",
)  # fmt: skip
NODE_WORDS = ("alloc", "comp", "down", "drain", "err", "fail", "idle", "maint", "mix", "resv")
SDIAG = {
    "threads": "Server thread count",
    "queue_size": "Agent queue size",
    "dbd_queue_size": "DBD Agent queue size",
    "last_cycle": "Last cycle",
    "mean_cycle": "Mean cycle",
    "cycle_per_minute": "Cycles per minute",
    "backfilled_jobs_since_start_total": "Total backfilled jobs (since last slurm start)",
    "backfilled_jobs_since_cycle_total": "Total backfilled jobs (since last stats cycle start)",
    "backfilled_heterogeneous_total": "Total backfilled heterogeneous job components",
}
SDIAG_BACKFILL = {
    "backfill_last_cycle": "Last cycle",
    "backfill_mean_cycle": "Mean cycle",
    "backfill_depth_mean": "Depth Mean",
}


def _rows(text: str) -> list[list[str]]:
    return [line.strip().split("|") for line in text.splitlines() if line.strip()]


def _totals(label: str, found: Iterable[tuple[str, float]]) -> Series:
    totals: dict[str, float] = {}
    for key, number in found:
        totals[key] = totals.get(key, 0) + number
    return series(*(({label: key}, total) for key, total in totals.items() if total))


def waiting(truth: Truth) -> Told:
    """What waits and why."""
    jobs = [job for job in truth.live if job["JobState"] == "PENDING"]
    return {
        "gpumon_pending_jobs": _waiting(truth, jobs, lambda job: job.tasks),
        "gpumon_pending_gpus": _waiting(truth, jobs, lambda job: job.tasks * job.gpus),
        "gpumon_oldest_pending_time_seconds": _oldest(jobs),
    }


def _waiting(truth: Truth, jobs: Sequence[Job], number: Callable[[Job], int]) -> Series:
    totals: Counter[tuple[str, str]] = Counter()
    for job in jobs:
        totals[job["Partition"], truth.reasons[job["JobId"]]] += number(job)
    return series(*(({"partition": partition, "reason": why}, n) for (partition, why), n in totals.items() if n))


def _oldest(jobs: Sequence[Job]) -> Series:
    oldest: dict[str, float] = {}
    for job in jobs:
        for partition in job["Partition"].split(","):
            oldest[partition] = min(oldest.get(partition, float("inf")), float(job["SubmitTime"]))
    return series(*(({"partition": partition}, since) for partition, since in oldest.items()))


def finished(truth: Truth) -> Told:
    """What ended; the exit code is scontrol's as long as slurmctld knows the job."""
    ended = [row for row in _rows(truth.texts["accounting"]) if row[-1] != "Unknown"]
    codes = {job["JobId"]: job["ExitCode"] for job in truth.jobs if job not in truth.live}
    states = Counter((row[3], row[4].split(" ")[0].lower()) for row in ended)
    return {
        "gpumon_finished_jobs": series(
            *(({"partition": partition, "state": state}, n) for (partition, state), n in states.items())
        ),
        "gpumon_finished_job_info": series(
            *(
                (
                    {
                        "job_id": number,
                        "user": user,
                        "account": account,
                        "partition": partition,
                        "state": state.split(" ")[0].lower(),
                        "exit_code": codes.get(number, code),
                    },
                    1,
                )
                for number, user, account, partition, state, code, _ in ended
            )
        ),
        "gpumon_finished_job_end_time_seconds": series(*(({"job_id": row[0]}, float(row[-1])) for row in ended)),
        "gpumon_finished_jobs_window_seconds": series(({}, 3600)),
    }


def owners(truth: Truth) -> Told:
    """Jobs, CPUs and GPUs by user and by account."""
    found: dict[str, Series] = {}
    for label, of in _OWNERS.items():
        for state in ("pending", "running", "suspended"):
            jobs = _in_state(truth, state)
            found[f"slurm_{label}_jobs_{state}"] = _totals(label, ((of(job), job.tasks) for job in jobs))
        running = _in_state(truth, "running")
        found[f"slurm_{label}_cpus_running"] = _totals(label, ((of(job), int(job["NumCPUs"])) for job in running))
        found[f"gpumon_{label}_gpus_running"] = _totals(label, ((of(job), job.gpus) for job in running))
    return found


_OWNERS: Mapping[str, Callable[[Job], str]] = {"user": lambda job: job.user, "account": lambda job: job["Account"]}


def _in_state(truth: Truth, state: str) -> Sequence[Job]:
    return [job for job in truth.jobs if job["JobState"] == state.upper()]


def queue(truth: Truth) -> Told:
    """Jobs by state and by partition; 22.05's `squeue -r` forgets the last task of an array with a step."""
    found = {f"slurm_queue_{state}": series(({}, _number_of(_in_state(truth, state)))) for state in QUEUE_STATES}
    dependent = [job for job in truth.live if truth.reasons[job["JobId"]] == "Dependency"]
    found["slurm_queue_pending_dependency"] = series(({}, _number_of(dependent)))
    for state in ("pending", "running"):
        jobs = _in_state(truth, state)
        places = [(partition, job.tasks) for job in jobs for partition in job["Partition"].split(",")]
        found[f"slurm_partition_jobs_{state}"] = _totals("partition", places)
    return found


def _number_of(jobs: Sequence[Job]) -> int:
    return sum(job.tasks for job in jobs)


def machines(truth: Truth) -> Told:
    """CPUs, memory and GPUs of all, of each partition and of each node."""
    words = {row[0]: row[1].rstrip("*~#!%$@^-") for row in _rows(truth.texts["node cpus"])}
    cpus = {row[0]: row[2] for row in _rows(truth.texts["node cpus"])}
    found = {f"slurm_nodes_{one}": series(({}, _alike(words.values(), one))) for one in NODE_WORDS}
    for place, kind in enumerate(("alloc", "idle", "other", "total")):
        found[f"slurm_cpus_{kind}"] = series(({}, int(truth.texts["cpus"].strip().split("/")[place])))
        found[f"slurm_node_cpu_{kind}"] = series(
            *(({"node": node, "status": words[node]}, int(cpus[node].split("/")[place])) for node in words)
        )
        name = f"slurm_partition_cpus_{'allocated' if kind == 'alloc' else kind}"
        by_partition = _rows(truth.texts["partition cpus"])
        found[name] = series(*(({"partition": row[0]}, int(row[1].split("/")[place])) for row in by_partition))
    for name, key in (("mem_alloc", "AllocMem"), ("mem_total", "RealMemory")):
        memory = [({"node": one["NodeName"], "status": words[one["NodeName"]]}, float(one[key])) for one in truth.nodes]
        found[f"slurm_node_{name}"] = series(*memory)
    return {**found, **_all_gpus(truth.nodes, words)}


def _alike(words: Iterable[str], beginning: str) -> int:
    return sum(word.startswith(beginning[:3]) for word in words)


def _all_gpus(nodes: Sequence[Fields], words: Mapping[str, str]) -> Told:
    """GPUs in use are those that jobs hold, and those that they hold shards of: in 22.05 GresUsed counts such cards."""
    total = {node["NodeName"]: sum(gpus(node["Gres"]).values()) for node in nodes}
    used = {
        node["NodeName"]: sum(gpus(node.get("GresUsed", "")).values()) + _cards(node.get("GresUsed", ""))
        for node in nodes
    }
    idle = sum(
        total[name] - used[name] for name, word in words.items() if word in ("idle", "mixed", "allocated", "completing")
    )
    alloc, all_ = sum(used.values()), sum(total.values())
    values = {"alloc": alloc, "idle": idle, "total": all_, "other": all_ - alloc - idle, "utilization": alloc / all_}
    return {f"slurm_gpus_{kind}": series(({}, number)) for kind, number in values.items()}


def _cards(used: str) -> int:
    return sum(len(cards(places)) for places in re.findall(r"shard:(?:[a-z]\w*:)?[1-9]\d*\(([^)]*)\)", used))


def shares(truth: Truth) -> Told:
    """The fair share of accounts: that of their users on the average, since under fair tree accounts have none."""
    found: dict[str, list[float]] = {}
    for account, _, share in _rows(truth.texts["shares"]):
        if share.strip():
            found.setdefault(account.strip(), []).append(float(share))
    return {"slurm_account_fairshare": series(*(({"account": name}, mean(one)) for name, one in found.items()))}


def scheduler(sdiag: str) -> Told:
    """What sdiag says."""
    _, backfill, _ = re.split(r"Backfilling stats|Latency for", sdiag)
    found = {name: _number(sdiag, words) for name, words in SDIAG.items()}
    found |= {name: _number(backfill, words) for name, words in SDIAG_BACKFILL.items()}
    return {f"slurm_scheduler_{name}": series(({}, number)) for name, number in found.items()}


def _number(text: str, words: str) -> float | None:
    """None when there is no such line: some come after the first minute only."""
    found = re.search(rf"^\s*{re.escape(words)}:\s+(\d+)", text, re.MULTILINE)
    return float(found[1]) if found else None

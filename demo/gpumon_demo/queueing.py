"""Jobs that wait, as Slurm tells them: why, since when they may start, and when it plans to start them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gpumon.model import Job
from gpumon_demo import people, submissions
from gpumon_demo.backlog import Waiting
from gpumon_demo.blocks import Held, job_number
from gpumon_demo.chance import draw, early, whole
from gpumon_demo.clockwork import SUBMIT_UNIT_SECONDS, TICK_SECONDS

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster, Simulation

UNAVAILABLE = "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"
"""What Slurm writes in place of the word Resources when waiting for these will not do."""
_NEXT_SECONDS = 900
"""So long before its start a job is next in line."""
_UNPLANNED = 0.55
"""Share of the jobs that wait for others, of which the scheduler has not yet thought."""


def waiting_jobs(cluster: Cluster) -> Iterable[Job]:
    """All of them, those that will start and those that never will."""
    simulation, moment = cluster.simulation, cluster.moment
    arrays: dict[tuple[int, int, int], list[Held]] = {}
    for held in cluster.waiting:
        if held.job.array is None:
            seconds_left = held.round_began + held.job.start - moment
            yield _planned(simulation, held, _reason(simulation, held, seconds_left), ())
        else:
            arrays.setdefault((held.block.number, held.round, held.job.array), []).append(held)
    for tasks in arrays.values():
        numbers = [held.job.task for held in tasks]
        reason = "JobArrayTaskLimit" if min(numbers) else "Priority"
        yield _planned(simulation, tasks[0], reason, (min(numbers), max(numbers)))
    for job in cluster.backlog:
        yield unplanned_job(simulation, job)


def _reason(simulation: Simulation, held: Held, seconds_left: int) -> str:
    if seconds_left < _NEXT_SECONDS:
        return "Resources"
    return submissions.held_back(simulation, held) or "Priority"


def _expected_at(simulation: Simulation, held: Held, reason: str) -> float | None:
    """When Slurm plans to start it, which is later than it will; None without a plan."""
    keys = (simulation.seed, held.block.number, held.round, held.job.ordinal)
    start = held.round_began + held.job.start
    if reason == "BeginTime":
        return float(start)
    if reason == "Resources":
        return float(start + whole(24, *keys, 76) * TICK_SECONDS)
    if reason == "Priority" and draw(*keys, 77) >= _UNPLANNED:
        return float(start + whole(360, *keys, 76) * TICK_SECONDS)
    return None


def _planned(simulation: Simulation, held: Held, reason: str, tasks: tuple[int, ...]) -> Job:
    """A job that will start; of an array, what of it still waits, from the first to the last task."""
    key = (held.block.number, held.round, held.job.ordinal, f"{reason} {tasks}")
    known = simulation.known_jobs.get(key)
    if known is None:
        job, block, region = held.job, held.block, held.job.where
        owner, places = submissions.whose(simulation, held), range(region.node, region.node + region.nodes)
        family = str(block.family_id(held, simulation.ids))
        is_folded = len(set(tasks)) > 1
        known = simulation.known_jobs[key] = Job(
            id=family if tasks else str(block.job_id(held, simulation.ids)),
            user=owner.user,
            account=owner.account,
            partition=submissions.partition(held),
            qos=owner.qos,
            name=owner.name,
            state="pending",
            reason=reason,
            array_job_id=family if tasks else "",
            array_task_id=f"{tasks[0]}-{tasks[1]}%1" if is_folded else str(tasks[0]) if tasks else "",
            het_job_id=family if job.leader is not None else "",
            submitted_at=float(held.round_began + job.submit),
            eligible_at=None if reason == "Dependency" else submissions.eligible_at(simulation, held),
            expected_at=_expected_at(simulation, held, reason),
            time_limit_seconds=submissions.time_limit(held),
            cpus=float(sum(map(job.cpus_on, places))),
            memory_bytes=float(sum(submissions.memory_on(held, place) for place in places)),
            gpus=float(submissions.gpu_count(held)),
            node_count=float(region.nodes),
            priority=submissions.priority(simulation, held),
            tasks=float(tasks[1] - tasks[0] + 1) if is_folded else None,
        )
    return known


def unplanned_job(simulation: Simulation, job: Waiting) -> Job:
    """A job that never starts."""
    key = (-1, job.stream, job.number, "")
    known = simulation.known_jobs.get(key)
    if known is None:
        keys = (simulation.seed, 1 << 20, job.stream, job.number)
        user, account = early(simulation.users, *keys, 71)
        origin = simulation.backlog.id_base + job.stream
        number = str(job_number(job.submit // SUBMIT_UNIT_SECONDS, origin, simulation.ids))
        cpus = max(1, job.gpus) * (8 if job.gpus else 16 * job.nodes)
        known = simulation.known_jobs[key] = Job(
            id=number,
            user=user,
            account=account,
            partition=job.partition,
            qos=early(submissions.QOS, *keys, 73),
            name=people.job_name(job.kind, *keys, 72),
            state="pending",
            reason=_in_full(simulation, job),
            array_job_id=number if job.task_count else "",
            array_task_id=job.tasks,
            submitted_at=float(job.submit),
            eligible_at=None if job.eligible is None else float(job.eligible),
            expected_at=float(job.eligible) if job.reason == "BeginTime" and job.eligible is not None else None,
            time_limit_seconds=float(job.limit),
            cpus=float(cpus),
            memory_bytes=float(cpus * 4 * 2**30),
            gpus=float(job.gpus),
            node_count=float(job.nodes),
            priority=float(0 if job.reason.startswith("JobHeld") else 1000 + int(19_000 * draw(*keys, 75))),
            tasks=float(job.task_count) if job.task_count else None,
        )
    return known


def _in_full(simulation: Simulation, job: Waiting) -> str:
    """Why it waits, with what Slurm adds to the word."""
    if job.reason == "Resources":
        return UNAVAILABLE
    if job.reason != "ReqNodeNotAvail":
        return job.reason
    troubles = simulation.troubles
    gone = [node for node in (troubles.down, troubles.drained, troubles.fallen and troubles.fallen[0]) if node]
    here = [node for node in gone if simulation.host_by_name[node].machine.partition == job.partition]
    return f"ReqNodeNotAvail, UnavailableNodes:{here[0]}" if here else "ReqNodeNotAvail, May be reserved for other job"

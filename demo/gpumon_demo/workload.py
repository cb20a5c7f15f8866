"""From plans to jobs as Slurm tells them: number, user, name, why it waits, what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from gpumon.model import Job
from gpumon_demo import people
from gpumon_demo.backlog import Waiting
from gpumon_demo.blocks import Held, Host, job_number
from gpumon_demo.chance import draw, early
from gpumon_demo.clockwork import SUBMIT_UNIT_SECONDS
from gpumon_demo.rhythm import Kind

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster, Simulation

_QOS = ("normal", "normal", "normal", "high", "low")
_FORGET_AT = 200_000
"""So many remembered jobs are enough; beyond, memory is freed and they are made anew."""


def jobs(cluster: Cluster) -> tuple[Job, ...]:
    """The whole queue, in the order of the jobs' numbers."""
    simulation = cluster.simulation
    if len(simulation.held_jobs) + len(simulation.waiting_jobs) > _FORGET_AT:
        simulation.held_jobs.clear()
        simulation.waiting_jobs.clear()
    found = [running_job(simulation, held) for block in cluster.held for held in block]
    found += _about_to_start(cluster)
    found += [_from_backlog(simulation, job) for job in cluster.backlog]
    return tuple(sorted(found, key=lambda job: int(job.id)))


def running_job(simulation: Simulation, held: Held) -> Job:
    """A job that runs."""
    key = (held.block.number, held.round, held.job.ordinal, "")
    known = simulation.held_jobs.get(key)
    if known is None:
        known = simulation.held_jobs[key] = _running(simulation, held)
    return known


def _running(simulation: Simulation, held: Held) -> Job:
    block, job, region = held.block, held.job, held.job.where
    nodes = block.hosts[region.node : region.node + region.nodes]
    began = held.round_began
    user, account, name, qos = _whose(simulation, held)
    machine = nodes[0].machine
    units = range(region.unit, region.unit + region.units)
    share = region.units / (len(nodes[0].units) or 8)
    return Job(
        id=str(block.job_id(held, simulation.ids)),
        user=user,
        account=account,
        partition=partition(held),
        qos=qos,
        name=name,
        state="running",
        nodes=hostlist([node.name for node in nodes]),
        array_job_id=_array(simulation, held),
        array_task_id=str(job.task) if job.array is not None else "",
        submitted_at=float(began + job.submit),
        started_at=float(began + job.start),
        ends_at=float(began + job.start + job.limit),
        cpus=float(job.cpus_per_node * len(nodes)),
        memory_bytes=float(memory_on_node(held) * len(nodes)),
        gpus=float(region.size if machine.card and share else 0),
        node_count=float(len(nodes)),
        held=tuple(node.units[unit].device.key for node in nodes for unit in units) if machine.card else (),
    )


def memory_on_node(held: Held) -> int:
    """Bytes that a job has on each of its nodes."""
    host = held.block.hosts[0]
    share = held.job.where.units / (len(host.units) or 8)
    return int(host.machine.memory_bytes * 0.9 * share) // 2**30 * 2**30


def partition(held: Held) -> str:
    """Where a job was submitted to."""
    machine = held.block.hosts[0].machine
    return "debug" if machine.is_debug and held.job.kind is Kind.INTERACTIVE else machine.partition


def _array(simulation: Simulation, held: Held) -> str:
    return "" if held.job.array is None else str(held.block.array_id(held, simulation.ids))


def _whose(simulation: Simulation, held: Held) -> tuple[str, str, str, str]:
    """User, account, name and quality of service; the same for all tasks of an array."""
    job = held.job
    keys = (simulation.seed, held.block.number, held.round, job.ordinal if job.array is None else job.array)
    user, account = early(simulation.users, *keys, 71)
    qos = "interactive" if job.kind is Kind.INTERACTIVE else early(_QOS, *keys, 73)
    return user, account, people.job_name(job.kind, *keys, 72), qos


def _about_to_start(cluster: Cluster) -> Iterable[Job]:
    simulation, moment = cluster.simulation, cluster.moment
    arrays: dict[tuple[int, int, int], list[Held]] = {}
    for held in cluster.waiting:
        if held.job.array is not None:
            arrays.setdefault((held.block.number, held.round, held.job.array), []).append(held)
            continue
        left = held.round_began + held.job.start - moment
        yield _pending(simulation, held, _reason(simulation, held, left), "")
    for tasks in arrays.values():
        numbers = [held.job.task for held in tasks]
        first, last = min(numbers), max(numbers)
        text = f"{first}-{last}%1" if last > first else str(first)
        yield _pending(simulation, tasks[-1], "JobArrayTaskLimit" if first else "Priority", text)


def _reason(simulation: Simulation, held: Held, seconds_left: int) -> str:
    if seconds_left < 900:
        return "Resources"
    chance = draw(simulation.seed, held.block.number, held.round, held.job.ordinal, 74)
    if chance < 0.06:
        return "Dependency"
    return "QOSMaxGRESPerUser" if chance < 0.12 else "BeginTime" if chance < 0.14 else "Priority"


def _pending(simulation: Simulation, held: Held, reason: str, tasks: str) -> Job:
    key = (held.block.number, held.round, held.job.ordinal, reason + tasks)
    known = simulation.held_jobs.get(key)
    if known is None:
        user, account, name, qos = _whose(simulation, held)
        region, machine = held.job.where, held.block.hosts[0].machine
        keys = (simulation.seed, held.block.number, held.round, held.job.ordinal)
        array = _array(simulation, held)
        known = simulation.held_jobs[key] = Job(
            id=array or str(held.block.job_id(held, simulation.ids)),
            user=user,
            account=account,
            partition=partition(held),
            qos=qos,
            name=name,
            state="pending",
            reason=reason,
            array_job_id=array,
            array_task_id=tasks,
            submitted_at=float(held.round_began + held.job.submit),
            cpus=float(held.job.cpus_per_node * region.nodes),
            memory_bytes=float(memory_on_node(held) * region.nodes),
            gpus=float(region.size if machine.card else 0),
            node_count=float(region.nodes),
            priority=float(20_000 + int(20_000 * draw(*keys, 75))),
        )
    return known


def _from_backlog(simulation: Simulation, job: Waiting) -> Job:
    known = simulation.waiting_jobs.get((job.stream, job.number))
    if known is None:
        known = simulation.waiting_jobs[job.stream, job.number] = _waiting(simulation, job)
    return known


def _waiting(simulation: Simulation, job: Waiting) -> Job:
    keys = (simulation.seed, 1 << 20, job.stream, job.number)
    user, account = early(simulation.users, *keys, 71)
    number = str(job_number(job.submit // SUBMIT_UNIT_SECONDS, simulation.backlog.id_base + job.stream, simulation.ids))
    cpus = max(1, job.gpus) * (8 if job.gpus else 16 * job.nodes)
    return Job(
        id=number,
        user=user,
        account=account,
        partition=job.partition,
        qos=early(_QOS, *keys, 73),
        name=people.job_name(job.kind, *keys, 72),
        state="pending",
        reason=job.reason,
        array_job_id=number if job.tasks else "",
        array_task_id=job.tasks,
        submitted_at=float(job.submit),
        cpus=float(cpus),
        memory_bytes=float(cpus * 4 * 2**30),
        gpus=float(job.gpus),
        node_count=float(job.nodes),
        priority=float(0 if job.reason == "JobHeldUser" else 1000 + int(19_000 * draw(*keys, 75))),
    )


def hostlist(names: Sequence[str]) -> str:
    """Slurm's short form: "gpu-a[01-03,07]"."""
    if len(names) < 2:
        return "".join(names)
    stem = names[0].rstrip("0123456789")
    digits = [name[len(stem) :] for name in names]
    runs = [[text for _, text in run] for _, run in groupby(enumerate(digits), key=lambda item: int(item[1]) - item[0])]
    return f"{stem}[{','.join(run[0] if len(run) == 1 else f'{run[0]}-{run[-1]}' for run in runs)}]"


def places(cluster: Cluster, host: Host) -> Iterable[tuple[Job, str, str, str]]:
    """For each unit of a node that a job holds: the job, the unit's number on the node, its type and its share."""
    for unit, held in zip(host.units, cluster.held_on(host), strict=False):
        if held is not None:
            job = running_job(cluster.simulation, held)
            if unit.slice:
                yield job, unit.device.number, unit.slice.profile, "mig"
            else:
                yield job, unit.device.number, host.machine.card.gres if host.machine.card else "", "whole"

"""Jobs that have started, as Slurm tells them: number, user, name, times, and what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from gpumon.model import Job, SlurmGpu
from gpumon_demo import queueing, submissions
from gpumon_demo.blocks import Held

if TYPE_CHECKING:
    from gpumon_demo.cluster import Cluster, Simulation

_FORGET_AT = 200_000
"""So many remembered jobs are enough; beyond, memory is freed and they are made anew."""


def jobs(cluster: Cluster) -> tuple[Job, ...]:
    """The whole queue, in the order of the jobs' numbers."""
    simulation = cluster.simulation
    if len(simulation.known_jobs) > _FORGET_AT:
        simulation.known_jobs.clear()
    found = [cluster.job_of(held) for block in cluster.held for held in block]
    found += [started_job(simulation, held, "completing") for block in cluster.completing for held in block]
    found += queueing.waiting_jobs(cluster)
    return tuple(sorted(found, key=lambda job: int(job.id)))


def phase(held: Held, moment: int) -> str:
    """In which part of its life a job is that holds something: running, suspended, or resumed."""
    pause, age = held.job.pause, held.age(moment)
    if pause is None or age < pause[0]:
        return "running"
    return "suspended" if age < pause[1] else "resumed"


def started_job(simulation: Simulation, held: Held, phase: str) -> Job:
    """A job that runs, is suspended or completes."""
    key = (held.block.number, held.round, held.job.ordinal, phase)
    known = simulation.known_jobs.get(key)
    if known is None:
        known = simulation.known_jobs[key] = _started(simulation, held, phase)
    return known


def _started(simulation: Simulation, held: Held, phase: str) -> Job:
    block, job, region = held.block, held.job, held.job.where
    owner, began = submissions.whose(simulation, held), held.round_began
    limit = submissions.time_limit(held)
    suspended = job.pause[1] - job.pause[0] if job.pause and phase == "resumed" else 0
    is_over = phase == "completing"
    ends_at = None if limit is None or is_over else began + job.start + limit + suspended
    places = range(region.node, region.node + region.nodes)
    hosts = [(place, block.hosts[place]) for place in places]
    units = [(host.name, host.units[place]) for at, host in hosts if host.units for place in region.units_on(at)]
    gpus = {SlurmGpu(name, unit.number, unit.type, unit.share): unit.device.key for name, unit in units}
    return Job(
        id=str(block.job_id(held, simulation.ids)),
        user=owner.user,
        account=owner.account,
        partition=submissions.partition(held),
        qos=owner.qos,
        name=owner.name,
        state="running" if phase == "resumed" else phase,
        nodes=hostlist([host.name for _, host in hosts]),
        array_job_id=str(block.family_id(held, simulation.ids)) if job.array is not None else "",
        array_task_id=str(job.task) if job.array is not None else "",
        het_job_id=str(block.family_id(held, simulation.ids)) if job.leader is not None else "",
        submitted_at=float(began + job.submit),
        started_at=float(began + job.start),
        ends_at=None if ends_at is None else float(ends_at),
        eligible_at=submissions.eligible_at(simulation, held),
        time_limit_seconds=limit,
        cpus=float(sum(map(job.cpus_on, places))),
        memory_bytes=float(sum(submissions.memory_on(held, place) for place in places)),
        gpus=float(submissions.gpu_count(held)),
        node_count=float(region.nodes),
        priority=submissions.priority(simulation, held),
        held=() if is_over else tuple(gpus.values()),
        allocated=() if is_over else tuple(sorted(gpus, key=lambda gpu: (gpu.node, gpu.index))),
    )


def hostlist(names: Sequence[str]) -> str:
    """Slurm's short form: "gpu-a[01-03,07]"."""
    if len(names) < 2:
        return "".join(names)
    stem = names[0].rstrip("0123456789")
    digits = [name[len(stem) :] for name in names]
    runs = [[text for _, text in run] for _, run in groupby(enumerate(digits), key=lambda item: int(item[1]) - item[0])]
    return f"{stem}[{','.join(run[0] if len(run) == 1 else f'{run[0]}-{run[-1]}' for run in runs)}]"

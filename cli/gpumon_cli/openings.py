"""When room for a job is made at the latest: which running jobs reach their time limits, and where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gpumon.model import ClusterSnapshot, Job
from gpumon_cli.room import Room, blocks_of, driver_type, kind_of


class Ending(msgspec.Struct, frozen=True):
    """One running job and what it gives back on one node."""

    id: str
    display_id: str
    user: str
    gpus: int
    ends_at: float
    """When it reaches its time limit; it may end before."""


class Opening(msgspec.Struct, frozen=True):
    """One node on which a job finds room as soon as these others have ended."""

    node: str
    type: str
    """Of its GPUs; several where a job may have any of them."""
    at: float
    gpus: float
    """How many are free there then."""
    jobs: tuple[Ending, ...]
    """In the order of their ends."""


def openings(rooms: Iterable[Room], needed: int, snapshot: ClusterSnapshot) -> tuple[Opening, ...]:
    """The nodes that have no room for so many GPUs now but will have, the soonest first.

    Nodes out of use and jobs without a limit make no room; nor do jobs of which nothing tells what they hold where.
    """
    holds = _holds(snapshot)
    found = [
        opening
        for own in blocks_of(rooms)
        if sum(room.usable for room in own) < needed
        and (opening := _opening(own, needed, holds.get(own[0].node, ()), snapshot)) is not None
    ]
    return tuple(sorted(found, key=lambda each: (each.at, len(each.jobs))))


def _holds(snapshot: ClusterSnapshot) -> Mapping[str, Sequence[Job]]:
    """The jobs that hold GPUs of each node."""
    found: dict[str, dict[str, Job]] = {}
    for job in snapshot.jobs or ():
        for key in job.held:
            gpu = snapshot.gpu_by_key.get(key)
            if gpu is not None:
                found.setdefault(gpu.node, {})[job.id] = job
    return {node: tuple(jobs.values()) for node, jobs in found.items()}


def _opening(rooms: Sequence[Room], needed: int, jobs: Sequence[Job], snapshot: ClusterSnapshot) -> Opening | None:
    """The earliest moment at which so many GPUs of these rooms of one node are free."""
    if any(room.is_closed for room in rooms) or sum(room.total for room in rooms) < needed:
        return None
    free = sum(room.free or 0.0 for room in rooms)
    gone: list[Ending] = []
    kinds = {room.type for room in rooms}
    for job in sorted((job for job in jobs if job.ends_at is not None), key=lambda job: job.ends_at or 0.0):
        given_back = _gpus_on(job, rooms[0].node, kinds, snapshot)
        if not given_back:
            continue
        gone.append(Ending(job.id, job.shown_id, job.user, given_back, job.ends_at or 0.0))
        free += given_back
        if free >= needed:
            names = ",".join(room.name for room in rooms)
            return Opening(rooms[0].node, names, gone[-1].ends_at, free, tuple(gone))
    return None


def _gpus_on(job: Job, node: str, kinds: set[str], snapshot: ClusterSnapshot) -> int:
    """How many GPUs of these types a job gives back there; one that it shares is not free when it ends."""
    found = snapshot.node_by_name.get(node)
    counts = found.slurm.gpus_by_type if found and found.slurm else ()
    gpus = (snapshot.gpu_by_key[key] for key in job.held if key in snapshot.gpu_by_key)
    own = [gpu for gpu in gpus if gpu.node == node and gpu.jobs == (job.id,)]
    return sum(kinds == {""} or (kind_of(gpu, counts) if counts else driver_type(gpu)) in kinds for gpu in own)

"""Where a job that wants GPUs finds room: what is free on each node, by type, and why it cannot be had."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from gpumon.errors import UsageError
from gpumon.model import ClusterSnapshot, Gpu, GpuCount, Node, NodeSlurm
from gpumon.text import shown
from gpumon_cli.nearest import meant

_SLICE = re.compile(r"[0-9]+c?\.?[0-9]*g\.[0-9]+gb")
"""A MIG profile within a type: "a100_1g.10gb"."""
_NOT_YET = {
    "maint": "a reservation for maintenance keeps it",
    "reserved": "a reservation keeps it",
    "future": "it is not there yet",
    "invalid_registration": "it is not what slurm.conf says",
    "powering_down": "it is being switched off",
    "reboot_issued": "it restarts",
}
"""States and flags of a node on which no ordinary job starts, though it is not out of use."""


class Room(msgspec.Struct, frozen=True):
    """The GPUs of one type on one node."""

    node: str
    type: str
    """As Slurm names it, else the driver; "" where neither does."""
    total: float
    free: float | None
    """Held by no job, and no part of them either; None when nothing tells."""
    models: tuple[str, ...] = ()
    """What the driver calls them."""
    obstacle: str = ""
    """Why no job starts there though they are free; "" where one can."""
    is_closed: bool = False
    """True when that does not change with the end of a job: the node is out of use, or kept."""
    note: str = ""
    """What else is to be known: that Slurm keeps the node for a waiting job."""
    cpus_free: float | None = None
    memory_free_bytes: float | None = None
    partitions: tuple[str, ...] = ()

    @property
    def usable(self) -> float:
        """How many a job could get now, as far as is known."""
        return 0.0 if self.obstacle else self.free or 0.0

    @property
    def is_sliced(self) -> bool:
        """True for MIG slices: nobody wants one beside a whole GPU, though Slurm would count both."""
        return bool(_SLICE.search(self.type)) or self.type.endswith(" MIG")

    @property
    def name(self) -> str:
        """Its type as people read it."""
        return self.type.removeprefix("NVIDIA ")


class TypeRoom(msgspec.Struct, frozen=True):
    """The GPUs of one type in the whole cluster."""

    type: str
    total: float
    free: float | None
    """What a job could get now; None when nothing tells of any."""
    blocked: float
    """Held by nobody, on nodes on which no job starts."""
    largest: float
    """The most that are free on one node."""
    largest_on: str
    """That node; "" when none is free."""


def rooms_of(snapshot: ClusterSnapshot) -> tuple[Room, ...]:
    """Every type of GPU on every node: as Slurm counts them where it is told, else as the GPUs themselves tell."""
    return tuple(room for node in snapshot.nodes for room in _rooms(node, snapshot))


def blocks_of(rooms: Iterable[Room]) -> Iterable[list[Room]]:
    """What one job can have together on one node: whole GPUs of all types, or slices of one type."""
    found: dict[tuple[str, str], list[Room]] = {}
    for room in rooms:
        found.setdefault((room.node, room.type if room.is_sliced else ""), []).append(room)
    return found.values()


def types_of(rooms: Iterable[Room]) -> tuple[TypeRoom, ...]:
    """The types, the one with the most free GPUs first."""
    by_type: dict[str, list[Room]] = {}
    for room in rooms:
        by_type.setdefault(room.name, []).append(room)
    found = [_type(name, own) for name, own in by_type.items()]
    return tuple(sorted(found, key=lambda each: (-(each.free or 0.0), -each.total, each.type)))


def chosen(rooms: Sequence[Room], wanted: str) -> tuple[Room, ...]:
    """The rooms of a type, by Slurm's name or the driver's; by a part of it where no whole one fits.

    Raises:
        UsageError: there is no such type.
    """
    word = wanted.casefold()
    names = [(room, {name.casefold() for name in (room.type, room.name, *room.models)}) for room in rooms]
    exact = tuple(room for room, known in names if word in known)
    found = exact or tuple(room for room, known in names if any(word in name for name in known))
    if not found:
        types = sorted({shown(room.name, 80) for room in rooms if room.name})
        near = meant(wanted, types, f"; there are {', '.join(types)}." if types else ".")
        raise UsageError(f"there is no GPU of type {shown(wanted, 80)!r}{near}")
    return found


def kind_of(gpu: Gpu, counts: Sequence[GpuCount]) -> str | None:
    """Slurm's type of a GPU on a node that has these; None where it cannot be told."""
    if len(counts) == 1:
        return counts[0].type
    mig, model = gpu.device.mig, (gpu.device.model or "").lower()
    if mig is not None:
        fitting = [count.type for count in counts if mig.profile and mig.profile in count.type]
    else:
        fitting = [count.type for count in counts if not _SLICE.search(count.type) and count.type.lower() in model]
    return fitting[0] if len(fitting) == 1 else None


def _rooms(node: Node, snapshot: ClusterSnapshot) -> Iterator[Room]:
    slurm, gpus = node.slurm or NodeSlurm(), snapshot.gpus_of(node.name)
    if slurm.gpus_by_type:
        for count in slurm.gpus_by_type:
            own = [gpu for gpu in gpus if kind_of(gpu, slurm.gpus_by_type) == count.type]
            yield _room(node, count.type, count.total, count.total - count.allocated - count.shared, own)
        return
    rooms = tuple(_told_by_gpus(node, gpus))
    free = _rest(slurm.gpus_total, slurm.gpus_allocated)
    known = [room.free for room in rooms if room.free is not None]
    if free is None or (rooms and len(known) == len(rooms) and sum(known) == free):
        yield from rooms
    elif slurm.gpus_total:
        kinds = {driver_type(gpu) for gpu in gpus}
        yield _room(node, kinds.pop() if len(kinds) == 1 else "", slurm.gpus_total, free, gpus)


def _told_by_gpus(node: Node, gpus: Iterable[Gpu]) -> Iterator[Room]:
    """By the driver's types, as far as exporters tell of the GPUs and of their holders."""
    by_type: dict[str, list[Gpu]] = {}
    for gpu in gpus:
        by_type.setdefault(driver_type(gpu), []).append(gpu)
    for kind, own in by_type.items():
        told = [gpu for gpu in own if gpu.jobs is not None and not gpu.is_stale]
        yield _room(node, kind, len(own), sum(not gpu.jobs for gpu in told) if told else None, own)


def _room(node: Node, kind: str, total: float, free: float | None, gpus: Iterable[Gpu]) -> Room:
    slurm = node.slurm or NodeSlurm()
    closed = _closed(slurm)
    return Room(
        node=node.name,
        type=kind,
        total=total,
        free=None if free is None else max(0.0, free),
        models=tuple(dict.fromkeys(filter(None, map(driver_type, gpus)))),
        obstacle=closed or _full(slurm),
        is_closed=bool(closed),
        note="kept for a waiting job" if "planned" in slurm.flags or slurm.state == "planned" else "",
        cpus_free=_rest(slurm.cpus_total, slurm.cpus_allocated),
        memory_free_bytes=_rest(slurm.memory_total_bytes, slurm.memory_allocated_bytes),
        partitions=slurm.partitions,
    )


def _closed(slurm: NodeSlurm) -> str:
    """Why no job starts on a node until somebody does something, or a time comes."""
    if slurm.is_out_of_use:
        return f"{slurm.words}{f': {slurm.reason}' if slurm.reason else ''}"
    return next((_NOT_YET[word] for word in (slurm.state, *slurm.flags) if word in _NOT_YET), "")


def _full(slurm: NodeSlurm) -> str:
    """Why no job starts on a node until another one ends, though it has GPUs left."""
    if slurm.cpus_total and _rest(slurm.cpus_total, slurm.cpus_allocated) == 0:
        return "none of its CPUs is free"
    if slurm.memory_total_bytes and _rest(slurm.memory_total_bytes, slurm.memory_allocated_bytes) == 0:
        return "none of its memory is free"
    return ""


def _rest(total: float | None, allocated: float | None) -> float | None:
    return None if total is None or allocated is None else max(0.0, total - allocated)


def driver_type(gpu: Gpu) -> str:
    """What the driver calls a GPU, with its profile for a slice."""
    model, mig = gpu.device.model or "", gpu.device.mig
    return model if mig is None else f"{model} {mig.profile or 'MIG'}".strip()


def _type(name: str, rooms: Sequence[Room]) -> TypeRoom:
    known = [room for room in rooms if room.free is not None]
    block = max(rooms, key=lambda room: room.usable)
    return TypeRoom(
        type=name,
        total=sum(room.total for room in rooms),
        free=sum(room.usable for room in known) if known else None,
        blocked=sum(room.free or 0.0 for room in known if room.obstacle),
        largest=block.usable,
        largest_on=block.node if block.usable else "",
    )

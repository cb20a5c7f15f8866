"""What a cluster has to offer to a job that wants so many GPUs on one node."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gpumon.model import ClusterSnapshot, Reservation
from gpumon_cli.openings import Opening, openings
from gpumon_cli.room import Room, TypeRoom, blocks_of, chosen, types_of


class Offer(msgspec.Struct, frozen=True):
    """The answer to "where does my job fit?"."""

    needed: int
    """GPUs on one node."""
    wanted: str | None
    """Of which type; None for any."""
    rooms: Sequence[Room]
    """All of the GPUs that would do, in use or not."""
    types: tuple[TypeRoom, ...]
    """The same by type."""
    now: tuple[Room, ...]
    """Those on nodes where the job fits now, the node first on which least is left over."""
    soonest: tuple[Opening, ...]
    """Where room will be made."""
    reservations: tuple[Reservation, ...] | None
    """Those that are in force or will be; None when nothing tells."""

    @property
    def most(self) -> float:
        """The most GPUs that one node has, in use or not."""
        return max((sum(room.total for room in own) for own in blocks_of(self.rooms)), default=0.0)


def offer_of(every: Sequence[Room], needed: int, wanted: str | None, snapshot: ClusterSnapshot) -> Offer:
    """What a job of `needed` GPUs of the wanted type is offered among all rooms of `snapshot`.

    Raises:
        UsageError: there is no such type.
    """
    rooms = every if wanted is None else chosen(every, wanted)
    fitting = [(usable, own) for own in blocks_of(rooms) if (usable := sum(room.usable for room in own)) >= needed]
    fitting.sort(key=lambda pair: pair[0])
    reservations = snapshot.reservations
    if reservations is not None:
        reservations = tuple(each for each in reservations if not each.ends_at or each.ends_at > snapshot.taken_at)
    return Offer(
        needed,
        wanted,
        rooms,
        types_of(rooms),
        tuple(room for _, own in fitting for room in own if room.usable),
        openings(rooms, needed, snapshot),
        reservations,
    )

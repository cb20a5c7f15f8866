"""The shape of `gpumon free --json`."""

from __future__ import annotations

from gpumon.model import ClusterSnapshot, Reservation
from gpumon_cli.offer import Offer
from gpumon_cli.openings import Opening
from gpumon_cli.room import Room, TypeRoom
from gpumon_cli.shapes import Answer, opening


class FreeAnswer(Answer, frozen=True):
    """`gpumon free --json`."""

    gpus_wanted: int
    type_wanted: str | None
    fits_now: bool
    fits_on: tuple[str, ...]
    types: tuple[TypeRoom, ...]
    rooms: tuple[Room, ...]
    soonest: tuple[Opening, ...]
    reservations: tuple[Reservation, ...] | None


def free_answer(offer: Offer, snapshot: ClusterSnapshot) -> FreeAnswer:
    """An offer as it goes out."""
    return FreeAnswer(
        *opening("free", snapshot),
        offer.needed,
        offer.wanted,
        bool(offer.now),
        tuple(dict.fromkeys(room.node for room in offer.now)),
        offer.types,
        tuple(offer.rooms),
        offer.soonest,
        offer.reservations,
    )

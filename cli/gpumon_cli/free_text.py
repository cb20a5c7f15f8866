"""The text of `gpumon free`: what there is, where a job fits now, when room is made, and what keeps nodes."""

from __future__ import annotations

from collections.abc import Iterator

from gpumon import units
from gpumon.columns import Column
from gpumon.model import ClusterSnapshot, Reservation
from gpumon.moments import clock, moment
from gpumon.settings import Settings
from gpumon.text import shown
from gpumon_cli.column_kinds import count, size, text
from gpumon_cli.offer import Offer
from gpumon_cli.openings import Ending, Opening
from gpumon_cli.room import Room, TypeRoom
from gpumon_cli.tables import Table, draw
from gpumon_cli.terminal import Terminal

_MOST_NODES = 10
_MOST_OPENINGS = 5
_MOST_RESERVATIONS = 5

_TYPE_COLUMNS: tuple[Column[TypeRoom], ...] = (
    text("type", "TYPE", lambda row: row.type or None),
    count("gpus", "GPUS", lambda row: row.total),
    count("free", "FREE", lambda row: row.free),
    count("largest", "ON ONE NODE", lambda row: row.largest),
    text("node", "WHICH", lambda row: row.largest_on),
)
_NODE_COLUMNS: tuple[Column[Room], ...] = (
    text("node", "NODE", lambda row: row.node),
    text("type", "TYPE", lambda row: row.name or None),
    count("free", "FREE", lambda row: row.usable),
    count("gpus", "OF", lambda row: row.total),
    count("cpus", "CPUS FREE", lambda row: row.cpus_free),
    size("memory", "MEM FREE", lambda row: row.memory_free_bytes),
    text("partitions", "PARTITIONS", lambda row: ",".join(row.partitions)),
    text("note", "NOTE", lambda row: row.note),
)


def free_lines(offer: Offer, snapshot: ClusterSnapshot, settings: Settings, screen: Terminal) -> Iterator[str]:
    """The whole answer."""
    yield from draw(Table(_TYPE_COLUMNS, offer.types, snapshot, settings.units), screen).lines
    yield ""
    yield from _now(offer, snapshot, settings, screen)
    yield from _soonest(offer, snapshot, settings, screen)
    yield from _reservations(offer, snapshot)


def free_remarks(offer: Offer) -> Iterator[str]:
    """What is free and of no use, and what is not known."""
    for room in offer.rooms:
        if room.free and room.obstacle:
            gpus = f"{_gpus(room.free, room.name)} on {shown(room.node, 80)} {'is' if room.free == 1 else 'are'} free"
            yield f"· {gpus}, but no job starts there: {shown(room.obstacle, 200)}"
    unknown = [room for room in offer.rooms if room.free is None]
    if unknown:
        nodes = ", ".join(dict.fromkeys(shown(room.node, 80) for room in unknown[:_MOST_NODES]))
        yield f"! Nothing tells whether {units.count(sum(room.total for room in unknown))} GPUs are free: {nodes}"


def _now(offer: Offer, snapshot: ClusterSnapshot, settings: Settings, screen: Terminal) -> Iterator[str]:
    wish = _gpus(offer.needed, offer.wanted or "")
    if not offer.now:
        yield screen.styled(f"No node has {wish} free for a job now.", "bold")
        if offer.most < offer.needed:
            yield f"None ever will: the largest node has {_gpus(offer.most, offer.wanted or '')}."
        return
    nodes = len({room.node for room in offer.now})
    yield screen.styled(
        f"A job of {wish} on one node finds room now on {nodes} node{'' if nodes == 1 else 's'}:", "bold"
    )
    rows = offer.now[:_MOST_NODES]
    table = Table(_NODE_COLUMNS, rows, snapshot, settings.units, spare=("note", "partitions", "memory", "cpus"))
    yield from draw(table, screen).lines
    if len(offer.now) > _MOST_NODES:
        yield f"… and {len(offer.now) - _MOST_NODES} more (--json has all)"


def _soonest(offer: Offer, snapshot: ClusterSnapshot, settings: Settings, screen: Terminal) -> Iterator[str]:
    if not offer.soonest:
        if not offer.now and offer.most >= offer.needed:
            yield "Nothing tells when room is made: no running job that would make it has a known time limit."
        return
    now = snapshot.taken_at
    columns: tuple[Column[Opening], ...] = (
        text("in", "IN", lambda row: units.duration(row.at - now) if row.at > now else "any moment"),
        text("at", "AT", lambda row: clock(row.at, now)),
        text("node", "NODE", lambda row: row.node),
        text("type", "TYPE", lambda row: row.type),
        count("gpus", "GPUS", lambda row: row.gpus),
        text("jobs", "WHEN THESE REACH THEIR TIME LIMIT", lambda row: ", ".join(map(_ending, row.jobs))),
    )
    yield ""
    room = "More room" if offer.now else "Room"
    yield screen.styled(f"{room} for {_gpus(offer.needed, offer.wanted or '')} will be made on:", "bold")
    yield from draw(Table(columns, offer.soonest[:_MOST_OPENINGS], snapshot, settings.units), screen).lines
    yield "At the latest: jobs may end before their limit. Others that wait may be first to get it."


def _ending(job: Ending) -> str:
    return f"{job.display_id} of {job.user} ({job.gpus})" if job.user else f"{job.display_id} ({job.gpus})"


def _reservations(offer: Offer, snapshot: ClusterSnapshot) -> Iterator[str]:
    now = snapshot.taken_at
    found = sorted(offer.reservations or (), key=lambda each: each.starts_at or 0.0)
    if found:
        yield ""
    for each in found[:_MOST_RESERVATIONS]:
        yield f"Reservation {shown(each.name, 80)} {_keeps(each, now)}"
    if len(found) > _MOST_RESERVATIONS:
        yield f"… and {len(found) - _MOST_RESERVATIONS} more reservations"


def _keeps(each: Reservation, now: float) -> str:
    whom = f" for {shown(each.users, 80)}" if each.users else ""
    nodes = shown(each.nodes, 80) or "nodes"
    if each.starts_at is not None and each.starts_at > now:
        return f"will keep {nodes}{whom} from {moment(each.starts_at, now)}; no job may run into it."
    until = f" until {moment(each.ends_at, now)}" if each.ends_at else ""
    return f"keeps {nodes}{whom}{until}."


def _gpus(number: float, kind: str) -> str:
    named = f" of type {shown(kind, 80)}" if kind else ""
    return f"{units.count(number)} GPU{'' if number == 1 else 's'}{named}"

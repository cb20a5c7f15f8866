"""What a Slurm exporter's samples come to, whatever its dialect."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from gpumon.model import AccountUsage, Lack, NodeSlurm, Partition, Queue, Reservation, UserUsage
from gpumon.reading.slurm.samples import SlurmSamples
from gpumon.text import natural_key

MIB = 2.0**20


class SlurmReading(msgspec.Struct, frozen=True):
    """One exporter's picture of Slurm."""

    queue: Queue = msgspec.field(default_factory=Queue)
    nodes: Mapping[str, NodeSlurm] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """By the name Slurm uses."""
    partitions: tuple[Partition, ...] = ()
    users: tuple[UserUsage, ...] = ()
    accounts: tuple[AccountUsage, ...] = ()
    reservations: tuple[Reservation, ...] | None = None
    lacks: tuple[Lack, ...] = ()

    @property
    def is_queue_empty(self) -> bool:
        """True when it is told that no job waits, runs or holds anything."""
        states = self.queue.by_state
        waits = sum(self.queue.pending_reasons.values())
        if not states:
            return not waits and self.queue.cpus_allocated == 0
        return not waits and not any(states.get(word) for word in _UNFINISHED)


_UNFINISHED = ("pending", "running", "suspended", "completing", "configuring")

Read = Callable[[SlurmSamples], SlurmReading]
Columns = Mapping[str, Mapping[str, float]]
"""For each field, its numbers by the row's name."""


def rows_of(columns: Columns, absent: Iterable[str] = ()) -> Iterable[tuple[str, dict[str, float | None]]]:
    """Each name in any of the columns, in natural order, with its fields.

    A name missing in a column that the exporter does have counts 0 there for the fields in `absent`: exporters leave
    out users and partitions without jobs in a state. Elsewhere, and where the column is empty, it is unknown.
    """
    zero = frozenset(absent)
    for name in sorted({name for column in columns.values() for name in column}, key=natural_key):
        yield (
            name,
            {key: column.get(name, 0.0 if key in zero and column else None) for key, column in columns.items()},
        )


_NO_STATES: Mapping[str, str] = MappingProxyType({})

COUNTS = ("jobs_running", "jobs_pending", "jobs_suspended", "cpus_running", "gpus_running")
"""Fields that exporters leave out for a user or account when they would be 0."""


def users(columns: Columns) -> tuple[UserUsage, ...]:
    """The users, from columns named like `UserUsage`'s fields."""
    return tuple(UserUsage(name, **fields) for name, fields in rows_of(columns, COUNTS))


def accounts(columns: Columns) -> tuple[AccountUsage, ...]:
    """The accounts, from columns named like `AccountUsage`'s fields."""
    return tuple(AccountUsage(name, **fields) for name, fields in rows_of(columns, COUNTS))


def partitions(columns: Columns, states: Mapping[str, str] = _NO_STATES) -> tuple[Partition, ...]:
    """The partitions, from columns named like `Partition`'s fields; `states` holds their states where they are told."""
    rows = rows_of(columns, ("jobs_running", "jobs_pending"))
    return tuple(Partition(name, state=states.get(name, ""), **fields) for name, fields in rows)


def mib(values: Mapping[str, float]) -> dict[str, float]:
    """Numbers in MiB, as bytes."""
    return {name: value * MIB for name, value in values.items()}


def added(*parts: float | None) -> float | None:
    """The sum of what is known; None when nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def reservations(samples: SlurmSamples, prefix: str, label: str) -> tuple[Reservation, ...]:
    """Reservations from an info metric and its times."""
    starts, ends = (
        samples.once(f"{prefix}_start_time_seconds", label),
        samples.once(f"{prefix}_end_time_seconds", label),
    )
    counts = samples.once(f"{prefix}_node_count", label)
    return tuple(
        Reservation(
            name=labels.get(label, ""),
            state=labels.get("state", "").lower(),
            nodes=labels.get("nodes", ""),
            users=labels.get("users", ""),
            flags=labels.get("flags", ""),
            starts_at=starts.get(labels.get(label, "")),
            ends_at=ends.get(labels.get(label, "")),
            node_count=counts.get(labels.get(label, "")),
        )
        for labels, _ in sorted(samples.rows(f"{prefix}_info"), key=lambda row: natural_key(row[0].get(label, "")))
    )

"""Partitions and reservations, from scontrol's lines; only administrators choose what stands in them."""

from __future__ import annotations

from collections.abc import Iterator

from gpumon_exporter.slurm.records import SlurmPartition, SlurmReservation
from gpumon_exporter.slurm.spelling import count, duration, record, when

PARTITIONS = ("scontrol", "-a", "-o", "show", "partition")
RESERVATIONS = ("scontrol", "-a", "-o", "show", "reservation")


def partitions(text: str) -> tuple[SlurmPartition, ...]:
    """All partitions."""
    return tuple(
        SlurmPartition(
            name=told["PartitionName"],
            state=told.get("State", "").lower(),
            is_default=told.get("Default") == "YES",
            qos=told.get("QoS", ""),
            max_time_seconds=duration(told.get("MaxTime", "")),
            default_time_seconds=duration(told.get("DefaultTime", "")),
            max_nodes=count(told.get("MaxNodes", "")),
        )
        for told in _records(text, "PartitionName")
    )


def reservations(text: str) -> tuple[SlurmReservation, ...]:
    """All reservations."""
    return tuple(
        SlurmReservation(
            name=told["ReservationName"],
            state=told.get("State", ""),
            nodes=told.get("Nodes", ""),
            users=told.get("Users", ""),
            accounts=told.get("Accounts", ""),
            partition=told.get("PartitionName", "") or told.get("AllowedPartitions", ""),
            flags=told.get("Flags", ""),
            starts_at=when(told.get("StartTime", "")),
            ends_at=when(told.get("EndTime", "")),
            node_count=count(told.get("NodeCnt", "")),
        )
        for told in _records(text, "ReservationName")
    )


def _records(text: str, key: str) -> Iterator[dict[str, str]]:
    """The lines that begin with `key`; there are none of "No reservations in the system"."""
    return (record(line) for line in text.splitlines() if line.startswith(f"{key}="))

"""Partitions and reservations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gpumon_exporter.metrics.exposition import Family, Samples
from gpumon_exporter.metrics.nodes import gpus_of
from gpumon_exporter.slurm.records import Reading, SlurmNode, SlurmPartition, SlurmReservation

PARTITION = Family("gpumon_partition_info", "A partition.", ("partition", "state", "default", "qos"))
LIMITS: tuple[tuple[str, str, Callable[[SlurmPartition], float | None]], ...] = (
    (
        "max_time_seconds",
        "The longest time limit of its jobs, in seconds; no series when unlimited.",
        lambda partition: partition.max_time_seconds,
    ),
    (
        "default_time_seconds",
        "The time limit of jobs that name none, in seconds; no series when unlimited.",
        lambda partition: partition.default_time_seconds,
    ),
    (
        "max_nodes",
        "Nodes that one job may have; no series when unlimited.",
        lambda partition: partition.max_nodes,
    ),
)
OF_NODES: tuple[tuple[str, str, Callable[[SlurmNode], float]], ...] = (
    ("nodes", "Nodes in a partition.", lambda _: 1),
    ("gpus", "GPUs of its nodes.", gpus_of),
    (
        "gpus_allocated",
        "GPUs of its nodes that jobs of any partition hold.",
        lambda node: sum(gpus.allocated for gpus in node.gpus),
    ),
)
RESERVATION = Family(
    "gpumon_reservation_info",
    "A reservation, running or to come.",
    ("reservation", "state", "nodes", "users", "accounts", "partition", "flags"),
)
TIMES: tuple[tuple[str, str, Callable[[SlurmReservation], float | None]], ...] = (
    ("start_time_seconds", "When it begins, seconds since 1970.", lambda reservation: reservation.starts_at),
    ("end_time_seconds", "When it ends, seconds since 1970.", lambda reservation: reservation.ends_at),
    ("node_count", "Nodes that it holds.", lambda reservation: reservation.node_count),
)


def partition_families(reading: Reading) -> Iterator[tuple[Family, Samples]]:
    """Everything that is told partition by partition."""
    yield PARTITION, (((one.name, one.state, str(one.is_default).lower(), one.qos), 1) for one in reading.partitions)
    for suffix, documentation, value in LIMITS:
        family = Family(f"gpumon_partition_{suffix}", documentation, ("partition",))
        yield family, (((one.name,), value(one)) for one in reading.partitions)
    for suffix, documentation, of_node in OF_NODES:
        totals: dict[str, float] = {one.name: 0.0 for one in reading.partitions}
        for node in reading.nodes:
            for name in node.partitions:
                totals[name] = totals.get(name, 0.0) + of_node(node)
        family = Family(f"gpumon_partition_{suffix}", documentation, ("partition",))
        yield family, [((name,), total) for name, total in totals.items()]


def reservation_families(reading: Reading) -> Iterator[tuple[Family, Samples]]:
    """Everything that is told reservation by reservation."""
    yield (
        RESERVATION,
        (
            ((one.name, one.state, one.nodes, one.users, one.accounts, one.partition, one.flags), 1)
            for one in reading.reservations
        ),
    )
    for suffix, documentation, value in TIMES:
        family = Family(f"gpumon_reservation_{suffix}", documentation, ("reservation",))
        yield family, (((one.name,), value(one)) for one in reading.reservations)

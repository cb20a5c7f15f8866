"""Partitions and reservations as gpumon's own exporter tells them."""

from __future__ import annotations

from collections.abc import Callable

from gpumon.model import Partition, Reservation
from gpumon_demo import reservations
from gpumon_demo.cluster import Cluster
from gpumon_demo.exposition import Page
from gpumon_demo.slurm import DEFAULT_PARTITION, limits

_PARTITION: tuple[tuple[str, str, Callable[[Partition], float | None]], ...] = (
    ("max_time_seconds", "The longest time limit of its jobs, in seconds; no series when unlimited.",
     lambda one: one.max_time_seconds),
    ("default_time_seconds", "The time limit of jobs that name none, in seconds; no series when unlimited.",
     lambda one: limits(one.name).default_time_seconds),
    ("max_nodes", "Nodes that one job may have; no series when unlimited.", lambda one: limits(one.name).max_nodes),
    ("nodes", "Nodes in a partition.", lambda one: one.nodes),
    ("gpus", "GPUs of its nodes.", lambda one: one.gpus_total),
    ("gpus_allocated", "GPUs of its nodes that jobs of any partition hold.", lambda one: one.gpus_allocated),
)  # fmt: skip
_RESERVATION: tuple[tuple[str, str, Callable[[Reservation], float | None]], ...] = (
    ("start_time_seconds", "When it begins, seconds since 1970.", lambda one: one.starts_at),
    ("end_time_seconds", "When it ends, seconds since 1970.", lambda one: one.ends_at),
    ("node_count", "Nodes that it holds.", lambda one: one.node_count),
)


def put_partitions(page: Page, cluster: Cluster) -> None:
    """Everything that is told partition by partition."""
    partitions = cluster.partitions
    infos = (
        (
            {
                "partition": one.name,
                "state": one.state,
                "default": str(one.name == DEFAULT_PARTITION).lower(),
                "qos": limits(one.name).qos,
            },
            1,
        )
        for one in partitions
    )
    page.family("gpumon_partition_info", "gauge", "A partition.", infos)
    for suffix, text, told in _PARTITION:
        rows = [({"partition": one.name}, value) for one in partitions if (value := told(one)) is not None]
        page.family(f"gpumon_partition_{suffix}", "gauge", text, rows)


def put_reservations(page: Page, cluster: Cluster) -> None:
    """Everything that is told reservation by reservation."""
    told = cluster.reservations
    infos = (
        (
            {
                "reservation": one.name,
                "state": one.state.upper(),
                "nodes": one.nodes,
                "users": one.users,
                "accounts": "",
                "partition": reservations.partition(one),
                "flags": one.flags,
            },
            1,
        )
        for one in told
    )
    page.family("gpumon_reservation_info", "gauge", "A reservation, running or to come.", infos)
    for suffix, text, number in _RESERVATION:
        rows = [({"reservation": one.name}, value) for one in told if (value := number(one)) is not None]
        page.family(f"gpumon_reservation_{suffix}", "gauge", text, rows)

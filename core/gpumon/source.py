"""Where a snapshot of the cluster comes from: the protocol that Prometheus, the simulation and tests all answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Flag, auto
from typing import Protocol

import msgspec

from gpumon.model import ClusterSnapshot


class Parts(Flag):
    """What a snapshot is wanted for; what is not wanted is not read, and missing without a problem."""

    GPUS = auto()
    NODES = auto()
    SLURM = auto()
    """Queue, partitions, users, accounts, reservations."""
    JOBS = auto()
    """Single jobs, and which of them holds which GPU."""
    ALERTS = auto()
    TARGETS = auto()
    DETAIL = auto()
    """The rarer facts of every GPU at once; without it a source may spread them over several refreshes."""
    IDLE = auto()
    """Since when GPUs that jobs hold have been idle: needs history."""
    ALL = GPUS | NODES | SLURM | JOBS | ALERTS | TARGETS | IDLE


class Point(msgspec.Struct, frozen=True):
    """One point of history."""

    at: float
    """Seconds since the epoch."""
    value: float


class ClusterSource(Protocol):
    """Something that can say how the cluster is; called from a worker thread, one call at a time."""

    @property
    def label(self) -> str:
        """Where the numbers come from, without secrets: shown in every header."""
        ...

    def snapshot(self, parts: Parts = Parts.ALL) -> ClusterSnapshot:
        """The cluster now.

        What fails for one part only is a problem inside the snapshot.

        Raises:
            SourceError: nothing could be read at all.
        """
        ...

    def utilization_history(self, seconds: float, points: int) -> tuple[Point, ...]:
        """Mean utilization of all GPUs over the last `seconds`, at most `points` of them, oldest first.

        () when the source holds no such history.

        Raises:
            SourceError: it could not be read.
        """
        ...

    def gpu_history(
        self, keys: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """One number of some GPUs (by `Gpu.key`) over the last `seconds`, at most `points` each, oldest first.

        `field` is one of the model's: "utilization", "memory_used_bytes", "power_watts", "temperature_celsius",
        "sm_active"; in the model's units. A GPU of which no history is held is not in the answer.

        Raises:
            SourceError: it could not be read.
        """
        ...

    def node_history(
        self, nodes: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """One number of some nodes (by `Node.name`) over the last `seconds`, at most `points` each, oldest first.

        `field` is one of the model's: "cpu_share", "load1", "network_received_bytes_per_second",
        "network_sent_bytes_per_second". A node of which no history is held is not in the answer.

        Raises:
            SourceError: it could not be read.
        """
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...

"""What is wrong in the simulated cluster, where, and since when, so that every screen has something to warn about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gpumon_demo.clockwork import TICK_SECONDS, tick_of
from gpumon_demo.hardware import MACHINES

_SILENT_FOR = 30 * 60
_SILENT_EVERY = 3 * 3600


@dataclass(frozen=True, slots=True)
class Troubles:
    """One cluster's troubles; a cluster too small for one of them goes without."""

    hot: tuple[str, int]
    """Node and card that is cooled badly and held down for it."""
    remapped: tuple[str, int]
    """Node and card with memory rows that wait to be remapped (XID 63)."""
    fallen: tuple[str, int] | None
    """Node and card that fell off the bus (XID 79); its node is drained."""
    drained: str | None
    """The node that an administrator took out."""
    down: str | None
    """The node that does not answer at all."""
    silent: str
    """The node whose dcgm-exporter falls silent from time to time."""
    full_disk: str
    """The node whose scratch disk is nearly full."""
    falls_silent_at: int
    """When the silent exporter falls silent for one of many times."""
    fallen_at: int
    drained_at: int
    down_at: int

    def is_out_of_service(self, node: str) -> bool:
        """True for nodes that run no jobs."""
        return node in {self.drained, self.down, self.fallen[0] if self.fallen else None}

    def silent_since(self, moment: int) -> int | None:
        """When the silent exporter fell silent; None while it answers."""
        phase = (moment - self.falls_silent_at) % _SILENT_EVERY
        return moment - phase if phase < _SILENT_FOR else None

    def last_heard(self, node: str, moment: int) -> int:
        """The last tick at which a node's dcgm-exporter answered."""
        since = self.silent_since(moment) if node == self.silent else None
        return moment if since is None else since - TICK_SECONDS


def troubles(nodes: Sequence[str], begins_at: float, falls_silent_at: float) -> Troubles:
    """The troubles of a cluster with these nodes."""
    of = {letter: [node for node in nodes if node.startswith(kind.prefix)] for letter, kind in MACHINES.items()}
    begin = tick_of(begins_at)
    return Troubles(
        hot=(of["a"][0], 3),
        remapped=((of["b"] or of["a"])[-1], 5),
        fallen=(of["v"][0], 2) if of["v"] else None,
        drained=of["c"][-1] if len(of["c"]) > 1 else None,
        down=of["e"][-1] if of["e"] else None,
        silent=of["d"][-1] if len(of["d"]) > 1 else of["a"][-1],
        full_disk=of["m"][0],
        falls_silent_at=tick_of(falls_silent_at),
        fallen_at=begin - 5 * 3600 - 1260,
        drained_at=begin - 2 * 86_400 - 7380,
        down_at=begin - 9 * 3600 - 540,
    )

"""What is on the screen: a snapshot with the totals and findings that follow from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from gpumon import garbage
from gpumon.model import ClusterSnapshot
from gpumon.settings import Thresholds
from gpumon.source import ClusterSource, Point
from gpumon.totals import ClusterTotals

if TYPE_CHECKING:
    from gpumon.findings import Finding


class Picture(msgspec.Struct, frozen=True, eq=False):
    """One instant of the cluster, worked out once and then only shown."""

    snapshot: ClusterSnapshot = msgspec.field(default_factory=ClusterSnapshot)
    """Its jobs stand in the order of the queue."""
    totals: ClusterTotals = msgspec.field(default_factory=ClusterTotals)
    findings: tuple[Finding, ...] = ()
    """What needs a look, the most urgent first."""

    @property
    def is_empty(self) -> bool:
        """True before the first answer."""
        return self.snapshot.taken_at == 0.0


class History(msgspec.Struct, frozen=True):
    """Mean utilization over the last while."""

    points: tuple[Point, ...] = ()
    reason: str = ""
    """Why there are none."""


def take_picture(source: ClusterSource, thresholds: Thresholds) -> Picture:
    """Asks the source and works out what follows; meant for the source's thread, not for the screen's."""
    from gpumon.findings import findings  # not needed for the first frame
    from gpumon.queue_order import in_queue_order

    with garbage.held_off():
        snapshot = source.snapshot()
    if snapshot.jobs is not None:
        snapshot = msgspec.structs.replace(snapshot, jobs=tuple(in_queue_order(snapshot.jobs)))
    return Picture(snapshot, ClusterTotals.of(snapshot, thresholds), tuple(findings(snapshot, thresholds)))

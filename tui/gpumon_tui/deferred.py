"""A source that is made when it is first asked, so that the screen need not wait for its imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gpumon.model import ClusterSnapshot
from gpumon.source import ClusterSource, Parts, Point


class DeferredSource:
    """Stands for the source that `factory` makes at the first question; a factory that fails is tried again."""

    def __init__(self, factory: Callable[[], ClusterSource]) -> None:
        self._factory = factory
        self._made: ClusterSource | None = None

    @property
    def label(self) -> str:
        """The source's own label; empty as long as there is no source."""
        return self._made.label if self._made else ""

    def snapshot(self, parts: Parts = Parts.ALL) -> ClusterSnapshot:
        """The cluster now."""
        return self._source().snapshot(parts)

    def utilization_history(self, seconds: float, points: int) -> tuple[Point, ...]:
        """Mean utilization of all GPUs over the last `seconds`."""
        return self._source().utilization_history(seconds, points)

    def gpu_history(
        self, keys: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """One number of some GPUs over the last `seconds`."""
        return self._source().gpu_history(keys, field, seconds, points)

    def node_history(
        self, nodes: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """One number of some nodes over the last `seconds`."""
        return self._source().node_history(nodes, field, seconds, points)

    def close(self) -> None:
        """Closes what was made."""
        if self._made:
            self._made.close()

    def _source(self) -> ClusterSource:
        if self._made is None:
            self._made = self._factory()
        return self._made

"""The dashboard on a cluster that is another at each question, for tests on a real terminal; its name counts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from clusters import gpu as card
from clusters import of_gpus, queued
from gpumon.model import ClusterSnapshot
from gpumon.settings import Settings
from gpumon.source import Parts, Point
from gpumon_tui.app import GpumonApp

NODES, GPUS = 40, 8


class RestlessSource:
    """Made anew at each question, so that nothing of an old picture is kept by the source."""

    label = "restless"

    def __init__(self) -> None:
        self.asked = 0
        self._gpus = tuple(card(f"gpu{node:02}", number) for node in range(NODES) for number in range(GPUS))

    def snapshot(self, parts: Parts = Parts.ALL) -> ClusterSnapshot:
        """The next."""
        self.asked += 1
        gpus = [
            msgspec.structs.replace(gpu, utilization=(place * 7 + self.asked * 3) % 100 / 100)
            for place, gpu in enumerate(self._gpus)
        ]
        jobs = tuple(msgspec.structs.replace(job, name=f"{job.name} {self.asked}") for job in queued().jobs or ())
        return replace(of_gpus(*gpus), cluster=f"picture-{self.asked}", jobs=jobs)

    def utilization_history(self, seconds: float, points: int) -> tuple[Point, ...]:
        """None is held."""
        return ()

    def gpu_history(
        self, keys: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """None is held."""
        return {}

    def node_history(
        self, nodes: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """None is held."""
        return {}

    def close(self) -> None:
        """Nothing to let go of."""


if __name__ == "__main__":
    GpumonApp(RestlessSource(), Settings(), interval=3600.0).run()

"""The simulated cluster as a source for the dashboard and the command line: nothing else needs to be installed."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

from gpumon.model import Attribution, ClusterSnapshot, Dialect, Problem, Target, Tier
from gpumon.source import Parts, Point
from gpumon.units import age
from gpumon_demo import history
from gpumon_demo.clockwork import TICK_SECONDS, tick_of
from gpumon_demo.cluster import Cluster, Simulation
from gpumon_demo.hosts import exporters

SLURM_INSTANCE = "head:8080"
SILENT_ERROR = "server returned HTTP status 503 Service Unavailable"
_REMEMBERED_POINTS = 4096


class DemoSource:
    """One simulated cluster, at the time of a clock."""

    def __init__(
        self,
        nodes: int = 12,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
        *,
        simulation: Simulation | None = None,
    ) -> None:
        """Without `simulation`, its troubles are laid around the moment at which the source is made."""
        self.simulation = simulation or Simulation(nodes, seed, begins_at=clock())
        self._clock = clock
        self._history: OrderedDict[int, float] = OrderedDict()

    @property
    def label(self) -> str:
        """The seed and the size."""
        return self.simulation.label

    def snapshot(self, parts: Parts = Parts.ALL) -> ClusterSnapshot:
        """The cluster now."""
        began, now = time.perf_counter(), self._clock()
        cluster = self.simulation.at(now)
        has_slurm = Parts.SLURM in parts
        return ClusterSnapshot(
            taken_at=now,
            source=self.label,
            is_simulated=True,
            gpus=cluster.gpus if Parts.GPUS in parts else (),
            nodes=cluster.nodes if Parts.NODES in parts else (),
            jobs=cluster.jobs if Parts.JOBS in parts else None,
            queue=cluster.queue if has_slurm else None,
            partitions=cluster.partitions if has_slurm else (),
            users=cluster.users if has_slurm else (),
            accounts=cluster.accounts if has_slurm else (),
            reservations=cluster.reservations if has_slurm else None,
            alerts=cluster.alerts if Parts.ALERTS in parts else None,
            targets=tuple(targets(cluster)) if Parts.TARGETS in parts else None,
            dialects=tuple(_dialects(cluster, parts)),
            problems=tuple(_problems(cluster, parts)),
            tier=Tier.REGEX,
            scrape_interval_seconds=float(TICK_SECONDS),
            queries=0,
            read_seconds=time.perf_counter() - began,
        )

    def utilization_history(self, seconds: float, points: int) -> tuple[Point, ...]:
        """Mean utilization of all GPUs over the last `seconds`; the past exists from the first moment."""
        return tuple(Point(float(at), self._mean_at(at)) for at in self._moments(seconds, points))

    def gpu_history(
        self, keys: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """What snapshots showed of some GPUs over the last `seconds`, without the times of which nothing was told."""
        return history.gpu_history(self.simulation, keys, field, self._moments(seconds, points))

    def node_history(
        self, nodes: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """What snapshots showed of some nodes over the last `seconds`."""
        return history.node_history(self.simulation, nodes, field, self._moments(seconds, points))

    def _moments(self, seconds: float, points: int) -> list[int]:
        """At most so many moments, oldest first; the same ones again when asked a little later."""
        if points < 1 or seconds <= 0:
            return []
        step = max(TICK_SECONDS, math.ceil(seconds / points / TICK_SECONDS) * TICK_SECONDS)
        now = tick_of(self._clock())
        last = now // step * step
        count = min(points, int(seconds // step))
        return [last - step * back for back in reversed(range(count))] if count else [now]

    def _mean_at(self, moment: int) -> float:
        known = self._history.get(moment)
        if known is None:
            known = self._history[moment] = Cluster(self.simulation, moment).mean_utilization()
            if len(self._history) > _REMEMBERED_POINTS:
                self._history.popitem(last=False)
        return known

    def close(self) -> None:
        """Nothing is held open."""


def targets(cluster: Cluster) -> Iterable[Target]:
    """Every exporter as a scrape target, broken ones first."""
    found = [
        Target(
            one.job,
            one.instance,
            host.name,
            "up" if one.is_up else "down",
            "" if one.is_up else SILENT_ERROR,
            float(cluster.moment),
            float(TICK_SECONDS),
        )
        for host in cluster.by_name
        for one in exporters(cluster, host)
    ]
    found.append(Target("slurm", SLURM_INSTANCE, "head", "up", "", float(cluster.moment), float(TICK_SECONDS)))
    return sorted(found, key=lambda target: (target.health == "up", target.job, target.instance))


def _dialects(cluster: Cluster, parts: Parts) -> Iterable[Dialect]:
    """What a reading of the same exporters would find."""
    hosts, down, now = cluster.by_name, cluster.simulation.troubles.down, float(cluster.moment)
    answering = [host for host in hosts if host.name != down]
    if Parts.GPUS in parts:
        labelled = [host for host in answering if host.machine.told_by is Attribution.LABEL]
        variant = "label hpc_job, MIG" if any(map(cluster.held_here, labelled)) else "MIG"
        yield Dialect("gpus", "dcgm-exporter", variant, sum(bool(host.units) for host in answering), now)
    if Parts.NODES in parts:
        yield Dialect("nodes", "node_exporter", "", len(answering), now)
    if Parts.SLURM in parts:
        yield Dialect("slurm", "gpumon-slurm-exporter", "", 1, now)
    if Parts.JOBS in parts:
        yield Dialect("jobs", "gpumon-slurm-exporter", f"{len(cluster.jobs)} jobs")


_PARTS = {"dcgm": (Parts.GPUS, "gpus", "dcgm-exporter"), "node": (Parts.NODES, "nodes", "node_exporter")}


def _problems(cluster: Cluster, parts: Parts) -> Iterable[Problem]:
    """The exporters that are silent."""
    for host in cluster.by_name:
        for one in exporters(cluster, host):
            wanted, part, name = _PARTS[one.kind]
            if one.is_up or wanted not in parts:
                continue
            silence = "has not answered within the last hour"
            if one.scraped_at is not None:
                silence = f"has been silent for {age(cluster.moment - one.scraped_at)}"
            yield Problem(
                part,
                f"The {name} at {one.instance} {silence}"
                + ("; its last numbers are shown as old." if one.scraped_at is not None else "."),
                f"Is it running? The error stands with target {one.instance} of job {one.job}.",
            )

"""Reads what ties jobs to GPUs beside the jobs themselves, and puts together who holds what when any of it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gpumon.live.ask import Ask
from gpumon.live.jobs import JobReader
from gpumon.model import GpuDevice
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import GpuJobLabels, GpuMapLabels, NodeJobLabels
from gpumon.prometheus.wire import Vector
from gpumon.reading import holders as reading
from gpumon.reading.gpus import in_order
from gpumon.reading.holders import Counted, Holders, Told
from gpumon.reading.names import NodeNames
from gpumon.reading.places import GpuMap, NodeCards, by_node, jobs_of_gpus, jobs_of_nodes, read_map
from gpumon.reading.slurm.dialects import SlurmFound

_MAP_EVERY = 20
"""Refreshes between two readings of the nodes' maps, which change with a reboot."""


@dataclass(frozen=True)
class Known:
    """What the other readers know in this refresh."""

    devices: Mapping[str, GpuDevice]
    labels: Mapping[str, Iterable[str]]
    """By GPU, the jobs that dcgm-exporter names."""
    names: NodeNames
    slurm: SlurmFound | None = None
    """None when no exporter of Slurm speaks."""


@dataclass
class HolderReader:
    """What is asked, refresh by refresh, and what is kept in between."""

    client: PrometheusClient
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many series of each kind there are: what does not exist is not asked for."""
    _map: Vector[GpuMapLabels] | None = None
    _of_gpus: Vector[GpuJobLabels] | None = None
    _of_nodes: Vector[NodeJobLabels] | None = None
    _refresh: int = 0
    _map_ask: Ask[Vector[GpuMapLabels]] | None = None
    _gpu_ask: Ask[Vector[GpuJobLabels]] | None = None
    _node_ask: Ask[Vector[NodeJobLabels]] | None = None
    _cards: dict[str, NodeCards] = field(default_factory=dict[str, NodeCards])
    _devices: Mapping[str, GpuDevice] = field(default_factory=dict[str, GpuDevice])
    """Those of which `_cards` was made."""
    _names: NodeNames = field(default_factory=NodeNames)
    _seen: tuple[object, ...] = ()
    """What `_found` was made of."""
    _found: Holders = field(default_factory=Holders)

    def asks(self) -> list[Ask[Any]]:
        """The requests of this refresh."""
        turn, self._refresh = self._refresh, self._refresh + 1
        self._map_ask = self._gpu_ask = self._node_ask = None
        if self.counts.get("gpumon_slurm_gpu_info") and (turn % _MAP_EVERY == 0 or self._map is None):
            self._map_ask = Ask("jobs", lambda: self.client.query(queries.GPU_MAP, GpuMapLabels))
        if self.counts.get("nvidia_gpu_jobId"):
            self._gpu_ask = Ask("jobs", lambda: self.client.query(queries.JOBS_OF_GPUS, GpuJobLabels))
        if self.counts.get("slurm_node_job"):
            self._node_ask = Ask("jobs", lambda: self.client.query(queries.JOBS_OF_NODES, NodeJobLabels))
        return [ask for ask in (self._map_ask, self._gpu_ask, self._node_ask) if ask is not None]

    def take(self) -> None:
        """Takes the answers in; what was not answered stays as it was."""
        if self._map_ask is not None and self._map_ask.answer is not None:
            self._map = self._map_ask.answer
        if self._gpu_ask is not None and self._gpu_ask.answer is not None:
            self._of_gpus = self._gpu_ask.answer
        if self._node_ask is not None and self._node_ask.answer is not None:
            self._of_nodes = self._node_ask.answer

    def of_labels(self, known: Known) -> Holders:
        """Who holds each GPU as far as dcgm-exporter itself says, for those who ask for no jobs."""
        return reading.holders(Told(self._placed(known), known.labels, {}, GpuMap()))

    def holders(self, known: Known, jobs: JobReader | None) -> Holders:
        """Who holds each GPU; the same object as before when nothing changed that speaks of it.

        `jobs` is None while nothing tells of single jobs.
        """
        nodes = _nodes(known)
        tells_all = jobs is not None and not (known.slurm is not None and known.slurm.hides_jobs)
        version = jobs.version if jobs else None
        placed = self._placed(known)
        seen = (placed, known.labels, nodes, version, tells_all, known.names, self._map, self._of_gpus, self._of_nodes)
        if not (self._seen and all(map(_is_same, seen, self._seen))):
            self._seen = seen
            self._found = reading.holders(
                Told(
                    cards=placed,
                    labels=jobs.raw_ids(known.labels) if jobs else known.labels,
                    holds=jobs.holds(known.names) if jobs else {},
                    map=read_map(self._map.samples if self._map else (), known.names),
                    nodes=nodes,
                    alive=jobs.holding if jobs and tells_all else None,
                    unplaced=jobs.unplaced(known.names) if jobs else {},
                    of_gpus=jobs_of_gpus(self._of_gpus.samples if self._of_gpus else (), placed, known.names),
                    of_nodes=jobs_of_nodes(self._of_nodes.samples if self._of_nodes else (), known.names),
                )
            )
        return self._found

    def _placed(self, known: Known) -> dict[str, NodeCards]:
        if known.devices != self._devices or known.names is not self._names:
            self._devices, self._names = known.devices, known.names
            self._cards = by_node(known.devices, in_order(known.devices), known.names)
        return self._cards


def _is_same(one: object, other: object) -> bool:
    return one is other or (isinstance(one, (dict, int, type(None))) and one == other)


def _nodes(known: Known) -> dict[str, Counted] | None:
    """How Slurm counts each node's GPUs; other exporters' counts silently leave out those that are shared."""
    told = known.slurm.told if known.slurm is not None and known.slurm.is_ours else None
    return None if told is None else {known.names.name(name): Counted.of(node) for name, node in told.nodes.items()}

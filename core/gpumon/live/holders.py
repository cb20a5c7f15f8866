"""Reads what ties jobs to GPUs beside the jobs themselves, and puts together who holds what where any of it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from gpumon.live.ask import Ask
from gpumon.live.jobs import JobReader
from gpumon.model import GpuDevice, Tier
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import GpuJobLabels, GpuMapLabels, NodeJobLabels
from gpumon.prometheus.wire import Vector
from gpumon.reading import holders as reading
from gpumon.reading.gpus import in_order
from gpumon.reading.holders import Counted, Holders, Jobs, Told, changed_nodes, trusted
from gpumon.reading.jobs import Holds
from gpumon.reading.names import NodeNames
from gpumon.reading.places import GpuMap, NodeCards, by_node, jobs_of_gpus, jobs_of_nodes, read_map
from gpumon.reading.slurm.dialects import SlurmFound

_MAP_EVERY = 20
"""Refreshes between two readings of the nodes' maps, which change with a reboot."""


class Known(msgspec.Struct, frozen=True):
    """What the other readers know in this refresh."""

    devices: Mapping[str, GpuDevice]
    labels: Mapping[str, Iterable[str]]
    """By GPU, the jobs that dcgm-exporter names."""
    names: NodeNames
    slurm: SlurmFound | None = None
    """None when no exporter of Slurm speaks."""
    jobs: JobReader | None = None
    """None when nothing tells of single jobs."""


class HolderReader(msgspec.Struct):
    """What is asked, refresh by refresh, and what is kept in between."""

    client: PrometheusClient
    tier: Tier = Tier.REGEX
    counts: Mapping[str, int] = msgspec.field(default_factory=dict[str, int])
    """How many series of each kind there are: what does not exist is not asked for."""
    _map: Vector[GpuMapLabels] | None = None
    _of_gpus: Vector[GpuJobLabels] | None = None
    _of_nodes: Vector[NodeJobLabels] | None = None
    _refresh: int = 0
    _map_ask: Ask[Vector[GpuMapLabels]] | None = None
    _gpu_ask: Ask[Vector[GpuJobLabels]] | None = None
    _node_ask: Ask[Vector[NodeJobLabels]] | None = None
    _devices: Mapping[str, GpuDevice] = msgspec.field(default_factory=dict[str, GpuDevice])
    _names: NodeNames = msgspec.field(default_factory=NodeNames)
    _cards: Mapping[str, NodeCards] = msgspec.field(default_factory=dict[str, NodeCards])
    """What was made of these two."""
    _mapped: GpuMap = msgspec.field(default_factory=GpuMap)
    _mapped_of: tuple[Vector[GpuMapLabels] | None, NodeNames | None] = (None, None)
    """What that was made of."""
    _spellings: dict[str, set[str]] = msgspec.field(default_factory=dict[str, set[str]])
    """By node, how Slurm spells it where it tells what jobs hold."""
    _labels: Mapping[str, Iterable[str]] = msgspec.field(default_factory=dict[str, Iterable[str]])
    _trusted_in: tuple[int | None, bool] = (None, False)
    """For which jobs the next was made of `_labels`."""
    _sides: tuple[Mapping[str, Jobs], Mapping[str, Jobs]] = ({}, {})
    _told: Told | None = None
    """What `_found` was made of."""
    _found: Holders = msgspec.field(default_factory=Holders)

    def asks(self) -> list[Ask[Any]]:
        """The requests of this refresh."""
        turn, self._refresh = self._refresh, self._refresh + 1
        self._map_ask = self._gpu_ask = self._node_ask = None
        if self.counts.get("gpumon_slurm_gpu_info") and (turn % _MAP_EVERY == 0 or self._map is None):
            self._map_ask = self._ask(queries.GPU_MAP, GpuMapLabels)
        is_turn = self.tier is not Tier.TURNS or turn == 0 or turn % 2 == 1  # else it is that of the nodes
        if self.counts.get("nvidia_gpu_jobId") and is_turn:
            self._gpu_ask = self._ask(queries.JOBS_OF_GPUS, GpuJobLabels)
        if self.counts.get("slurm_node_job") and is_turn:
            self._node_ask = self._ask(queries.JOBS_OF_NODES, NodeJobLabels)
        return [ask for ask in (self._map_ask, self._gpu_ask, self._node_ask) if ask is not None]

    def _ask(self, promql: str, labels: type[Any]) -> Ask[Any]:
        return Ask("jobs", lambda: self.client.query(promql, labels))

    def take(self) -> None:
        """Takes the answers in; what was not answered stays as it was."""
        if self._map_ask is not None and self._map_ask.answer is not None:
            self._map = self._map_ask.answer
        if self._gpu_ask is not None and self._gpu_ask.answer is not None:
            self._of_gpus = self._gpu_ask.answer
        if self._node_ask is not None and self._node_ask.answer is not None:
            self._of_nodes = self._node_ask.answer

    def holders(self, known: Known) -> Holders:
        """Who holds each GPU; the same object as before when nothing changed that speaks of it."""
        touched = self._placed(known)
        told = self._all_told(known)
        changed = changed_nodes(told, self._told) | touched
        if changed:
            is_same_site = self._told is not None and told.cards is self._told.cards
            self._found = reading.holders(told, changed, self._found if is_same_site else Holders())
        self._told = told
        return self._found

    def _placed(self, known: Known) -> set[str]:
        """Lays out the GPUs by their nodes, and gives the nodes on which jobs gained or lost some."""
        jobs = known.jobs
        touched = jobs.touched() if jobs else set[str]()
        if known.names is not self._names:
            self._spellings, touched = {}, set(jobs.on_node) if jobs else touched
        if known.names is not self._names or known.devices != self._devices:
            self._devices, self._names = known.devices, known.names
            self._cards = by_node(known.devices, in_order(known.devices), known.names)
        for spelling in touched:
            self._spellings.setdefault(known.names.name(spelling), set()).add(spelling)
        return {known.names.name(spelling) for spelling in touched}

    def _all_told(self, known: Known) -> Told:
        jobs, names = known.jobs, known.names
        are_all_told = jobs is not None and not (known.slurm is not None and known.slurm.hides_jobs)
        labels, stray = self._trusted(known.labels, jobs, are_all_told=are_all_told)
        return Told(
            cards=self._cards,
            labels=labels,
            stray=stray,
            holds=self._holds_of(jobs),
            map=self._map_by(names),
            nodes=_nodes(known),
            are_jobs_told=jobs is not None,
            are_all_jobs_told=are_all_told,
            unplaced=jobs.unplaced(names) if jobs else {},
            of_gpus=jobs_of_gpus(self._of_gpus.samples, self._cards, names) if self._of_gpus else {},
            of_nodes=jobs_of_nodes(self._of_nodes.samples, names) if self._of_nodes else {},
        )

    def _trusted(
        self, labels: Mapping[str, Iterable[str]], jobs: JobReader | None, *, are_all_told: bool
    ) -> tuple[Mapping[str, Jobs], Mapping[str, Jobs]]:
        """The jobs that dcgm-exporter names, and apart from them those that Slurm does not know."""
        if not labels:
            return {}, {}
        version = jobs.version if jobs else None, are_all_told
        if version != self._trusted_in or labels != self._labels:
            self._trusted_in, self._labels = version, labels
            raw = jobs.raw_ids(labels) if jobs else labels
            self._sides = trusted(raw, jobs.holding if jobs and are_all_told else None)
        return self._sides

    def _holds_of(self, jobs: JobReader | None) -> Callable[[str], Holds]:
        """What jobs hold on a node, whatever Slurm calls it."""
        spellings = self._spellings
        on_node: Mapping[str, Holds] = jobs.on_node if jobs else {}

        def holds(node: str) -> Holds:
            return {number: held for name in spellings.get(node, ()) for number, held in on_node.get(name, {}).items()}

        return holds

    def _map_by(self, names: NodeNames) -> GpuMap:
        """The nodes' maps, the same object for the same answer."""
        if self._map is not self._mapped_of[0] or names is not self._mapped_of[1]:
            self._mapped_of = (self._map, names)
            self._mapped = read_map(self._map.samples, names) if self._map else GpuMap()
        return self._mapped


def _nodes(known: Known) -> dict[str, Counted] | None:
    """How Slurm counts each node's GPUs; other exporters' counts silently leave out those that are shared."""
    told = known.slurm.told if known.slurm is not None and known.slurm.is_ours else None
    return None if told is None else {known.names.name(name): Counted.of(node) for name, node in told.nodes.items()}

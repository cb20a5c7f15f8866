"""Reads nodes from node_exporter: plain numbers in one query, and rates between the last two scrapes."""

from __future__ import annotations

from typing import Any

import msgspec

from gpumon.live.ask import Ask
from gpumon.model import Node, Problem, Tier
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import NodeLabels, TargetLabels
from gpumon.prometheus.wire import Vector
from gpumon.reading.nodes import NodeReadings, read_gauges, read_rate
from gpumon.reading.silence import TargetKey

_CORES_EVERY = 40


class NodesShown(msgspec.Struct, frozen=True):
    """The nodes of a snapshot, and for what they hold."""

    nodes: tuple[Node, ...]
    problems: tuple[Problem, ...]
    down: frozenset[TargetKey]
    gpu_count: int


class NodeReader(msgspec.Struct):
    """What is asked about nodes, refresh by refresh, and what is kept in between."""

    client: PrometheusClient
    tier: Tier = Tier.REGEX
    kept: NodeReadings = msgspec.field(default_factory=NodeReadings)
    was_read: bool = False
    """Whether this refresh asks about nodes; clusters that are read in turns do so every second time."""
    shown: NodesShown | None = None
    """What the last refresh made of it."""
    _refresh: int = 0
    _gauges: Ask[Vector[NodeLabels]] | None = None
    _rates: list[tuple[str, Ask[Vector[TargetLabels]]]] = msgspec.field(
        default_factory=list["tuple[str, Ask[Vector[TargetLabels]]]"]
    )

    def asks(self) -> list[Ask[Any]]:
        """The requests of this refresh."""
        turn, self._refresh = self._refresh, self._refresh + 1
        self._gauges, self._rates = None, []
        self.was_read = self.tier is not Tier.TURNS or turn % 2 == 0
        if not self.was_read:
            return []  # the turn of the jobs
        groups = 2 if self.tier is Tier.TURNS else 1
        self._gauges = Ask("nodes", lambda: self.client.query(queries.NODE_SAMPLES, NodeLabels))
        expressions = [("cpu_share", queries.NODE_CPU_SHARE)]
        expressions += [(name, queries.node_rate(metric, out)) for name, metric, out in queries.NODE_RATES]
        self._rates = [
            (name, self._rate_ask(promql))
            for place, (name, promql) in enumerate(expressions)
            if turn == 0 or (turn // 2 + place) % groups == 0
        ]
        if turn % _CORES_EVERY == 0:
            self._rates.append(("cores", self._rate_ask(queries.NODE_CORES)))
        return [self._gauges, *(ask for _, ask in self._rates)]

    def _rate_ask(self, promql: str) -> Ask[Vector[TargetLabels]]:
        return Ask("nodes", lambda: self.client.query(promql, TargetLabels))

    def take(self) -> None:
        """Takes the answers in; what was not answered stays as it was."""
        if self._gauges is not None and self._gauges.answer is not None:
            self.kept.forget_gauges()
            read_gauges(self._gauges.answer.samples, self.kept)
        for name, ask in self._rates:
            if ask.answer is not None:
                read_rate(ask.answer.samples, name, self.kept)

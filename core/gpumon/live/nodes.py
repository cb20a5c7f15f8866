"""Reads nodes from node_exporter: plain numbers in one query, and rates between the last two scrapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gpumon.live.ask import Ask
from gpumon.model import Tier
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import NodeLabels, TargetLabels
from gpumon.prometheus.wire import Vector
from gpumon.reading.nodes import NodeReadings, read_gauges, read_rate

_CORES_EVERY = 40
_GAUGES_EVERY = {Tier.REGEX: 1, Tier.FULL: 1, Tier.TURNS: 2}
_RATES_EVERY = {Tier.REGEX: 1, Tier.FULL: 1, Tier.TURNS: 4}


@dataclass
class NodeReader:
    """What is asked about nodes, refresh by refresh, and what is kept in between."""

    client: PrometheusClient
    tier: Tier = Tier.REGEX
    kept: NodeReadings = field(default_factory=NodeReadings)
    _refresh: int = 0
    _gauges: Ask[Vector[NodeLabels]] | None = None
    _rates: list[tuple[str, Ask[Vector[TargetLabels]]]] = field(
        default_factory=list["tuple[str, Ask[Vector[TargetLabels]]]"]
    )

    def asks(self) -> list[Ask[Any]]:
        """The requests of this refresh."""
        turn, self._refresh = self._refresh, self._refresh + 1
        every = _RATES_EVERY[self.tier]
        self._gauges = None
        if turn % _GAUGES_EVERY[self.tier] == 0:
            self._gauges = Ask("nodes", lambda: self.client.query(queries.NODE_SAMPLES, NodeLabels))
        expressions = [("cpu_share", queries.NODE_CPU_SHARE)]
        expressions += [(name, queries.node_rate(metric, out)) for name, metric, out in queries.NODE_RATES]
        self._rates = [
            (name, self._rate_ask(promql))
            for place, (name, promql) in enumerate(expressions)
            if turn == 0 or (turn + place) % every == 0
        ]
        if turn % _CORES_EVERY == 0:
            self._rates.append(("cores", self._rate_ask(queries.NODE_CORES)))
        return [*([self._gauges] if self._gauges else []), *(ask for _, ask in self._rates)]

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

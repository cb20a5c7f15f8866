"""Reads nodes from node_exporter: plain numbers in one query, rates over a window that fits the scrape interval."""

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
_RATES_EVERY = {Tier.REGEX: 1, Tier.FULL: 1, Tier.TURNS: 4}
_WINDOW_WITHOUT_INTERVAL = 300
"""Seconds; the usual window of dashboards, which holds four scrapes of any sensible interval."""


@dataclass
class NodeReader:
    """What is asked about nodes, refresh by refresh, and what is kept in between."""

    client: PrometheusClient
    tier: Tier = Tier.REGEX
    interval_seconds: float | None = None
    """Between two scrapes; None when it is not known."""
    kept: NodeReadings = field(default_factory=NodeReadings)
    _refresh: int = 0
    _gauges: Ask[Vector[NodeLabels]] | None = None
    _rates: list[tuple[str, Ask[Vector[TargetLabels]]]] = field(
        default_factory=list["tuple[str, Ask[Vector[TargetLabels]]]"]
    )

    def asks(self) -> list[Ask[Any]]:
        """The requests of this refresh."""
        turn, self._refresh = self._refresh, self._refresh + 1
        every, window = _RATES_EVERY[self.tier], self._window
        self._gauges = Ask("nodes", lambda: self.client.query(queries.NODE_SAMPLES, NodeLabels))
        expressions = [("cpu_share", queries.node_cpu_share(window))]
        expressions += [(name, queries.node_rate(metric, out, window)) for name, metric, out in queries.NODE_RATES]
        self._rates = [
            (name, self._rate_ask(promql))
            for place, (name, promql) in enumerate(expressions)
            if turn == 0 or (turn + place) % every == 0
        ]
        if turn % _CORES_EVERY == 0:
            self._rates.append(("cores", self._rate_ask(queries.NODE_CORES)))
        return [self._gauges, *(ask for _, ask in self._rates)]

    def _rate_ask(self, promql: str) -> Ask[Vector[TargetLabels]]:
        return Ask("nodes", lambda: self.client.query(promql, TargetLabels))

    @property
    def _window(self) -> int:
        """Four scrapes at least, so that one that failed leaves a rate; a minute at least, so that it is steady."""
        if self.interval_seconds is None:
            return _WINDOW_WITHOUT_INTERVAL
        return max(60, round(4 * self.interval_seconds))

    def take(self) -> None:
        """Takes the answers in; what was not answered stays as it was."""
        if self._gauges is not None and self._gauges.answer is not None:
            self.kept.forget_gauges()
            read_gauges(self._gauges.answer.samples, self.kept)
        for name, ask in self._rates:
            if ask.answer is not None:
                read_rate(ask.answer.samples, name, self.kept)

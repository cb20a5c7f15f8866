"""Reads which targets answer, how often they are scraped, and what the silent ones said last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gpumon.live.ask import Ask
from gpumon.model import Target
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import LastWordLabels, TargetLabels
from gpumon.prometheus.wire import Matrix, Vector
from gpumon.reading.gpus import GpuReadings, read_samples, settle_memory, settle_slices
from gpumon.reading.names import NodeNames
from gpumon.reading.nodes import NodeReadings, read_gauges
from gpumon.reading.silence import Pulses, TargetKey, read_pulses, scrape_interval

_DOUBT_WITHOUT_INTERVAL = 60.0
"""Seconds between scrapes that are assumed when nothing tells."""

_NEVER_OLD_BEFORE = 10.0
"""Seconds: however fast a server scrapes, it may take some of them until it hands out what it has."""

_LAST_WORDS_EVERY = 20


class PulseReader(msgspec.Struct):
    """What is asked about the scrape targets themselves, and what is kept in between."""

    client: PrometheusClient
    stale_scrapes: float
    pulses: Pulses = msgspec.field(default_factory=Pulses)
    now: float = 0.0
    """The server's time of the newest answer."""
    interval_seconds: float | None = None
    last_words: Vector[LastWordLabels] | None = None
    """What targets that are silent now said last."""
    silence: Matrix[TargetLabels] | None = None
    _silent: frozenset[TargetKey] = frozenset()
    _age: int = 0
    _times: Ask[Vector[TargetLabels]] | None = None
    _down: Ask[Vector[TargetLabels]] | None = None
    _words: Ask[Vector[LastWordLabels]] | None = None
    _since: Ask[Matrix[TargetLabels]] | None = None
    _history: Ask[Matrix[TargetLabels]] | None = None

    def asks(self) -> list[Ask[Any]]:
        """The requests of this refresh."""
        self._times = Ask("source", lambda: self.client.query(queries.UP_TIMES, TargetLabels))
        self._down = Ask("source", lambda: self.client.query(queries.DOWN, TargetLabels))
        return [self._times, self._down]

    def take(self, now: float) -> list[Ask[Any]]:
        """Takes the answers in; requests are returned about silent targets and, until it is known, the interval."""
        if self._times is not None and self._times.answer is not None:
            samples = self._times.answer.samples
            self.now = samples[0].value[0] if samples else now
            down = self._down.answer if self._down is not None else None
            self.pulses = read_pulses(self._times.answer, down or Vector([]))
        self._words = self._since = self._history = None
        return [*self._about_silence(), *self._about_interval()]

    def _about_silence(self) -> list[Ask[Any]]:
        silent = self.pulses.down
        self._age += 1
        if not silent:
            self._silent, self.last_words, self.silence = frozenset(), None, None
            return []
        if silent == self._silent and self._age % _LAST_WORDS_EVERY:
            return []
        self._silent = silent
        instances = sorted({instance for _, instance in silent})
        self._words = Ask("source", lambda: self.client.query(queries.last_words(instances), LastWordLabels))
        self._since = Ask("source", lambda: self.client.query_matrix(queries.silent_since(instances), TargetLabels))
        return [self._words, self._since]

    def _about_interval(self) -> list[Ask[Any]]:
        if self.interval_seconds is not None:
            return []
        up = next((key for key, pulse in self.pulses.by_target.items() if pulse.is_up), None)
        if up is None:
            return []
        promql = queries.up_history(instance=up[1], job=up[0])
        self._history = Ask("source", lambda: self.client.query_matrix(promql, TargetLabels))
        return [self._history]

    def take_more(self) -> None:
        """Takes in the answers to the requests that `take` returned."""
        if self._words is not None and self._words.answer is not None:
            self.last_words = self._words.answer
        if self._since is not None and self._since.answer is not None:
            self.silence = self._since.answer
        if self.silence is not None:
            self.pulses = self.pulses.with_silence(self.silence)
        if self._history is not None and self._history.answer is not None:
            self.interval_seconds = scrape_interval(self._history.answer)

    def learn_interval(self, targets: tuple[Target, ...], gpu_targets: frozenset[TargetKey]) -> None:
        """The interval as Prometheus itself tells it: of the GPUs' targets, else of the fastest target."""
        told = [(target.job, target.instance, target.scrape_interval_seconds) for target in targets]
        of_gpus = [seconds for job, instance, seconds in told if seconds and (job, instance) in gpu_targets]
        fastest = min(of_gpus or [seconds for _, _, seconds in told if seconds], default=None)
        self.interval_seconds = fastest or self.interval_seconds

    def heard(self, target: TargetKey) -> tuple[float | None, bool]:
        """When a target was last heard, and whether that is long ago."""
        pulse = self.pulses.by_target.get(target)
        if pulse is None:
            return None, False
        limit = max(self.stale_scrapes * (self.interval_seconds or _DOUBT_WITHOUT_INTERVAL), _NEVER_OLD_BEFORE)
        is_old = not pulse.is_up or (pulse.heard_at is not None and self.now - pulse.heard_at > limit)
        return pulse.heard_at, is_old

    def silent_gpus(self, names: NodeNames) -> GpuReadings:
        """The last words of silent exporters about GPUs."""
        found = GpuReadings()
        if self.last_words is not None:
            read_samples(self.last_words.samples, names, found)
            settle_slices(found)
            settle_memory(found)
        return found

    def silent_nodes(self, into: NodeReadings) -> None:
        """Adds the last words of silent node_exporters."""
        if self.last_words is not None:
            read_gauges(self.last_words.samples, into)

    def nodes_of(self, names: NodeNames, told: Mapping[TargetKey, str]) -> dict[TargetKey, str]:
        """The node of each target: by what it told, else by its labels."""
        return {
            key: told.get(key) or names.of(node=pulse.node_label, instance=pulse.instance)
            for key, pulse in self.pulses.by_target.items()
        }

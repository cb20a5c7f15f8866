"""Reads GPUs: everything in one query for some hundreds, one query per metric above, in turns for thousands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from gpumon.live.ask import Ask
from gpumon.model import Gpu, GpuDetail, Problem, Severity, Tier
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import GpuKeyLabels, GpuLabels
from gpumon.prometheus.queries import GpuMetric
from gpumon.prometheus.wire import Vector
from gpumon.reading import gpus as reading
from gpumon.reading.gpus import GpuReadings, MetricReading
from gpumon.reading.holders import Holders
from gpumon.reading.names import NodeNames
from gpumon.reading.silence import TargetKey, listed

Heard = Callable[[TargetKey], tuple[float | None, bool]]
"""When a target was last heard, and whether that is long ago."""

ONE_QUERY_UP_TO = 500
"""GPUs that are read with one query: fewer requests outweigh the longer answer (performance.md, section 2)."""

IN_TURNS_FROM = 4000
"""GPUs from which on only utilization is read at every refresh."""

_DEVICES_EVERY = 40
_LIVE_EVERY = {Tier.FULL: 1, Tier.TURNS: 3}
"""Refreshes between two readings of a live metric; three keeps the oldest within what counts as fresh."""

_RARER_EVERY = 4
_RARER_GROUPS = {Tier.FULL: 1, Tier.TURNS: 3}
"""Every so many refreshes one group of the rarer metrics is read; all of them at once would be felt by the server."""

_NOT_IN_DETAIL = frozenset(Gpu.__struct_fields__) | {"memory_reserved_bytes", "memory_total_bytes"}

_SIZE_FIELDS = frozenset({"memory_free_bytes", "memory_reserved_bytes", "memory_total_bytes"})


_TOLD_WITH_JOBS = (queries.UTILIZATION, queries.ENGINE_ACTIVE)


def tier_for(gpu_count: float) -> Tier:
    """How a cluster of this many GPUs is read."""
    if gpu_count <= ONE_QUERY_UP_TO:
        return Tier.REGEX
    return Tier.FULL if gpu_count < IN_TURNS_FROM else Tier.TURNS


class GpuReader(msgspec.Struct):
    """What is asked about GPUs, refresh by refresh, and what is kept in between."""

    client: PrometheusClient
    tier: Tier = Tier.REGEX
    identity_metric: str = "DCGM_FI_DEV_FB_USED"
    """The metric whose labels say what each GPU is."""
    kept: GpuReadings = msgspec.field(default_factory=GpuReadings)
    """The newest answer to each question."""
    _keys: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """Each GPU's key once, by itself."""
    _order: tuple[str, ...] = ()
    _told: frozenset[str] = frozenset()
    """The keys of GPUs that said in this refresh how busy they are."""
    _details: Mapping[str, GpuDetail] | None = None
    """Put together again when a rarer metric was read."""
    _is_sized: bool = False
    _never_read: set[str] = msgspec.field(default_factory=lambda: {metric.metric for metric in queries.GPU_METRICS})
    _refresh: int = 0
    _samples: Ask[Vector[GpuLabels]] | None = None
    _devices: Ask[Vector[GpuLabels]] | None = None
    _metrics: list[tuple[GpuMetric, Ask[MetricReading]]] = msgspec.field(
        default_factory=list["tuple[GpuMetric, Ask[MetricReading]]"]
    )

    def asks(self, *, everything: bool = False) -> list[Ask[Any]]:
        """The requests of this refresh; `everything` leaves no metric for a later one."""
        turn, self._refresh = self._refresh, self._refresh + 1
        self._samples = self._devices = None
        self._metrics = []
        if self.tier is Tier.REGEX:
            self._samples = Ask("gpus", lambda: self.client.query(queries.ALL_GPU_SAMPLES, GpuLabels))
            return [self._samples]
        if turn % _DEVICES_EVERY == 0 or not self.kept.devices:
            self._devices = self._device_ask()
        self._metrics = [
            (metric, self._metric_ask(metric))
            for place, metric in enumerate(queries.GPU_METRICS)
            if self._is_due(metric, place, turn) or (everything and metric.metric in self._never_read)
        ]
        self._never_read.difference_update(metric.metric for metric, _ in self._metrics)
        return [*([self._devices] if self._devices else []), *(ask for _, ask in self._metrics)]

    def _is_due(self, metric: GpuMetric, place: int, turn: int) -> bool:
        if metric is queries.UTILIZATION or (metric is queries.ENGINE_ACTIVE and self._has_slices):
            return True
        if metric in queries.LIVE_GPU_METRICS:
            return turn == 0 or (turn + place) % _LIVE_EVERY[self.tier] == 0
        if turn == 0:
            return self.tier is Tier.FULL or metric.field in _SIZE_FIELDS or metric is queries.ENGINE_ACTIVE
        return turn % _RARER_EVERY == 0 and (turn // _RARER_EVERY + place) % _RARER_GROUPS[self.tier] == 0

    @property
    def _has_slices(self) -> bool:
        return "MIG" in self.kept.spellings

    def _device_ask(self) -> Ask[Vector[GpuLabels]]:
        return Ask("gpus", lambda: self.client.query(queries.gpu_devices(self.identity_metric), GpuLabels))

    def _metric_ask(self, metric: GpuMetric) -> Ask[MetricReading]:
        return Ask(
            "gpus",
            lambda: reading.read_metric(
                self.client.query(queries.gpu_metric(metric), GpuKeyLabels), metric, self._keys
            ),
        )

    def take(self, names: NodeNames) -> Ask[Vector[GpuLabels]] | None:
        """Takes the answers in; a request is returned when there are GPUs of which nothing but numbers is known."""
        if self._samples is not None:
            if self._samples.answer is not None:
                self.kept, self._details = GpuReadings(), None
                reading.read_samples(self._samples.answer.samples, names, self.kept)
                self._settle_devices()
            return None
        if self._devices is not None and self._devices.answer is not None:
            self._put_devices(self._devices.answer, names)
        for metric, ask in self._metrics:
            if ask.answer is not None:
                self._put_metric(metric, ask.answer)
        busy, active = self.kept.values.get("utilization", {}), self.kept.values.get("engine_active", {})
        self._told = frozenset(busy.keys() | active.keys())
        for metric, ask in self._metrics:
            if metric in _TOLD_WITH_JOBS and ask.answer is not None:
                reading.put_jobs(ask.answer, self.kept)
        nameless = self._told - self.kept.devices.keys()
        if nameless and nameless - {device.uuid for device in self.kept.devices.values()}:
            return self._device_ask()
        self._settle()
        return None

    def take_devices(self, ask: Ask[Vector[GpuLabels]], names: NodeNames) -> None:
        """Takes in the answer to the request that `take` returned."""
        if ask.answer is not None:
            self._put_devices(ask.answer, names)
        self._settle()

    def _put_devices(self, answer: Vector[GpuLabels], names: NodeNames) -> None:
        self.kept.devices, self.kept.targets, self.kept.jobs, self.kept.twice = {}, {}, {}, {}
        reading.read_devices(answer.samples, names, self.kept)
        self._keys = {key: key for key in self._keys if key in self.kept.devices}
        self._settle_devices()

    def _put_metric(self, metric: GpuMetric, answer: MetricReading) -> None:
        if metric.field == "clock_events":
            self.kept.events = answer.events
        elif metric.field != "throttle_mask" or not answer.is_empty:
            self.kept.values[metric.field] = answer.values
        if metric.field not in _NOT_IN_DETAIL:
            self._details = None
        if metric.field in _SIZE_FIELDS:
            self._is_sized = False

    def _settle_devices(self) -> None:
        self._is_sized, self._details = False, None
        self._settle()
        self._order = reading.in_order(self.kept.devices)

    def _settle(self) -> None:
        if self._has_slices:
            reading.settle_slices(self.kept)
        if not self._is_sized:
            reading.settle_memory(self.kept)
            self._is_sized = True

    def gpus(
        self,
        last_words: GpuReadings,
        held: Holders,
        heard: Heard,
        down: frozenset[TargetKey],
    ) -> tuple[Gpu, ...]:
        """Every GPU: those that speak by what they say, those of a silent exporter by their last words.

        A GPU whose exporter answers without naming it is gone.
        """
        speaking = self._speaking(down)
        known = frozenset(speaking)
        silent = [key for key in last_words.devices if key not in known]
        found = self._built(speaking, self.kept, self._kept_details(heard), held, heard)
        if not silent:
            return found
        details = _details(silent, last_words, heard)
        found += self._built(silent, last_words, details, held, heard)
        by_key = {gpu.device.key: gpu for gpu in found}
        return tuple(by_key[key] for key in reading.in_order({key: gpu.device for key, gpu in by_key.items()}))

    def _speaking(self, down: frozenset[TargetKey]) -> Sequence[str]:
        if self.tier is Tier.REGEX:
            return self._order
        told, targets = self._told, self.kept.targets
        return [key for key in self._order if key in told and targets[key] not in down]

    def _kept_details(self, heard: Heard) -> Mapping[str, GpuDetail]:
        if self._details is None:
            self._details = _details(self._order, self.kept, heard)
        return self._details

    def _built(
        self,
        keys: Sequence[str],
        said: GpuReadings,
        details: Mapping[str, GpuDetail],
        held: Holders,
        heard: Heard,
    ) -> tuple[Gpu, ...]:
        pulse = {target: heard(target) for target in set(said.targets.values())}
        return reading.gpus(
            keys, said, [details[key] for key in keys], held, [pulse[said.targets[key]] for key in keys]
        )

    def measured_by(self, gpu: Gpu) -> GpuMetric:
        """What its utilization is made of: of slices, and of cards that tell nothing else, of their engines' use."""
        is_usual = gpu.device.mig is None and gpu.device.uuid in self.kept.values.get("utilization", {})
        return queries.UTILIZATION if is_usual else queries.ENGINE_ACTIVE

    @property
    def told(self) -> Sequence[Mapping[str, float]]:
        """What this refresh told of how busy GPUs are, by their keys."""
        return [self.kept.values.get(metric.field, {}) for metric in _TOLD_WITH_JOBS]

    @property
    def unread(self) -> frozenset[str]:
        """Fields whose turn has not come yet."""
        return frozenset(
            metric.field
            for metric in queries.GPU_METRICS
            if metric.metric in self._never_read and self.tier is not Tier.REGEX
        )

    def problems(self, last_words: GpuReadings) -> Iterable[Problem]:
        """GPUs that several targets tell about."""
        twice = {**last_words.twice, **self.kept.twice}
        if twice:
            where = listed({instance for targets in twice.values() for _, instance in targets})
            yield Problem(
                "gpus",
                f"{len(twice)} GPUs are told by several scrape targets ({where}); each counts once.",
                "Scrape each dcgm-exporter once, or drop the replica label before the query layer.",
                Severity.NOTE,
            )


def _details(keys: Sequence[str], said: GpuReadings, heard: Heard) -> dict[str, GpuDetail]:
    pulse = {target: heard(target)[0] for target in set(said.targets.values())}
    return dict(zip(keys, reading.details(keys, said, [pulse[said.targets[key]] for key in keys]), strict=True))

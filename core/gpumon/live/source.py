"""The cluster from a real Prometheus: a small, constant number of bulk queries per refresh, whatever its size."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import structs

from gpumon.errors import NoData
from gpumon.live import history
from gpumon.live.ask import Ask, ask_all
from gpumon.live.gpus import GpuReader, tier_for
from gpumon.live.history import Span
from gpumon.live.holders import HolderReader, Known
from gpumon.live.idle import IdleReader, Now
from gpumon.live.jobs import JobReader
from gpumon.live.nodes import NodeReader
from gpumon.live.picture import Picture, assembled
from gpumon.live.pulse import PulseReader
from gpumon.live.slurm import SlurmReader
from gpumon.model import Alert, ClusterSnapshot, Gpu, Target, Tier
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import NameLabels
from gpumon.prometheus.wire import Vector, WireAlert, WireTarget, finite
from gpumon.reading import alerts as reading
from gpumon.reading.gpus import GpuReadings
from gpumon.reading.holders import Holders
from gpumon.reading.names import NodeNames
from gpumon.reading.slurm.dialects import SlurmFound
from gpumon.settings import Settings
from gpumon.source import Parts, Point

_SIZES_EVERY = 40
_USUAL_INTERVAL_SECONDS = 15.0
"""Between scrapes, while nothing tells."""
_TARGETS_EVERY = {Tier.REGEX: 4, Tier.FULL: 4, Tier.TURNS: 20}


class _Kept(msgspec.Struct):
    """What outlives a refresh."""

    refresh: int = 0
    targets: tuple[Target, ...] | None = None
    is_simulated: bool = False
    names: NodeNames = msgspec.field(default_factory=NodeNames)
    named_by: tuple[tuple[str, ...], dict[str, str]] = msgspec.field(default_factory=lambda: ((), {}))
    """Slurm's names and the machines' own, from which `names` was made."""


class PrometheusSource:
    """Reads one cluster; keeps what changes rarely, so that a refresh asks only for what can have changed."""

    def __init__(self, settings: Settings, client: PrometheusClient | None = None) -> None:
        self._settings = settings
        self._client = client or PrometheusClient(settings.prometheus)
        self._gpus = GpuReader(self._client)
        self._nodes = NodeReader(self._client)
        self._slurm = SlurmReader(self._client)
        self._jobs = JobReader(self._client)
        self._holders = HolderReader(self._client)
        self._idle = IdleReader(self._client, settings.thresholds.idle_share)
        self._pulse = PulseReader(self._client, settings.thresholds.stale_scrapes)
        self._kept = _Kept()

    @property
    def label(self) -> str:
        """The server's URL without secrets."""
        return self._client.url

    def close(self) -> None:
        """Lets go of connections."""
        self._client.close()

    def snapshot(self, parts: Parts = Parts.ALL) -> ClusterSnapshot:
        """The cluster now: a round of requests, then who answers, then what turned out to be new.

        Raises:
            SourceError: nothing could be read; `NoData` when the server answers but holds nothing that can be shown.
        """
        began, sent = time.monotonic(), self._client.requests
        refresh, self._kept.refresh = self._kept.refresh, self._kept.refresh + 1
        first = self._first_round(parts, refresh)
        main = self._main_round(parts, refresh)
        picture = self._taken(parts, [*first, *main])
        snapshot = assembled(picture)
        for ask in picture.asked:
            ask.forget()
        if picture.is_empty:
            raise self._no_data(picture)
        return structs.replace(
            snapshot,
            queries=self._client.requests - sent,
            read_seconds=time.monotonic() - began,
        )

    def _first_round(self, parts: Parts, refresh: int) -> list[Ask[Any]]:
        """Before the first reading, and rarely after: how large the cluster is, and what is scraped how often."""
        if refresh % _SIZES_EVERY:
            return []
        sizes: Ask[Vector[NameLabels]] = Ask("source", lambda: self._client.query(queries.SIZES, NameLabels))
        targets = self._target_asks(parts)
        ask_all(self._client, [sizes, *targets])
        if sizes.answer is not None:
            self._learn_sizes({s.metric.name: finite(s.value[1]) or 0.0 for s in sizes.answer.samples})
        self._take_targets(targets)
        return [sizes, *targets]

    def _learn_sizes(self, counts: dict[str, float]) -> None:
        of_gpus = {name: number for name, number in counts.items() if name.startswith("DCGM_")}
        if of_gpus:
            self._gpus.identity_metric = max(of_gpus, key=lambda name: of_gpus[name])
        tier = tier_for(max(of_gpus.values(), default=0.0))
        self._gpus.tier = self._nodes.tier = self._slurm.tier = tier
        self._jobs.tier = self._holders.tier = self._idle.tier = tier
        self._jobs.expected = int(counts.get("gpumon_job_info", 0))
        self._holders.counts = {name: int(number) for name, number in counts.items()}
        self._kept.is_simulated = "gpumon_demo_info" in counts

    def _target_asks(self, parts: Parts) -> list[Ask[list[WireTarget]]]:
        return [Ask("targets", self._client.targets)] if Parts.TARGETS in parts else []

    def _take_targets(self, asks: list[Ask[list[WireTarget]]]) -> None:
        for ask in asks:
            if ask.answer is not None:
                self._kept.targets = reading.targets(ask.answer, NodeNames())
                self._pulse.learn_interval(self._kept.targets, frozenset(self._gpus.kept.targets.values()))

    def _main_round(self, parts: Parts, refresh: int) -> list[Ask[Any]]:
        self._alerts: Ask[list[WireAlert]] | None = (
            Ask("alerts", self._client.alerts) if Parts.ALERTS in parts else None
        )
        targets = (
            self._target_asks(parts)
            if refresh % _TARGETS_EVERY[self._gpus.tier] == 0 and refresh % _SIZES_EVERY
            else []
        )
        asks: list[Ask[Any]] = [
            *(self._gpus.asks(everything=Parts.DETAIL in parts) if Parts.GPUS in parts else ()),
            *(self._nodes.asks() if Parts.NODES in parts else ()),
            *self._slurm.asks(parts),
            *((*self._jobs.asks(), *self._holders.asks()) if Parts.JOBS in parts else ()),
            *([self._alerts] if self._alerts else ()),
            *targets,
        ]
        ask_all(self._client, asks)
        self._take_targets(targets)
        # Who answers is asked last: a target that fell silent meanwhile must not seem to speak of nothing.
        pulse = self._pulse.asks()
        ask_all(self._client, pulse)
        return [*asks, *pulse]

    def _taken(self, parts: Parts, asked: list[Ask[Any]]) -> Picture:
        """Takes the answers in, asks once more about what turned out to be new, and lays everything side by side."""
        more = self._pulse.take(self._client.server_time or time.time())
        if Parts.NODES in parts:
            self._nodes.take()
        self._slurm.take()
        if Parts.JOBS in parts:
            more += self._jobs.take()
            self._holders.take()
        names = self._node_names(self._slurm.found)
        devices = self._gpus.take(names) if Parts.GPUS in parts else None
        more += [devices] if devices is not None else []
        if more:
            self._client.together([ask.run for ask in more])
        self._pulse.take_more()
        if Parts.JOBS in parts:
            self._jobs.take_facts()
            self._jobs.settle()
        if devices is not None:
            self._gpus.take_devices(devices, names)
        slurm = self._slurm.speaking(self._pulse.heard)
        last_words = self._pulse.silent_gpus(names)
        jobs = self._told_jobs(slurm) if Parts.JOBS in parts else None
        held = self._held(parts, last_words, names, slurm, jobs)
        shown, looks = self._shown(parts, last_words, held)
        return Picture(
            settings=self._settings,
            label=self.label,
            parts=parts,
            names=names,
            pulse=self._pulse,
            gpus=self._gpus,
            nodes=self._nodes,
            last_words=last_words,
            held=held,
            shown=shown,
            jobs=jobs.jobs(held.by_job) if jobs else None,
            slurm=slurm,
            slurm_targets=self._slurm.targets,
            alerts=self._told_alerts(names),
            targets=self._kept.targets if Parts.TARGETS in parts else None,
            is_simulated=self._kept.is_simulated or (slurm is not None and slurm.is_simulated),
            asked=(*asked, *more, *looks),
        )

    def _told_jobs(self, slurm: SlurmFound | None) -> JobReader | None:
        """The jobs; None when nothing tells of single ones, or what did tells nothing any more."""
        is_silent = slurm is None and self._slurm.found is not None and self._slurm.found.is_ours
        if is_silent or (slurm is not None and slurm.told is None):
            return None
        is_empty = slurm is not None and slurm.told is not None and slurm.is_ours and slurm.told.is_queue_empty
        return self._jobs if self._jobs.is_told or is_empty else None

    def _held(
        self,
        parts: Parts,
        last_words: GpuReadings,
        names: NodeNames,
        slurm: SlurmFound | None,
        jobs: JobReader | None,
    ) -> Holders:
        """Who holds which GPU; without the part of jobs, what dcgm-exporter itself says of it."""
        kept = self._gpus.kept
        known = Known(
            {**last_words.devices, **kept.devices} if last_words.devices else kept.devices,
            {**last_words.jobs, **kept.jobs} if last_words.jobs else kept.jobs,
            names,
            slurm if Parts.JOBS in parts else None,
            jobs,
        )
        reader = self._holders if Parts.JOBS in parts else HolderReader(self._client)
        return reader.holders(known)

    def _shown(
        self, parts: Parts, last_words: GpuReadings, held: Holders
    ) -> tuple[tuple[Gpu, ...], Sequence[Ask[Any]]]:
        """The GPUs as they are shown, and what was asked about their history."""
        if Parts.GPUS not in parts:
            return (), ()
        gpus = self._gpus.gpus(last_words, held, self._pulse.heard, self._pulse.pulses.down)
        if Parts.IDLE not in parts:
            return gpus, ()
        interval = self._pulse.interval_seconds or _USUAL_INTERVAL_SECONDS
        now = Now(gpus, self._pulse.now, interval, self._jobs.started_at, self._gpus.measured_by, self._gpus.told)
        looks = self._idle.asks(now)
        self._client.together([ask.run for ask in looks])
        return self._idle.take(now), looks

    def _node_names(self, slurm: SlurmFound | None) -> NodeNames:
        """The names of the nodes; worked out anew only when Slurm or a machine names another one.

        While Slurm does not answer they stay: a node must not get another name by that.
        """
        told = slurm.told if slurm else None
        listed = tuple(told.nodes) if told else self._kept.named_by[0]
        reported = dict(self._nodes.kept.nodenames)
        if (listed, reported) != self._kept.named_by:
            self._kept.named_by, self._kept.names = (listed, reported), NodeNames(listed, reported)
        return self._kept.names

    def _told_alerts(self, names: NodeNames) -> tuple[Alert, ...] | None:
        if self._alerts is None or self._alerts.answer is None:
            return None
        return reading.alerts(self._alerts.answer, names)

    def _no_data(self, picture: Picture) -> NoData:
        where = f"Prometheus at {self.label}"
        scraped = len(self._pulse.pulses.by_target)
        if not scraped:
            return NoData(
                f"{where} answers but holds no samples at all.",
                advice="Are scrape_configs set up, and has the first scrape happened? (gpumon doctor)",
            )
        return NoData(
            f"{where} scrapes {scraped} targets, but none of them tells about {picture.wanted}.",
            advice="Add them to its scrape_configs; `gpumon doctor` says what was found.",
        )

    def utilization_history(self, seconds: float, points: int) -> tuple[Point, ...]:
        """Mean utilization of all GPUs over the last `seconds`; () when there are no GPUs."""
        over = self._span(seconds, points)
        return history.mean_utilization(self._client, over) if over else ()

    def gpu_history(
        self, keys: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """One number of some GPUs over the last `seconds`, as it was scraped at those moments."""
        over = self._span(seconds, points)
        return history.of_gpus(self._client, keys, field, over) if over else {}

    def node_history(
        self, nodes: Sequence[str], field: str, seconds: float, points: int
    ) -> Mapping[str, tuple[Point, ...]]:
        """One number of some nodes over the last `seconds`, as their node_exporters told it."""
        over = self._span(seconds, points)
        shown = self._nodes.shown.nodes if self._nodes.shown else ()
        targets = {
            (exporter.job, exporter.instance): node.name
            for node in shown
            if node.name in nodes
            for exporter in node.exporters
            if exporter.kind == "node"
        }
        interval = self._pulse.interval_seconds or _USUAL_INTERVAL_SECONDS
        return history.of_nodes(self._client, targets, field, over, interval) if over else {}

    def _span(self, seconds: float, points: int) -> Span | None:
        """By the server's clock, which goes on between refreshes."""
        now = time.time() + (self._client.clock_skew_seconds or 0.0)
        return history.span(now, seconds, points, self._pulse.interval_seconds)

"""Since when GPUs that jobs hold have done nothing: watched from refresh to refresh, and now and then looked up.

How exact that is: what is watched is exact to a refresh. What is looked up is exact to a minute within the last hour
and to ten minutes before (on clusters that are read in turns to five minutes), on the side of the job: the step in
which a GPU was busy last does not count as idle. It goes back a day, on larger clusters some hours; a GPU that has been
idle longer is idle since then. A step of which no exporter told anything ends the look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil, inf
from typing import Any

import msgspec

from gpumon.live.ask import Ask
from gpumon.model import Attribution, Gpu, Tier
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import GpuKeyLabels
from gpumon.prometheus.queries import GpuMetric
from gpumon.prometheus.wire import Matrix
from gpumon.reading.history import uuids
from gpumon.reading.idleness import Look, Peaks, peaks, quiet_since

_LOOKS = {
    Tier.REGEX: ((3600.0, 60.0), (86_400.0, 600.0)),
    Tier.FULL: ((3600.0, 60.0), (21_600.0, 600.0)),
    Tier.TURNS: ((7200.0, 300.0),),
}
"""How far back is looked, and in which steps; all in seconds."""

_LOOK_EVERY = 300.0
"""Seconds after which everything is looked up again, for what happened between two refreshes."""

_SCRAPES_IN_STEP = 4.0
"""So many scrapes must fall into a step, or one that came late would seem to be a silence."""

_SHORTEST_WATCH = 30.0
_WATCHED_INTERVALS = 3.0
"""Refreshes that are further apart than so many scrapes do not watch: what happened in between is looked up."""


class _Seen(msgspec.Struct):
    """What is known of one GPU that is held and idle."""

    jobs: tuple[str, ...]
    held_from: float
    """When these jobs were first seen on it: a bound where it is not known when they began."""
    since: float | None = None
    """Since when its use has not risen, as far as that was watched or looked up; None before it was."""


class Now(msgspec.Struct, frozen=True):
    """One refresh, as far as it matters here."""

    gpus: Sequence[Gpu]
    at: float
    """By the server's clock."""
    interval: float
    """Seconds between scrapes."""
    started_at: Callable[[str], float | None]
    """When a job began; None when that is not known."""
    measured_by: Callable[[Gpu], GpuMetric]
    """What a GPU's utilization is made of."""
    told: Sequence[Mapping[str, float]]
    """By GPU, what was told now of how busy it is."""


class _Question(msgspec.Struct, frozen=True):
    """One look back at some GPUs."""

    look: Look
    metric: GpuMetric
    keys: Sequence[str]
    ask: Ask[Matrix[GpuKeyLabels]]


class IdleReader(msgspec.Struct):
    """What is asked, and what is kept in between."""

    client: PrometheusClient
    share: float
    """Use below which a GPU is idle."""
    tier: Tier = Tier.REGEX
    _seen: dict[str, _Seen] = msgspec.field(default_factory=dict[str, _Seen])
    """The GPUs that are held and idle."""
    _places: Sequence[int] = ()
    """Where they stand among all GPUs."""
    _watched: Sequence[Mapping[str, float]] = ()
    """What the last refresh told of how busy GPUs are."""
    _watched_at: float = -inf
    _looked_at: float = -inf
    _due: Sequence[Gpu] = ()
    """Those that this refresh looks up."""
    _asks: list[_Question] = msgspec.field(default_factory=list[_Question])

    def asks(self, now: Now) -> list[Ask[Any]]:
        """The requests of this refresh: mostly none, and never more than four."""
        self._places = [place for place, gpu in enumerate(now.gpus) if gpu.jobs and self._is_idle(gpu)]
        idle = [now.gpus[place] for place in self._places]
        is_watching = now.at - self._watched_at <= max(_WATCHED_INTERVALS * now.interval, _SHORTEST_WATCH)
        before, self._seen = self._seen, {}
        strange = [gpu for gpu in idle if self._is_strange(gpu, before.get(gpu.key), now.at, is_watching=is_watching)]
        self._watched, self._watched_at = now.told, now.at
        self._due = strange
        if not is_watching or now.at - self._looked_at >= _LOOK_EVERY:
            self._due, self._looked_at = idle, now.at
        self._asks = [*self._questions(now)] if self._due else []
        return [question.ask for question in self._asks]

    def _is_idle(self, gpu: Gpu) -> bool:
        return gpu.utilization is not None and gpu.utilization < self.share and not gpu.is_stale

    def _is_strange(self, gpu: Gpu, before: _Seen | None, now: float, *, is_watching: bool) -> bool:
        """Takes a GPU in; true when nobody watched how it came to be idle, and nobody looked it up yet."""
        key, jobs = gpu.key, gpu.jobs or ()
        if before is not None:
            self._seen[key] = before if before.jobs == jobs else _Seen(jobs, now, before.since)
            return False
        if is_watching and any(key in told for told in self._watched):
            self._seen[key] = _Seen(jobs, now, now if gpu.sampled_at is None else gpu.sampled_at)
            return False
        is_named = gpu.held_by is Attribution.LABEL  # then its history says under which job it was told
        self._seen[key] = _Seen(jobs, -inf if is_named else now)
        return True

    def _held_from(self, key: str, now: Now) -> float:
        """When the first of its jobs began, as far as that is known."""
        seen = self._seen[key]
        began = [now.started_at(job) for job in seen.jobs]
        return min(seen.held_from if at is None else at for at in began)

    def _questions(self, now: Now) -> Iterable[_Question]:
        """Each look at each kind of number, no further back than to the beginning of the oldest of the jobs."""
        keys_of: dict[GpuMetric, list[str]] = {}
        for gpu in self._due:
            keys_of.setdefault(now.measured_by(gpu), []).append(gpu.key)
        age = now.at - min(self._held_from(gpu.key, now) for gpu in self._due)
        for seconds, shortest in _LOOKS[self.tier]:
            step = float(ceil(max(shortest, _SCRAPES_IN_STEP * now.interval)))
            look = Look(now.at, step, max(1, ceil(min(seconds, age) / step)))
            for metric, keys in keys_of.items():
                yield _Question(look, metric, keys, self._ask(queries.gpu_peaks(metric, uuids(keys), step), look))
            if seconds >= age:
                return

    def _ask(self, promql: str, look: Look) -> Ask[Matrix[GpuKeyLabels]]:
        return Ask(
            "jobs",
            lambda: self.client.query_range(promql, GpuKeyLabels, start=look.start, end=look.now, step=look.step),
        )

    def take(self, now: Now) -> tuple[Gpu, ...]:
        """Takes the answers in, and gives the GPUs with the time since which they are idle."""
        if self._asks and all(question.ask.answer is not None for question in self._asks):
            self._take_answers(now)
        self._due, self._asks = (), []
        gpus = list(now.gpus)
        for place in self._places:
            gpus[place] = self._told(gpus[place], now)
        return tuple(gpus)

    def _take_answers(self, now: Now) -> None:
        told: dict[str, list[tuple[Look, Peaks]]] = {}
        for question in self._asks:
            found = peaks(question.ask.answer.series if question.ask.answer else (), question.metric, question.look)
            for key in question.keys:
                told.setdefault(key, []).append((question.look, found.get(key, {})))
        for key, looks in told.items():
            seen = self._seen[key]
            by_name = frozenset(seen.jobs) if self._held_from(key, now) == -inf else None
            seen.since = quiet_since(looks, self.share, by_name).corrected(seen.since)

    def _told(self, gpu: Gpu, now: Now) -> Gpu:
        since = self._seen[gpu.key].since
        if since is None:
            return gpu
        heard_at = now.at if gpu.sampled_at is None else gpu.sampled_at
        idle_since = max(min(since, heard_at), self._held_from(gpu.key, now))
        return msgspec.structs.replace(gpu, idle_since=idle_since)

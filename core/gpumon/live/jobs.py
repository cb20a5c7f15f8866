"""Reads jobs: their labels at each refresh, their numbers and GPUs once in a job's life."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec

from gpumon.live.ask import Ask
from gpumon.model import Job, Tier
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.labels import JobGpuLabels, JobKeyLabels, JobLabels
from gpumon.prometheus.wire import Vector
from gpumon.reading import jobs as reading
from gpumon.reading.jobs import HOLDING_NOTHING, Holds, JobFacts, JobNumber, KnownJobs
from gpumon.reading.names import NodeNames

FEW_JOBS = 2000
"""Up to here all facts come in one query."""

_AT_ONCE = 200
"""So many new jobs are asked for by their ids; above, everything is read anew."""

_ALL_FACTS_EVERY = 21
_QUEUE_EVERY = 4
"""Refreshes between two readings of the jobs that only wait, on clusters that are read in turns."""


class JobReader(msgspec.Struct):
    """What is asked about jobs, refresh by refresh, and what is kept in between."""

    client: PrometheusClient
    tier: Tier = Tier.REGEX
    expected: int = 0
    """How many jobs there are; 0 when none is told, be it that there is none or that no exporter tells."""
    version: int = 0
    """Grows whenever it may have changed who holds what."""
    _facts: JobFacts = msgspec.field(default_factory=JobFacts)
    _waiting: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """The state of each job that only waited when the whole queue was read."""
    _known: KnownJobs = msgspec.field(default_factory=KnownJobs)
    _changed: Collection[str] = ()
    """Ids of the jobs whose facts this refresh read."""
    _is_missing: bool = False
    """True when facts were asked for and not answered."""
    _held: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict[str, "tuple[str, ...]"])
    """The GPUs that the jobs were given last."""
    _refresh: int = 0
    _info: Ask[Vector[JobLabels]] | None = None
    _is_whole: bool = True
    _mixed: Ask[Vector[JobGpuLabels]] | None = None
    _numbers: list[tuple[str, Ask[JobNumber]]] = msgspec.field(default_factory=list["tuple[str, Ask[JobNumber]]"])
    _places: Ask[Vector[JobGpuLabels]] | None = None

    def asks(self) -> list[Ask[Any]]:
        """The requests of this refresh."""
        turn, self._refresh = self._refresh, self._refresh + 1
        self._info = None
        if self.tier is Tier.TURNS and turn and turn % 2 == 0:
            return self._no_facts()  # the turn of the nodes
        self._is_whole = self.tier is not Tier.TURNS or turn % _QUEUE_EVERY <= 1
        promql = queries.JOB_INFO if self._is_whole else queries.HOLDING_JOB_INFO
        self._info = Ask("jobs", lambda: self.client.query(promql, JobLabels))
        facts = self._all_facts() if self.expected and turn % _ALL_FACTS_EVERY == 0 else self._no_facts()
        return [self._info, *facts]

    def _no_facts(self) -> list[Ask[Any]]:
        self._mixed, self._numbers, self._places = None, [], None
        return []

    def _all_facts(self) -> list[Ask[Any]]:
        self._no_facts()
        if self.expected <= FEW_JOBS:
            everything = queries.named((*(metric for metric, _ in queries.JOB_NUMBERS), queries.JOB_GPUS))
            self._mixed = self._mixed_ask(everything)
            return [self._mixed]
        ids = {job_id: job_id for job_id in self._known.by_id}
        self._numbers = [(name, self._number_ask(metric, ids)) for metric, name in queries.JOB_NUMBERS]
        self._places = self._mixed_ask(queries.JOB_GPUS)
        return [self._places, *(ask for _, ask in self._numbers)]

    def _mixed_ask(self, promql: str) -> Ask[Vector[JobGpuLabels]]:
        return Ask("jobs", lambda: self.client.query(promql, JobGpuLabels))

    def _number_ask(self, metric: str, ids: dict[str, str]) -> Ask[JobNumber]:
        return Ask(
            "jobs", lambda: reading.read_number(self.client.query(queries.job_number(metric), JobKeyLabels), ids)
        )

    def take(self) -> list[Ask[Any]]:
        """Takes the answers in; requests are returned for jobs of which nothing but labels is known."""
        was_read = bool(self._mixed or self._places)
        self._is_missing = False
        self._take_facts()
        self._no_facts()
        self._changed = ()
        if self._info is None or self._info.answer is None:
            return []
        samples = self._info.answer.samples
        self._changed = [sample.metric.job_id for sample in samples] if was_read else self._facts.unknown(samples)
        if self._is_whole:
            self.expected = len(samples)
        if was_read or not self._changed:
            return []
        if len(self._changed) > _AT_ONCE:
            return self._all_facts()
        self._mixed = self._mixed_ask(queries.jobs_in_detail(self._changed))
        return [self._mixed]

    def take_facts(self) -> None:
        """Takes in the answers to the requests that `take` returned."""
        self._take_facts()
        self._no_facts()

    def _take_facts(self) -> None:
        facts = [ask for ask in (self._mixed, self._places, *(ask for _, ask in self._numbers)) if ask is not None]
        self._is_missing = self._is_missing or any(ask.answer is None for ask in facts)
        if self._mixed is not None and self._mixed.answer is not None:
            self._facts.read_detail(self._mixed.answer.samples)
        if self._places is not None and self._places.answer is not None:
            self._facts.read_places(self._places.answer.samples)
        for name, ask in self._numbers:
            if ask.answer is not None:
                self._facts.put_number(name, ask.answer)

    def settle(self) -> None:
        """Puts the jobs of this refresh together, but for their GPUs; only what changed is made anew."""
        if self._info is None or self._info.answer is None:
            return
        samples = self._info.answer.samples
        alive = {sample.metric.job_id: sample.metric.state for sample in samples}
        if self._is_whole:
            self._waiting = {job_id: state for job_id, state in alive.items() if state == "pending"}
        else:
            alive = self._waiting | alive
        gone = self._facts.states.keys() - alive.keys()
        self._facts.keep_only(alive)
        if self._is_missing:
            self._facts.forget(self._changed)
        if gone or self._changed:
            self._facts.await_places()
            self.version += 1
        self._known.update(samples, self._facts, frozenset(self._changed))
        self._known.keep_only(alive)

    @property
    def is_told(self) -> bool:
        """True when there are jobs."""
        return bool(self._known.by_id)

    @property
    def holding(self) -> frozenset[str]:
        """The jobs that can hold something."""
        return frozenset(job_id for job_id, state in self._facts.states.items() if state not in HOLDING_NOTHING)

    def started_at(self, job_id: str) -> float | None:
        """When a job began; None when that is not known."""
        return self._facts.numbers["started_at"].get(job_id)

    def touched(self) -> set[str]:
        """Nodes, as Slurm spells them, on which jobs gained or lost GPUs since this was last asked."""
        touched, self._facts.touched = self._facts.touched, set()
        return touched

    @property
    def on_node(self) -> Mapping[str, Holds]:
        """What jobs hold on each node, as Slurm spells it."""
        return self._facts.on_node

    def unplaced(self, names: NodeNames) -> dict[str, frozenset[str]]:
        """The jobs of which it is not known which GPUs they hold, by node."""
        by_id = self._known.by_id
        return reading.unplaced((by_id[job_id] for job_id in self._facts.awaited if job_id in by_id), names)

    def raw_ids(self, labels: Mapping[str, Iterable[str]]) -> Mapping[str, Iterable[str]]:
        """Jobs that are named by array and task, "24_3", by the one number that Slurm has for them."""
        strange = {named for ids in labels.values() for named in ids} - self._facts.states.keys()
        if not strange:
            return labels
        raw = {job.shown_id: job.id for job in self._known.by_id.values() if job.shown_id in strange}
        return {key: {raw.get(named, named) for named in ids} for key, ids in labels.items()}

    def jobs(self, held: Mapping[str, tuple[str, ...]]) -> tuple[Job, ...]:
        """All jobs, each with the GPUs that it holds."""
        if self._changed or held is not self._held:
            before, self._held = self._held, held
            moved = {job_id for job_id in held.keys() | before.keys() if held.get(job_id) != before.get(job_id)}
            self._known.hold(held, moved.union(self._changed))
        return tuple(self._known.by_id.values())

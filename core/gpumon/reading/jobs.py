"""From job series to jobs, and which GPUs Slurm gave them; what a job keeps for life is remembered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from gpumon.model import Job, SlurmGpu
from gpumon.prometheus.labels import JobGpuLabels, JobKeyLabels, JobLabels
from gpumon.prometheus.queries import JOB_GPUS, JOB_NUMBERS
from gpumon.prometheus.wire import Sample, Vector, finite
from gpumon.reading.hostlist import hosts
from gpumon.reading.names import NodeNames
from gpumon.text import natural_key

_FIELD_OF = dict(JOB_NUMBERS)

HOLDING_NOTHING = frozenset({"pending", "completing"})
"""States in which a job has no GPUs: Slurm frees them before its epilog runs."""

_LONGEST_NUMBER = 10
"""Digits that no node's count of GPUs reaches: a longer one is no number of Slurm's."""

Holds = dict[str, dict[str, str]]
"""By Slurm's number of a GPU on some node: how each of its jobs holds it ("whole", "mig", "shard")."""

_MOST_WORDS = 10_000
"""Beyond one for each job; then they are collected anew."""

_PATIENCE = 12
"""Refreshes in which a job is asked for its GPUs again: the exporter may learn of them a minute after the job."""


class JobFacts(msgspec.Struct):
    """What was said of jobs beside their labels; kept between refreshes, since most of it never changes."""

    numbers: dict[str, dict[str, float]] = msgspec.field(default_factory=lambda: {name: {} for _, name in JOB_NUMBERS})
    """By field, then by job id."""
    places: dict[str, set[SlurmGpu]] = msgspec.field(default_factory=dict[str, set[SlurmGpu]])
    """By job id: the GPUs it holds."""
    on_node: dict[str, Holds] = msgspec.field(default_factory=dict[str, Holds])
    """The same by node."""
    touched: set[str] = msgspec.field(default_factory=set[str])
    """Nodes on which jobs gained or lost GPUs since somebody last looked, and emptied this."""
    states: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """By job id: the state in which its facts were read; in another one they may have changed."""
    awaited: dict[str, int] = msgspec.field(default_factory=dict[str, int])
    """Jobs of which it is not known which GPUs they hold, and in how many more refreshes they are asked for."""

    def unknown(self, samples: Iterable[Sample[JobLabels]]) -> list[str]:
        """The ids of jobs whose facts were never read, or in another state, or without their GPUs."""
        states, awaited = self.states, self.awaited
        return [
            job_id
            for sample in samples
            if states.get(job_id := sample.metric.job_id) != sample.metric.state or awaited.get(job_id)
        ]

    def await_places(self) -> None:
        """Notes which jobs hold GPUs of which it is not known which ones; each is asked for some more times only."""
        gpus, places = self.numbers["gpus"], self.places
        self.awaited = {
            job_id: max(0, self.awaited.get(job_id, _PATIENCE + 1) - 1)
            for job_id, state in self.states.items()
            if job_id not in places and state not in HOLDING_NOTHING and gpus.get(job_id, 1.0)
        }

    def keep_only(self, alive: Mapping[str, str]) -> None:
        """Forgets jobs that are gone and remembers the states of the others."""
        gone = self.states.keys() - alive.keys()
        self.states = dict(alive)
        for job_id in gone:
            self._drop_places(job_id)
            for column in self.numbers.values():
                column.pop(job_id, None)

    def forget(self, job_ids: Iterable[str]) -> None:
        """Has the facts of some jobs read again."""
        for job_id in job_ids:
            self.states.pop(job_id, None)

    def put_number(self, name: str, read: JobNumber) -> None:
        """One number of every job."""
        self.numbers[name] = read.values

    def read_places(self, samples: Iterable[Sample[JobGpuLabels]]) -> None:
        """All GPUs that jobs hold; replaces what was known."""
        for job_id in list(self.places):
            self._drop_places(job_id)
        for sample in samples:
            self._put_place(sample.metric)

    def read_detail(self, samples: Iterable[Sample[JobGpuLabels]]) -> None:
        """All facts of a few jobs, mixed; what was known of them is replaced."""
        for job_id in {sample.metric.job_id for sample in samples}:
            self._drop_places(job_id)
            for column in self.numbers.values():
                column.pop(job_id, None)
        for sample in samples:
            label = sample.metric
            name = _FIELD_OF.get(label.name)
            value = finite(sample.value[1])
            if label.name == JOB_GPUS:
                self._put_place(label)
            elif name and value is not None:
                self.numbers[name][label.job_id] = value

    def _put_place(self, label: JobGpuLabels) -> None:
        if not label.gpu.isdecimal() or len(label.gpu) > _LONGEST_NUMBER:
            return
        gpu = SlurmGpu(label.exported_node or label.node, int(label.gpu), label.type, label.share)
        self.places.setdefault(label.job_id, set()).add(gpu)
        self.on_node.setdefault(gpu.node, {}).setdefault(str(gpu.index), {})[label.job_id] = gpu.share
        self.touched.add(gpu.node)

    def _drop_places(self, job_id: str) -> None:
        for gpu in self.places.pop(job_id, ()):
            number, holds = str(gpu.index), self.on_node[gpu.node]
            holds.get(number, {}).pop(job_id, None)
            if not holds.get(number):
                holds.pop(number, None)
            self.touched.add(gpu.node)

    def allocated(self, job_id: str) -> tuple[SlurmGpu, ...]:
        """What Slurm gave a job, in the order of the nodes' names and of its numbers there."""
        gpus = self.places.get(job_id)
        return tuple(sorted(gpus, key=lambda gpu: (natural_key(gpu.node), gpu.index))) if gpus else ()


class JobNumber(msgspec.Struct, frozen=True):
    """One number of every job, without the labels that it came with: those of a long queue are large."""

    values: dict[str, float]
    """By job id."""
    warnings: tuple[str, ...] = ()
    """What Prometheus remarked on the answer."""


def read_number(answer: Vector[JobKeyLabels], ids: dict[str, str]) -> JobNumber:
    """One number; `ids` has each id once, so that all numbers share it."""
    one = ids.setdefault
    values = {
        one(sample.metric.job_id, sample.metric.job_id): value
        for sample in answer.samples
        if (value := finite(sample.value[1])) is not None
    }
    return JobNumber(values, answer.warnings)


def unplaced(jobs: Iterable[Job], names: NodeNames) -> dict[str, frozenset[str]]:
    """By node, the jobs that may hold GPUs there; those of which no node is known are under ""."""
    found: dict[str, set[str]] = {}
    for job in jobs:
        for node in hosts(job.nodes) or ("",):
            found.setdefault(names.name(node), set()).add(job.id)
    return {node: frozenset(ids) for node, ids in found.items()}


class KnownJobs(msgspec.Struct):
    """The jobs of the last refresh; one that did not change stays the same object."""

    by_id: dict[str, Job] = msgspec.field(default_factory=dict[str, Job])
    _labels: dict[str, JobLabels] = msgspec.field(default_factory=dict[str, JobLabels])
    _order: frozenset[str] = frozenset()
    """The ids that are in order."""
    _words: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """What many jobs share, such as their users' names, each once."""

    def update(
        self,
        samples: Iterable[Sample[JobLabels]],
        facts: JobFacts,
        changed: Collection[str],
    ) -> None:
        """The jobs of `samples` as they are now but for their GPUs; `changed` are those whose facts were read anew."""
        columns = [facts.numbers[name].get for _, name in JOB_NUMBERS]
        submitted, started, ends, eligible, expected, limit, cpus, memory, gpus, nodes, priority, tasks = columns
        by_id, labels, nothing = self.by_id, self._labels, ()
        for sample in samples:
            label = sample.metric
            key = label.job_id
            old = by_id.get(key)
            if old is not None and key not in changed and labels[key] == label:
                continue
            labels[key] = label = self._spare(label)
            job = Job(
                key, label.user, label.account, label.partition, label.qos, label.name, label.state, label.reason,
                label.nodes, label.array_job_id, label.array_task_id, label.het_job_id, submitted(key), started(key),
                ends(key), eligible(key), expected(key), limit(key), cpus(key), memory(key), gpus(key), nodes(key),
                priority(key), tasks(key), nothing if old is None else old.held, facts.allocated(key),
            )  # fmt: skip
            by_id[key] = old if old is not None and old == job else job

    def _spare(self, label: JobLabels) -> JobLabels:
        """The same labels, of words that other jobs have too."""
        one = self._words.setdefault
        return JobLabels(
            label.job_id, label.array_job_id, label.array_task_id, label.het_job_id, one(label.user, label.user),
            one(label.account, label.account), one(label.partition, label.partition), one(label.qos, label.qos),
            one(label.name, label.name), one(label.state, label.state), one(label.reason, label.reason),
            one(label.nodes, label.nodes),
        )  # fmt: skip

    def hold(self, held: Mapping[str, tuple[str, ...]], job_ids: Iterable[str]) -> None:
        """Gives some jobs the GPUs that they hold now."""
        for job_id in job_ids:
            job, keys = self.by_id.get(job_id), held.get(job_id, ())
            if job is not None and job.held != keys:
                self.by_id[job_id] = msgspec.structs.replace(job, held=keys)

    def keep_only(self, alive: Mapping[str, object]) -> None:
        """Drops jobs that are gone, and has the others in the order of their numbers."""
        for job_id in self.by_id.keys() - alive.keys():
            del self.by_id[job_id], self._labels[job_id]
        if len(self._order) != len(self.by_id) or not self._order.issuperset(self.by_id):
            self.by_id = dict(sorted(self.by_id.items(), key=lambda item: (len(item[0]), item[0])))
            self._order = frozenset(self.by_id)
        if len(self._words) > _MOST_WORDS + len(self.by_id):
            self._words.clear()

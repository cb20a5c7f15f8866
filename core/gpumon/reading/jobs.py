"""From job series to jobs, and which of them holds which GPU; what a job keeps for life is remembered."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from gpumon.model import GpuDevice, Job
from gpumon.prometheus.labels import JobGpuLabels, JobKeyLabels, JobLabels
from gpumon.prometheus.queries import JOB_GPUS, JOB_NUMBERS
from gpumon.prometheus.wire import Sample, finite
from gpumon.reading.names import NodeNames

_FIELD_OF = dict(JOB_NUMBERS)
GpuPlace = tuple[str, str]
"""A node's name and a GPU's number on it, "3" or "3.7" for a MIG slice."""


@dataclass
class JobFacts:
    """What was said of jobs beside their labels; kept between refreshes, since most of it never changes."""

    numbers: dict[str, dict[str, float]] = field(default_factory=lambda: {name: {} for _, name in JOB_NUMBERS})
    """By field, then by job id."""
    places: dict[str, set[GpuPlace]] = field(default_factory=dict[str, set[GpuPlace]])
    """By job id: the GPUs it holds."""
    states: dict[str, str] = field(default_factory=dict[str, str])
    """By job id: the state in which its facts were read; in another one they may have changed."""

    def unknown(self, samples: Iterable[Sample[JobLabels]]) -> list[str]:
        """The ids of jobs whose facts were never read, or in another state."""
        states = self.states
        return [sample.metric.job_id for sample in samples if states.get(sample.metric.job_id) != sample.metric.state]

    def keep_only(self, alive: Mapping[str, str]) -> None:
        """Forgets jobs that are gone and remembers the states of the others."""
        gone = self.states.keys() - alive.keys()
        self.states = dict(alive)
        for job_id in gone:
            self.places.pop(job_id, None)
            for column in self.numbers.values():
                column.pop(job_id, None)

    def read_number(self, name: str, samples: Iterable[Sample[JobKeyLabels]]) -> None:
        """One number of every job."""
        self.numbers[name] = {
            sample.metric.job_id: value for sample in samples if (value := finite(sample.value[1])) is not None
        }

    def read_places(self, samples: Iterable[Sample[JobGpuLabels]]) -> None:
        """All GPUs that jobs hold; replaces what was known."""
        self.places = {}
        for sample in samples:
            self._put_place(sample.metric)

    def read_detail(self, samples: Iterable[Sample[JobGpuLabels]]) -> None:
        """All facts of a few jobs, mixed; what was known of them is replaced."""
        for sample in samples:
            self.places.pop(sample.metric.job_id, None)
        for sample in samples:
            label = sample.metric
            name = _FIELD_OF.get(label.name)
            value = finite(sample.value[1])
            if label.name == JOB_GPUS:
                self._put_place(label)
            elif name and value is not None:
                self.numbers[name][label.job_id] = value

    def _put_place(self, label: JobGpuLabels) -> None:
        self.places.setdefault(label.job_id, set()).add((label.node, label.gpu))


def places(devices: Mapping[str, GpuDevice], names: NodeNames) -> dict[GpuPlace, str]:
    """The key of the GPU at each place, by the driver's numbers."""
    return {(names.name(device.node), device.number): key for key, device in devices.items()}


def holders(facts: JobFacts, at: Mapping[GpuPlace, str], names: NodeNames) -> dict[str, tuple[str, ...]]:
    """For each GPU that a job holds, the ids of its jobs."""
    found: dict[str, list[str]] = {}
    for job_id, held in facts.places.items():
        for node, number in held:
            key = at.get((names.name(node), number))
            if key is not None:
                found.setdefault(key, []).append(job_id)
    return {key: tuple(sorted(ids)) for key, ids in found.items()}


@dataclass
class KnownJobs:
    """The jobs of the last refresh; one that did not change stays the same object."""

    by_id: dict[str, Job] = field(default_factory=dict[str, Job])
    _labels: dict[str, JobLabels] = field(default_factory=dict[str, JobLabels])
    _order: frozenset[str] = frozenset()
    """The ids that are in order."""

    def update(
        self,
        samples: Iterable[Sample[JobLabels]],
        facts: JobFacts,
        held: Mapping[str, tuple[str, ...]],
        changed: Collection[str],
    ) -> None:
        """The jobs of `samples` as they are now; `changed` are those whose facts were read anew."""
        columns = [facts.numbers[name].get for _, name in JOB_NUMBERS]
        submitted, started, ends, eligible, expected, limit, cpus, memory, gpus, nodes, priority, tasks = columns
        by_id, labels, none = self.by_id, self._labels, ()
        for sample in samples:
            label = sample.metric
            key = label.job_id
            old, keys = by_id.get(key), held.get(key, none)
            if old is not None and key not in changed and old.held == keys and labels[key] == label:
                continue
            labels[key] = label
            job = Job(
                key, label.user, label.account, label.partition, label.qos, label.name, label.state, label.reason,
                label.nodes, label.array_job_id, label.array_task_id, label.het_job_id, submitted(key), started(key),
                ends(key), eligible(key), expected(key), limit(key), cpus(key), memory(key), gpus(key), nodes(key),
                priority(key), tasks(key), keys,
            )  # fmt: skip
            by_id[key] = old if old is not None and old == job else job

    def keep_only(self, alive: Mapping[str, object]) -> None:
        """Drops jobs that are gone, and has the others in the order of their numbers."""
        for job_id in self.by_id.keys() - alive.keys():
            del self.by_id[job_id], self._labels[job_id]
        if len(self._order) != len(self.by_id) or not self._order.issuperset(self.by_id):
            self.by_id = dict(sorted(self.by_id.items(), key=lambda item: (len(item[0]), item[0])))
            self._order = frozenset(self.by_id)

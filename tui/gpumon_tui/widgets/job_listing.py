"""The queue as rows: the tasks of an array as one, and jobs under whom or what they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import msgspec

from gpumon.folding import JobGroup, folded
from gpumon.model import Job
from gpumon.text import natural_key
from gpumon.units import Units
from gpumon_tui.widgets.listing import Listing, Rows

_HOLDING = ("running", "completing", "configuring", "suspended", "stopped", "staging_out", "resizing")
"""States of jobs that hold something, in the order in which they are listed; those that wait come after them."""


class Grouping(Enum):
    """Under what jobs stand together, by the name of the job's field."""

    NONE = "all jobs"
    USER = "user"
    ACCOUNT = "account"
    PARTITION = "partition"

    @property
    def next(self) -> Grouping:
        """What comes after it; the last leads to the first."""
        all_of_them = list(Grouping)
        return all_of_them[(all_of_them.index(self) + 1) % len(all_of_them)]

    def of(self, job: Job) -> str:
        """Where a job stands."""
        return str(getattr(job, self.value))


@dataclass(frozen=True, slots=True)
class Fold:
    """What a row that stands for several jobs stands for."""

    title: str
    jobs: tuple[Job, ...]
    is_open: bool
    """True when its jobs are listed below it."""
    is_group: bool = False
    """True for all of a user, an account or a partition; False for the tasks of an array."""


class JobListing(Listing[Job]):
    """A row is a job, or a job made up of several: the sum of an array's tasks of one state, or of a group."""

    def __init__(self, about: Rows[Job], units: Units) -> None:
        super().__init__(about, units)
        self.grouping = Grouping.NONE
        self.folds: dict[str, Fold] = {}
        """By the id of the row that stands for several jobs."""
        self.depths: dict[str, int] = {}
        """How far rows are indented, by their ids; those that are not are not in it."""
        self._matching = 0
        self._turned: set[str] = set()
        self._opens_arrays, self._opens_groups = False, True

    @property
    def counts(self) -> tuple[int, int]:
        """Jobs that the filter left, and jobs there are."""
        return self._matching, len(self.all)

    def group_by(self, grouping: Grouping) -> None:
        """Puts jobs together otherwise."""
        self.grouping = grouping
        self.arrange()

    def turn(self, key: str) -> None:
        """Opens a fold, or closes it."""
        self._turned ^= {key}
        self.arrange()

    def turn_all(self) -> None:
        """Opens or closes all groups; all arrays where nothing is grouped."""
        self._turned.clear()
        if self.grouping is Grouping.NONE:
            self._opens_arrays = not self._opens_arrays
        else:
            self._opens_groups = not self._opens_groups
        self.arrange()

    def arrange(self) -> None:
        """Filters, folds, sorts and groups anew; the cursor stays on its row."""
        jobs = self.wanted()
        self._matching = len(jobs)
        self.folds, self.depths = {}, {}
        rows = self._sorted([self._row_of(group) for group in folded(in_queue_order(jobs))])
        if self.grouping is Grouping.NONE:
            self.shown = tuple(self._opened(rows, 0))
        else:
            self.shown = tuple(self._grouped(rows))
        self._follow()

    def _sorted(self, rows: Sequence[Job]) -> Sequence[Job]:
        return self.order.sorted(rows, self.snapshot)

    def _row_of(self, group: JobGroup) -> Job:
        first = group.jobs[0]
        if len(group.jobs) == 1:
            return first if first.tasks is None else of_all_tasks(first, first.tasks)
        key = f"\0{first.array_job_id}\0{first.state}"
        tasks = sum(job.tasks or 1 for job in group.jobs)
        title = f"{first.array_job_id} ×{tasks:.0f}"
        self.folds[key] = Fold(title, group.jobs, self._opens_arrays ^ (key in self._turned))
        return summary(key, group.jobs)

    def _opened(self, rows: Iterable[Job], depth: int) -> Iterator[Job]:
        """Rows, each with its own below it when it is open."""
        for row in rows:
            if depth:
                self.depths[row.id] = depth
            yield row
            fold = self.folds.get(row.id)
            if fold is not None and fold.is_open:
                for job in self._sorted(fold.jobs):
                    self.depths[job.id] = depth + 1
                    yield job

    def _grouped(self, rows: Sequence[Job]) -> Iterator[Job]:
        members: dict[str, list[Job]] = {}
        for row in rows:
            members.setdefault(self.grouping.of(row), []).append(row)
        heads = [self._head(title, own) for title, own in members.items()]
        for head in self._sorted_heads(heads):
            fold = self.folds[head.id]
            yield head
            if fold.is_open:
                yield from self._opened(members[fold.title], 1)

    def _head(self, title: str, rows: Sequence[Job]) -> Job:
        key = f"\0{self.grouping.value}\0{title}"
        jobs = tuple(job for row in rows for job in self._jobs_of(row))
        self.folds[key] = Fold(title, jobs, self._opens_groups ^ (key in self._turned), is_group=True)
        return msgspec.structs.replace(summary(key, jobs), name=_by_state(jobs), started_at=None, ends_at=None)

    def _jobs_of(self, row: Job) -> tuple[Job, ...]:
        """What a row stands for, as it came."""
        fold = self.folds.get(row.id)
        return (self.snapshot.job_by_id.get(row.id, row),) if fold is None else fold.jobs

    def _sorted_heads(self, heads: Sequence[Job]) -> Sequence[Job]:
        """By the column that rows are sorted by; else who holds most comes first."""
        if self.order.key:
            return self._sorted(heads)
        held = {head.id: sum(j.gpus or 0 for j in self.folds[head.id].jobs if j.state != "pending") for head in heads}
        ordered = sorted(heads, key=lambda head: (-held[head.id], natural_key(self.folds[head.id].title)))
        return ordered[::-1] if self.order.is_descending else ordered


def in_queue_order(jobs: Sequence[Job]) -> Sequence[Job]:
    """Those that hold something, then those that wait, the next to start first, then the rest."""
    by_state: dict[str, list[Job]] = {}
    for job in jobs:
        by_state.setdefault(job.state, []).append(job)
    ordered = [job for state in _HOLDING for job in by_state.pop(state, ())]
    waiting = by_state.pop("pending", [])
    waiting.sort(key=lambda job: -1.0 if job.priority is None else job.priority, reverse=True)
    return [*ordered, *waiting, *(job for state in by_state.values() for job in state)]


def of_all_tasks(job: Job, tasks: float) -> Job:
    """The record of tasks that wait together, with what all of them ask for."""
    return msgspec.structs.replace(
        job,
        cpus=None if job.cpus is None else job.cpus * tasks,
        memory_bytes=None if job.memory_bytes is None else job.memory_bytes * tasks,
        gpus=None if job.gpus is None else job.gpus * tasks,
        node_count=None if job.node_count is None else job.node_count * tasks,
    )


def summary(key: str, jobs: Sequence[Job]) -> Job:
    """Several jobs as one: numbers are sums over all tasks, times are the oldest's, words are what they share."""
    oldest = min(jobs, key=lambda job: job.started_at or job.submitted_at or 0.0)
    return msgspec.structs.replace(
        oldest,
        id=key,
        user=_common(job.user for job in jobs),
        account=_common(job.account for job in jobs),
        partition=_common(job.partition for job in jobs),
        qos=_common(job.qos for job in jobs),
        name=_common(job.name for job in jobs),
        state=_common(job.state for job in jobs),
        reason=Counter(job.reason for job in jobs).most_common(1)[0][0],
        nodes="",
        cpus=_sum(jobs, lambda job: job.cpus),
        memory_bytes=_sum(jobs, lambda job: job.memory_bytes),
        gpus=_sum(jobs, lambda job: job.gpus),
        node_count=_sum(jobs, lambda job: job.node_count),
        tasks=sum(job.tasks or 1.0 for job in jobs),
        held=tuple(dict.fromkeys(key for job in jobs for key in job.held)),
    )


def _common(words: Iterable[str]) -> str:
    """The word they all have; empty when they differ."""
    found = set(words)
    return found.pop() if len(found) == 1 else ""


def _sum(jobs: Sequence[Job], number: Callable[[Job], float | None]) -> float | None:
    known = [value * (job.tasks or 1.0) for job in jobs if (value := number(job)) is not None]
    return sum(known) if known else None


def _by_state(jobs: Sequence[Job]) -> str:
    """How many run, wait and so on: "8 running, 3 pending"."""
    counts = Counter[str]()
    for job in jobs:
        counts[job.state] += int(job.tasks or 1)
    return ", ".join(f"{count:,} {state}" for state, count in counts.most_common())

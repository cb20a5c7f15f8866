"""The queue as rows: the tasks of an array as one, and jobs under whom or what they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

import msgspec

from gpumon.folding import as_one, folded, of_all_tasks
from gpumon.model import Job
from gpumon.text import natural_key
from gpumon.units import Units
from gpumon_tui.widgets.listing import Listing, Rows


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


class Fold(msgspec.Struct, frozen=True):
    """What a row that stands for several jobs stands for."""

    title: str
    jobs: Sequence[Job]
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
        rows = self._sorted([self._row_of(group) for group in folded(jobs)])
        if self.grouping is Grouping.NONE:
            self.shown = tuple(self._opened(rows, 0))
        else:
            self.shown = tuple(self._grouped(rows))
        self._follow()

    def _sorted(self, rows: Sequence[Job]) -> Sequence[Job]:
        return self.order.sorted(rows, self.snapshot)

    def _row_of(self, jobs: Sequence[Job]) -> Job:
        first = jobs[0]
        if len(jobs) == 1:
            return of_all_tasks(first)
        key = f"\0{first.array_job_id}\0{first.state}"
        tasks = sum(job.tasks or 1 for job in jobs)
        title = f"{first.array_job_id} ×{tasks:.0f}"
        self.folds[key] = Fold(title, jobs, self._opens_arrays ^ (key in self._turned))
        return _summary(key, jobs)

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
        return msgspec.structs.replace(_summary(key, jobs), name=_by_state(jobs), started_at=None, ends_at=None)

    def _jobs_of(self, row: Job) -> Sequence[Job]:
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


def _summary(key: str, jobs: Sequence[Job]) -> Job:
    """Several jobs as one row: what all their tasks hold or ask for together, since the oldest of them began."""
    oldest = min(jobs, key=lambda job: job.started_at or job.submitted_at or 0.0)
    together = as_one([of_all_tasks(job) for job in jobs], oldest, sum)
    return msgspec.structs.replace(together, id=key)


def _by_state(jobs: Sequence[Job]) -> str:
    """How many run, wait and so on: "8 running, 3 pending"."""
    counts = Counter[str]()
    for job in jobs:
        counts[job.state] += int(job.tasks or 1)
    return ", ".join(f"{count:,} {state}" for state, count in counts.most_common())

"""Jobs that are alike, counted; of too many users or accounts those with the fewest jobs are one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from gpumon_exporter.slurm.jobs import reason_word
from gpumon_exporter.slurm.records import JobCount, SlurmJob

MOST_OWNERS = 1000
"""Users, and accounts, that are told by their names."""
OTHER = "other"
"""The name of all the others."""


class Kind(NamedTuple):
    """What jobs have in common that are counted together."""

    state: str
    reason: str
    user: str
    account: str
    partition: str


class Counts:
    """All jobs of a queue."""

    def __init__(self) -> None:
        self._sums: dict[Kind, _Sum] = {}
        self._users: Counter[str] = Counter()
        self._accounts: Counter[str] = Counter()

    def add(self, job: SlurmJob) -> None:
        """One more record."""
        tasks = 1 if job.array_tasks is None else job.array_tasks
        self._users[job.user] += tasks
        self._accounts[job.account] += tasks
        kind = Kind(job.state, reason_word(job.reason), job.user, job.account, job.partition)
        _at(self._sums, kind).add(_Sum(tasks, tasks * (job.cpus or 0.0), tasks * (job.gpus or 0.0), job.submitted_at))

    def told(self) -> tuple[JobCount, ...]:
        """The counts."""
        sums = self._sums
        if any(number for _, number in self.left_out()):
            sums = self._folded()
        return tuple(JobCount(*kind, total.jobs, total.cpus, total.gpus, total.oldest) for kind, total in sums.items())

    def left_out(self) -> tuple[tuple[str, int], ...]:
        """How many users and accounts have no name of their own."""
        names: tuple[tuple[str, Mapping[str, int]], ...] = (("users", self._users), ("accounts", self._accounts))
        return tuple((what, max(0, len(found) - MOST_OWNERS)) for what, found in names)

    def _folded(self) -> dict[Kind, _Sum]:
        """The counts with the smallest users and accounts as one."""
        users, accounts = _largest(self._users), _largest(self._accounts)
        folded: dict[Kind, _Sum] = {}
        for kind, total in self._sums.items():
            user = kind.user if kind.user in users else OTHER
            account = kind.account if kind.account in accounts else OTHER
            _at(folded, kind._replace(user=user, account=account)).add(total)
        return folded


class _Sum:
    """How many jobs, and what they hold or ask for together."""

    def __init__(self, jobs: int = 0, cpus: float = 0.0, gpus: float = 0.0, oldest: float | None = None) -> None:
        self.jobs = jobs
        self.cpus = cpus
        self.gpus = gpus
        self.oldest = oldest
        """When the first of them was submitted."""

    def add(self, more: _Sum) -> None:
        """Takes more of them in."""
        self.jobs += more.jobs
        self.cpus += more.cpus
        self.gpus += more.gpus
        if more.oldest is not None:
            self.oldest = min(more.oldest, self.oldest or more.oldest)


def _at(sums: dict[Kind, _Sum], kind: Kind) -> _Sum:
    found = sums.get(kind)
    if found is None:
        found = sums[kind] = _Sum()
    return found


def _largest(names: Counter[str]) -> set[str]:
    return {name for name, _ in names.most_common(MOST_OWNERS)}

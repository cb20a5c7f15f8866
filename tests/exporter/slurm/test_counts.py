"""Every job is counted once, and a crowd of users makes no crowd of series."""

from __future__ import annotations

import pytest

from gpumon_exporter.slurm import counts
from gpumon_exporter.slurm.counts import Counts
from gpumon_exporter.slurm.records import JobCount, SlurmJob


def job(user: str, account: str = "ml", state: str = "running", submitted_at: float | None = 100.0) -> SlurmJob:
    """A job with 8 CPUs and 2 GPUs."""
    return SlurmJob(
        "1", user=user, account=account, partition="h100", state=state, cpus=8, gpus=2, submitted_at=submitted_at
    )


def counted(*jobs: SlurmJob) -> Counts:
    """Those jobs."""
    found = Counts()
    for one in jobs:
        found.add(one)
    return found


def test_jobs_that_agree_in_everything_are_one_count() -> None:
    found = counted(job("alice", submitted_at=300.0), job("alice", submitted_at=100.0), job("alice", submitted_at=None))
    assert found.told() == (JobCount("running", "", "alice", "ml", "h100", 3, 24, 6, 100.0),)


@pytest.mark.parametrize("other", [job("bob"), job("alice", "chem"), job("alice", state="pending")])
def test_jobs_that_differ_are_two(other: SlurmJob) -> None:
    assert [count.jobs for count in counted(job("alice"), other).told()] == [1, 1]


def test_what_is_not_known_adds_nothing() -> None:
    (count,) = counted(SlurmJob("1", state="running")).told()
    assert (count.jobs, count.cpus, count.gpus, count.oldest) == (1, 0, 0, None)


def test_of_too_many_users_the_smallest_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_OWNERS", 2)
    found = counted(job("eve"), *[job("alice")] * 3, job("mallory"), *[job("bob")] * 2)
    assert {count.user: count.jobs for count in found.told()} == {"alice": 3, "bob": 2, "other": 2}
    assert found.left_out() == (("users", 2), ("accounts", 0))
    assert sum(count.gpus for count in found.told()) == 14


def test_of_too_many_accounts_the_smallest_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_OWNERS", 1)
    found = counted(job("alice", "a"), job("alice", "b"), job("alice", "b"), job("alice", "c"))
    assert {count.account: count.jobs for count in found.told()} == {"b": 2, "other": 2}
    assert found.left_out() == (("users", 0), ("accounts", 2))

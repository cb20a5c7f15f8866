"""Places in the queue."""

from __future__ import annotations

import pytest

from clusters import job
from gpumon.model import ClusterSnapshot, Job
from gpumon.waiting import Place, place


def waits(number: int, priority: float | None, **known: object) -> Job:
    """A job that waits for two GPUs."""
    return job(number, **{"state": "pending", "priority": priority, "gpus": 2.0, "partition": "gpu", **known})


def queue(*jobs: Job) -> ClusterSnapshot:
    return ClusterSnapshot(jobs=jobs)


def test_the_highest_priority_is_next() -> None:
    jobs = (waits(1, 10), waits(2, 30), waits(3, 20))
    places = [place(each, queue(*jobs)) for each in jobs]
    assert places == [Place(3, 3, 4.0), Place(1, 3, 0.0), Place(2, 3, 2.0)]


def test_of_equals_the_older_one_is_first() -> None:
    jobs = (waits(12, 10, submitted_at=5.0), waits(9, 10, submitted_at=5.0), waits(30, 10, submitted_at=1.0))
    assert [found.rank for each in jobs if (found := place(each, queue(*jobs)))] == [3, 2, 1]


def test_only_those_that_want_the_same_partition_are_rivals() -> None:
    jobs = (waits(1, 10), waits(2, 30, partition="cpu"), waits(3, 20, partition="cpu,gpu"))
    assert place(jobs[0], queue(*jobs)) == Place(2, 2, 2.0)
    assert place(jobs[1], queue(*jobs)) == Place(1, 2, 0.0)
    assert place(jobs[2], queue(*jobs)) == Place(2, 3, 2.0)


def test_tasks_of_an_array_count_one_by_one() -> None:
    jobs = (waits(1, 10), waits(2, 30, tasks=5.0))
    assert place(jobs[0], queue(*jobs)) == Place(6, 6, 10.0)


def test_gpus_before_it_are_unknown_when_one_does_not_tell() -> None:
    jobs = (waits(1, 10), waits(2, 30, gpus=None))
    assert place(jobs[0], queue(*jobs)) == Place(2, 2, None)


@pytest.mark.parametrize("mine", [job(1), waits(1, None)])
def test_a_job_that_runs_or_tells_no_priority_has_no_place(mine: Job) -> None:
    assert place(mine, queue(mine, waits(2, 5))) is None


def test_another_snapshot_is_another_queue() -> None:
    mine = waits(1, 10)
    assert place(mine, queue(mine)) == Place(1, 1, 0.0)
    assert place(mine, queue(mine, waits(2, 20))) == Place(2, 2, 2.0)

"""Arrays as one line."""

from __future__ import annotations

from clusters import job
from gpumon.folding import folded
from gpumon.model import Job


def task(number: int, state: str = "running") -> Job:
    return job(number, array_job_id="20", array_task_id=str(number), state=state)


def test_tasks_of_an_array_stand_together_by_state_where_the_first_of_them_stood() -> None:
    groups = folded([job(1), task(21), job(2), task(22), task(23, "pending"), task(24)])
    assert [[each.id for each in group.jobs] for group in groups] == [["1"], ["21", "22", "24"], ["2"], ["23"]]


def test_a_job_that_is_no_task_stands_alone() -> None:
    assert [len(group.jobs) for group in folded([job(1), job(1, array_job_id="20")])] == [2]
    assert folded([]) == ()

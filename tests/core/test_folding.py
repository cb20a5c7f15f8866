"""Several jobs as one line."""

from __future__ import annotations

from clusters import job, pending
from gpumon.folding import as_one, folded, of_all_tasks
from gpumon.model import Job


def task(number: int, state: str = "running") -> Job:
    return job(number, array_job_id="20", array_task_id=str(number), state=state)


def test_tasks_of_an_array_stand_together_by_state_where_the_first_of_them_stood() -> None:
    groups = folded([job(1), task(21), job(2), task(22), task(23, "pending"), task(24)])
    assert [[each.id for each in group] for group in groups] == [["1"], ["21", "22", "24"], ["2"], ["23"]]


def test_a_job_that_is_no_task_stands_alone() -> None:
    assert [len(group) for group in folded([job(1), job(1, array_job_id="20")])] == [2]
    assert folded([]) == ()


def test_several_jobs_as_one_have_the_total_of_their_numbers_and_all_of_their_words() -> None:
    one = job(1, gpus=2.0, nodes="a", held=("a",))
    both = as_one((one, job(2, user="bob", gpus=4.0, nodes="b", held=("a", "b"))), one, sum)
    assert (both.id, both.user, both.account, both.nodes) == ("1", "ann,bob", "physics", "a,b")
    assert (both.gpus, both.cpus, both.tasks, both.held) == (6.0, 32.0, 2, ("a", "b"))
    assert as_one((one, job(2, gpus=4.0)), one, max).gpus == 4.0


def test_a_total_of_which_a_part_is_not_known_is_not_known() -> None:
    assert as_one((job(1), job(2, gpus=None)), job(1), sum).gpus is None


def test_tasks_that_wait_in_one_record_ask_for_so_much_each() -> None:
    record = of_all_tasks(pending(1, tasks=6.0, gpus=2.0, cpus=8.0, node_count=None))
    assert (record.gpus, record.cpus, record.node_count) == (12.0, 48.0, None)
    assert of_all_tasks(job(1)) == job(1)

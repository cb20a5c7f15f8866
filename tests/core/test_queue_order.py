"""The order of a queue."""

from __future__ import annotations

from clusters import job, pending
from gpumon.queue_order import in_queue_order


def test_what_holds_something_comes_before_what_waits_and_what_has_ended_last() -> None:
    jobs = (pending(1), job(2, state="completed"), job(3, state="suspended"), job(4), job(5, state="completing"))
    assert [each.id for each in in_queue_order(jobs)] == ["4", "5", "3", "1", "2"]


def test_the_next_to_start_waits_in_front_and_jobs_without_a_known_priority_at_the_end() -> None:
    jobs = (pending(1), pending(2, priority=5.0), pending(3, priority=0.0), pending(4, priority=9.0))
    assert [each.id for each in in_queue_order(jobs)] == ["4", "2", "3", "1"]


def test_jobs_that_stand_alike_keep_their_order() -> None:
    jobs = (job(3), job(1), job(2))
    assert [each.id for each in in_queue_order(jobs)] == ["3", "1", "2"]

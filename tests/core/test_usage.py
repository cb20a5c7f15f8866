"""What a job's GPUs do, put together."""

from __future__ import annotations

import pytest

from clusters import NOW, gpu, job, mig
from gpumon.model import Attribution, ClusterSnapshot, Gpu
from gpumon.usage import JobUsage, job_usage


def usage(*gpus: Gpu) -> JobUsage:
    """Of a job that holds these."""
    mine = job(7, held=tuple(each.key for each in gpus))
    return job_usage(mine, ClusterSnapshot(taken_at=NOW, gpus=gpus, jobs=(mine,)))


def test_a_job_without_known_gpus_says_nothing() -> None:
    assert usage() == JobUsage()


def test_utilization_is_the_mean_and_the_least_of_those_that_tell() -> None:
    told = usage(gpu("a", 0, utilization=0.9), gpu("a", 1, utilization=0.1), gpu("b", 0, utilization=None))
    assert told.mean_utilization == pytest.approx(0.5)
    assert told.worst_utilization == 0.1
    assert len(told.gpus) == 3


def test_old_numbers_do_not_count() -> None:
    old = gpu("a", 0, utilization=0.9, is_stale=True)
    told = usage(old, gpu("a", 1, utilization=0.2))
    assert told.mean_utilization == 0.2


def test_a_job_is_idle_since_its_last_gpu_went_idle() -> None:
    idle = [gpu("a", place, jobs=("7",), idle_since=NOW - place * 100) for place in (1, 2)]
    told = usage(*idle)
    assert (told.idle_gpus, told.idle_since) == (2, NOW - 100)
    assert told.wasted_gpu_seconds == pytest.approx(300)


def test_a_job_with_one_working_gpu_is_not_idle() -> None:
    idle = gpu("a", 0, jobs=("7",), idle_since=NOW - 50)
    told = usage(idle, gpu("a", 1, jobs=("7",)))
    assert (told.idle_gpus, told.idle_since, told.wasted_gpu_seconds) == (1, None, 50)


def test_waste_on_a_shared_gpu_is_divided_among_its_jobs() -> None:
    idle = gpu("a", 0, jobs=("7", "8"), idle_since=NOW - 50)
    assert usage(idle).wasted_gpu_seconds == 25


def test_the_least_sure_way_of_knowing_is_told() -> None:
    sure = gpu("a", 0, held_by=Attribution.LABEL)
    less = gpu("a", 1, held_by=Attribution.INDEX)
    assert usage(sure, less).attribution is Attribution.INDEX


def test_slices_of_a_card_add_its_power_once() -> None:
    assert usage(mig("a", 0, "3", power_watts=300.0), mig("a", 0, "4", power_watts=300.0)).power_watts == 300.0

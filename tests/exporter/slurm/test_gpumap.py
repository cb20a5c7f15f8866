"""Slurm is asked for the GPUs of a job once, and for all jobs seldom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exporter_captured import Captured
from gpumon_exporter.slurm.child import Ended
from gpumon_exporter.slurm.gpumap import EACH_SECONDS, FEW, MANY_PAUSE_SECONDS, MOST_RECORDS, Cartographer, GpuMap
from gpumon_exporter.slurm.queue import Queue
from gpumon_exporter.slurm.records import SlurmJob
from gpumon_exporter.slurm.seldom import Budget

OLD, NEW = (22, 5, 8), (24, 5, 1)
TEXT = "JobId={job} Socks/Node=*   Nodes=n{job} CPU_IDs=0 Mem=1 GRES=gpu:1(IDX:{job}) MinCPUsNode=1 "


class Site:
    """Jobs that start and end, and what is asked about them."""

    def __init__(self) -> None:
        self.slurm = Captured()
        self.jobs: dict[int, SlurmJob] = {}
        self.records = 0
        self._cartographer = Cartographer(self.slurm.commands(), self.slurm.clock.passed)

    def starts(self, *numbers: int, at: float = 100.0, text: str = TEXT) -> None:
        """Jobs begin, each with a GPU of its own."""
        for number in numbers:
            self.jobs[number] = SlurmJob(str(number), state="running", nodes=f"n{number}", started_at=at, gpus=1)
            self.slurm.answers[f"scontrol -a -o -d show job {number}"] = text.format(job=number)

    def tells_all(self, *numbers: int, at: float = 100.0) -> None:
        """What squeue's JSON holds."""
        jobs = ", ".join(
            f'{{"job_id": {number}, "nodes": "n{number}", "start_time": {at}, "gres_detail": ["gpu:1(IDX:{number})"]}}'
            for number in numbers
        )
        self.slurm.answers["squeue -a --local -t R,S,CF --json"] = f'{{"jobs": [{jobs}]}}'

    def map(self, release: tuple[int, ...] = NEW, seconds: float = 15.0) -> GpuMap:
        """The map of the next reading."""
        self.slurm.asked.clear()
        self.slurm.passed += seconds
        holders = tuple(self.jobs.values())
        queue = Queue((), (), holders, (), self.records or len(holders), (), has_strangers=True)
        return self._cartographer.drawn(queue, release, Budget(10.0, self.slurm.clock.passed))

    @property
    def asked(self) -> list[str]:
        """About which jobs it was asked; "all" for all of them."""
        return ["all" if line.endswith("--json") else line.rpartition(" ")[2] for line in self.slurm.asked]


@pytest.fixture
def site() -> Site:
    """A site without jobs."""
    return Site()


def places(found: GpuMap) -> dict[str, int]:
    """The GPU of each job."""
    return {hold.job_id: hold.index for hold in found.holds}


def test_nothing_is_asked_when_nothing_runs(site: Site) -> None:
    assert site.map() == GpuMap((), 0, {})
    assert site.asked == []


def test_a_job_is_asked_for_once(site: Site) -> None:
    site.starts(1, 2)
    assert places(site.map()) == {"1": 1, "2": 2}
    assert site.asked == ["1", "2"]
    site.starts(3)
    assert places(site.map()) == {"1": 1, "2": 2, "3": 3}
    assert site.asked == ["3"]


def test_a_job_that_ended_is_forgotten(site: Site) -> None:
    site.starts(1, 2)
    site.map()
    del site.jobs[1]
    assert places(site.map()) == {"2": 2}
    site.starts(1, at=100.0)
    site.map()
    assert site.asked == ["1"]


def test_a_job_that_starts_again_or_elsewhere_is_asked_for_again(site: Site) -> None:
    site.starts(1)
    site.map()
    site.starts(1, at=200.0)
    site.map()
    assert site.asked == ["1"]
    site.jobs[1] = replace(site.jobs[1], nodes="n[1-2]")
    site.map()
    assert "1" in site.asked


def test_many_new_jobs_are_asked_for_together(site: Site) -> None:
    many = range(1, FEW + 2)
    site.starts(*many)
    site.tells_all(*many)
    assert len(site.map().holds) == len(many)
    assert site.asked == ["all"]


def test_all_are_asked_for_once_a_minute_at_most_and_otherwise_one_by_one(site: Site) -> None:
    first, second, third = range(1, FEW + 2), range(101, 102 + FEW), range(201, 202 + FEW)
    site.starts(*first)
    site.tells_all(*first)
    site.map()
    site.starts(*second)
    assert site.map().unknown == 0
    assert site.asked == [str(number) for number in second]
    site.starts(*third)
    site.tells_all(*third)
    assert site.map(seconds=MANY_PAUSE_SECONDS).unknown == 0
    assert site.asked == ["all"]


def test_a_long_queue_is_not_read_as_json_with_an_old_squeue(site: Site) -> None:
    many = range(1, FEW + 2)
    site.starts(*many)
    site.records = MOST_RECORDS + 1
    assert site.map(OLD).unknown == 0
    assert site.asked == [str(number) for number in many]


def test_a_long_queue_is_read_as_json_with_a_squeue_that_filters(site: Site) -> None:
    many = range(1, FEW + 2)
    site.starts(*many)
    site.tells_all(*many)
    site.records = MOST_RECORDS + 1
    site.map(NEW)
    assert site.asked == ["all"]


def test_a_job_whose_text_is_not_to_be_trusted_is_looked_up_in_the_json(site: Site) -> None:
    site.starts(1, text=TEXT + "Comment= MinCPUsNode=1")
    site.tells_all(1)
    assert places(site.map(OLD)) == {"1": 1}
    assert site.asked == ["1", "all"]
    site.map(OLD)
    assert site.asked == []


def test_until_the_json_may_be_read_again_such_a_job_is_unknown_and_not_asked_for(site: Site) -> None:
    site.starts(1, text=TEXT + "Comment= MinCPUsNode=1")
    site.tells_all(1, 2)
    site.map()
    site.starts(2, text=TEXT + "Comment= MinCPUsNode=1")
    assert places(site.map()) == {"1": 1}
    assert site.asked == ["2"]
    assert site.map().unknown == 1
    assert site.asked == []
    assert places(site.map(seconds=MANY_PAUSE_SECONDS)) == {"1": 1, "2": 2}
    assert site.asked == ["all"]


def test_a_job_of_which_slurm_does_not_say_which_gpus_is_unknown_and_not_asked_for_again(site: Site) -> None:
    site.starts(1, text="JobId=1 Socks/Node=*   Nodes=n1 CPU_IDs=0 Mem=1 GRES=gpu:1 MinCPUsNode=1 ")
    assert site.map() == GpuMap((), 1, {})
    assert site.map().unknown == 1
    assert site.asked == []


def test_a_job_that_ended_meanwhile_is_no_failure(site: Site) -> None:
    site.starts(1)
    site.slurm.answers["scontrol -a -o -d show job 1"] = Ended(1, "slurm_load_jobs error: Invalid job id specified")
    assert site.map().unknown == 1
    assert site.asked == ["1"]


def test_a_failure_leaves_jobs_unknown_and_is_tried_again(site: Site) -> None:
    site.starts(1, 2)
    dead = Ended(1, "slurm_load_jobs error: Unable to contact slurm controller")
    told = {**site.slurm.answers}
    site.slurm.answers.update({"squeue": dead, **dict.fromkeys(told, dead)})
    assert site.map().unknown == 2
    assert site.asked == ["1", "all"]
    site.slurm.answers.update(told)
    assert places(site.map()) == {"1": 1, "2": 2}


def test_asking_one_by_one_takes_only_so_long(site: Site) -> None:
    site.starts(1, 2, 3, 4)
    site.records = MOST_RECORDS + 1
    site.slurm.takes = EACH_SECONDS / 2 + 0.1
    assert site.map(OLD).unknown == 2
    assert site.asked == ["1", "2"]
    assert site.map(OLD).unknown == 0
    assert site.asked == ["3", "4"]


def test_shards_are_counted_by_node(site: Site) -> None:
    site.starts(1, text=TEXT.replace("GRES=gpu:1(IDX:{job})", "GRES=shard:3(IDX:2)"))
    found = site.map()
    assert [(hold.index, hold.share) for hold in found.holds] == [(2, "shard")]
    assert found.shards == {"n1": 3}

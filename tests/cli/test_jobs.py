"""`gpumon jobs`: which jobs are listed, in which order, and arrays as one row."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from cli_handmade import NOW, HandmadeSource, cluster, gpu, job, waiting
from gpumon.errors import UsageError
from gpumon.model import ClusterSnapshot, Job, Partition
from gpumon.source import Parts
from gpumon_cli.folds import rows_of
from gpumon_cli.job_states import states_of

Given = Callable[..., HandmadeSource]
Run = Callable[..., Any]


def task(number: int, index: int, **known: object) -> Job:
    """A task of array 24 of ann."""
    return job(number, array_job_id="24", array_task_id=str(index), **known)


def queue(*jobs: Job, **known: object) -> ClusterSnapshot:
    return cluster(jobs=jobs, problems=(), **known)


def ids(said: Any) -> list[str]:
    return [line.split()[0] for line in said.out.splitlines()[1:]]


MANY = queue(
    waiting(3, user="eve", partition="h100,a100"),
    waiting(4, priority=20.0),
    job(5, partition="h100"),
    job(6, state="suspended"),
    job(7, user="bob", state="completing"),
    partitions=(Partition("gpu"), Partition("h100"), Partition("a100")),
)


def test_what_runs_comes_first_and_then_what_waits_the_next_to_start_before_the_others(given: Given, run: Run) -> None:
    given(MANY)
    assert ids(run("jobs")) == ["5", "7", "6", "4", "3"]


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (["--user", "eve"], ["3"]),
        (["--user", "eve,bob"], ["7", "4", "3"]),
        (["--user", "eve", "--user", "bob", "--state", "PD"], ["4", "3"]),
        (["eve", "--state", "pending"], ["3"]),
        (["--state", "R"], ["5"]),
        (["--state", "cg,S"], ["7", "6"]),
        (["--partition", "h100"], ["5", "3"]),
        (["--partition", "a100,gpu", "--state", "PD"], ["4", "3"]),
        (["--state", "PD", "--filter", "user=bob"], ["4"]),
        (["--sort", "-job", "--limit", "2"], ["7", "6"]),
    ],
)
def test_jobs_are_chosen_by_user_state_and_partition(
    flags: list[str], found: list[str], given: Given, run: Run
) -> None:
    given(MANY)
    said = run("jobs", *flags)
    assert ids(said) == found
    assert [row["id"] for row in json.loads(run("jobs", *flags, "--json").out)["jobs"]] == found
    assert said.code == 0


def test_a_state_may_be_written_as_slurms_tools_take_it() -> None:
    assert states_of(["R", "pd", "RUNNING", "out-of-memory", "OOM"]) == {"running", "pending", "out_of_memory"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("runing", "did you mean running?"),
        ("PEND", "did you mean pending?"),
        ("zz", "known are running (R), pending (PD)"),
        ("\x1b[2J", "is not a state of jobs"),
    ],
)
def test_what_is_no_state_is_answered_with_the_nearest(typed: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        states_of([typed])
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_wrong_state_is_told_before_anything_is_read(given: Given, run: Run) -> None:
    source = given()
    assert run("jobs", "--state", "runing").code == 2
    assert not source.asked


def test_a_user_without_jobs_is_an_answer_and_the_nearest_user_a_remark(given: Given, run: Run) -> None:
    given(MANY)
    said = run("jobs", "--user", "bobb")
    assert (said.code, ids(said)) == (0, [])
    assert said.err == "No jobs of bobb; did you mean bob?\n"


def test_a_partition_that_slurm_does_not_have_is_a_mistake(given: Given, run: Run) -> None:
    given(MANY)
    said = run("jobs", "--partition", "h10")
    assert (said.code, said.out) == (2, "")
    assert "there is no partition called 'h10'; did you mean h100?" in said.err


def test_a_partition_without_jobs_is_an_answer(given: Given, run: Run) -> None:
    given(queue(job(1), partitions=(Partition("gpu"), Partition("h100"))))
    said = run("jobs", "--partition", "h100")
    assert (said.code, said.err) == (0, "No jobs match.\n")


def test_of_jobs_that_ended_the_accounting_tells(given: Given, run: Run) -> None:
    given(MANY)
    assert "`sacct`" in run("jobs", "--state", "CD").err


@pytest.mark.parametrize("flags", [["--user", "ann"], ["--state", "R"], ["--partition", "gpu"]])
def test_without_job_rows_no_flag_can_choose_among_them(flags: list[str], given: Given, run: Run) -> None:
    given(cluster(jobs=None))
    said = run("jobs", *flags)
    assert (said.code, said.out) == (3, "")
    assert "counts jobs but does not name them" in said.err


ARRAY = (
    task(31, 0, gpus=2.0, held=("GPU-gpu1-0",), started_at=NOW - 100, nodes="gpu1"),
    task(32, 1, gpus=2.0, held=("GPU-gpu1-1",), started_at=NOW - 900, nodes="gpu2"),
    task(33, 2, gpus=2.0, started_at=NOW - 300, nodes="gpu1"),
    task(24, 3, state="pending", reason="Priority", started_at=None, priority=5.0),
)


def test_the_tasks_of_an_array_in_one_state_are_one_row(given: Given, run: Run) -> None:
    given(queue(*ARRAY, job(40)))
    lines = run("jobs", "--columns", "job,state,gpus,elapsed,nodes").out.splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["24_0-2", "running", "6", "15m", "gpu1,gpu2"],
        ["40", "running", "1", "1h", "gpu1"],
        ["24_3", "pending", "1", "gpu1"],
    ]


def test_tasks_spread_json_and_csv_have_every_record(given: Given, run: Run) -> None:
    given(queue(*ARRAY))
    everyone = ["24_0", "24_1", "24_2", "24_3"]
    assert ids(run("jobs", "--tasks")) == everyone
    assert [row["display_id"] for row in json.loads(run("jobs", "--json").out)["jobs"]] == everyone
    records = csv.DictReader(io.StringIO(run("jobs", "--csv").out))
    assert [record["job"] for record in records] == everyone


def test_an_array_folded_uses_what_its_tasks_use_together() -> None:
    (row, _) = rows_of(ARRAY)
    assert row.held == ("GPU-gpu1-0", "GPU-gpu1-1")
    assert (row.tasks, row.gpus, row.cpus) == (3, 6.0, 48.0)


def test_a_sum_of_which_a_part_is_unknown_is_unknown() -> None:
    (row,) = rows_of([task(31, 0), task(32, 1, gpus=None)])
    assert row.gpus is None


def test_tasks_that_wait_ask_each_for_its_own_and_the_next_stands_for_all() -> None:
    (row,) = rows_of(
        [
            task(24, 0, state="pending", reason="Priority", gpus=2.0, priority=5.0),
            task(25, 7, state="pending", reason="Resources", gpus=2.0, priority=8.0),
            job(
                26, array_job_id="24", array_task_id="10-19%2", state="pending", reason="Priority", gpus=2.0, tasks=10.0
            ),
        ]
    )
    assert (row.shown_id, row.gpus, row.id, row.tasks, row.reason) == ("24_0,7,10-19%2", 2.0, "25", 12, "Priority")


def test_many_scattered_tasks_are_counted_instead_of_listed() -> None:
    (row,) = rows_of([task(100 + index, index) for index in range(0, 40, 2)])
    assert row.shown_id == "24_[20 tasks]"


def test_an_array_is_sorted_by_what_it_holds_together(given: Given, run: Run) -> None:
    given(queue(job(40, gpus=4.0), *ARRAY))
    said = run("jobs", "--state", "R", "--sort", "-gpus")
    assert ids(said) == ["24_0-2", "40"]


def test_a_filter_looks_at_single_tasks_before_they_are_put_together(given: Given, run: Run) -> None:
    given(queue(*ARRAY))
    assert ids(run("jobs", "--filter", "elapsed>200")) == ["24_1-2"]


def test_where_a_job_runs_and_what_another_waits_for_share_a_column(given: Given, run: Run) -> None:
    given(queue(job(1, nodes="gpu[1-2]"), waiting(2)))
    head, runs, waits = run("jobs").out.splitlines()
    assert "ON / WAITS FOR" in head
    assert runs.split()[-2:] == ["gpu[1-2]", "train"]
    assert "next in line: waits for resources to become free" in waits
    assert run("jobs", "--columns", "nodes,why", "--no-header", "--user", "ann").out == "gpu[1-2]\n"


def test_what_is_asked_of_the_source_is_what_the_columns_need(given: Given, run: Run) -> None:
    source = given()
    run("jobs")
    assert source.asked == [Parts.JOBS | Parts.SLURM | Parts.GPUS | Parts.IDLE]


def test_json_says_what_follows_from_a_job(given: Given, run: Run) -> None:
    idle = gpu("gpu1", 0, jobs=("1",), utilization=0.01, idle_since=NOW - 600)
    given(queue(job(1, held=(idle.key,)), waiting(2), waiting(3, gpus=4.0, priority=10.0), gpus=(idle,)))
    first, third, second = json.loads(run("jobs", "--json").out)["jobs"]
    assert first["usage"]["mean_utilization_share"] == 0.01
    assert (first["usage"]["idle_since"], first["usage"]["wasted_gpu_seconds"]) == (NOW - 600, 600)
    assert first["held_gpus"] == [{"node": "gpu1", "gpu": "0", "index": 0, "key": "GPU-gpu1-0"}]
    assert (first["place"], third["usage"], third["held_gpus"]) == (None, None, [])
    assert third["place"] == {"rank": 1, "of": 2, "gpus_ahead": 0}
    assert second["place"] == {"rank": 2, "of": 2, "gpus_ahead": 4}
    assert second["reason_words"] == "next in line: waits for resources to become free"

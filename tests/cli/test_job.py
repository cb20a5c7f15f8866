"""`gpumon job ID`: the right job by any of its names, and everything about it in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cli_handmade import GIB, NOW, HandmadeSource, cluster, gpu, job, waiting
from gpumon.errors import UsageError
from gpumon.model import Attribution, ClusterSnapshot, Gpu, GpuDetail, Job, Lack, Queue
from gpumon.model import Dialect as Found
from gpumon.reasons import in_words
from gpumon_cli.job_ids import found

Given = Callable[..., HandmadeSource]
Run = Callable[..., Any]

QUEUE = (
    job(7),
    job(24, array_job_id="24", array_task_id="12", state="running"),
    job(31, array_job_id="24", array_task_id="0"),
    job(32, array_job_id="24", array_task_id="1"),
    job(33, array_job_id="24", array_task_id="2,20-40:4%2", state="pending", tasks=7.0),
    job(50, het_job_id="50"),
    job(51, het_job_id="50"),
)


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("7", ["7"]),
        ("24", ["24", "31", "32", "33"]),
        ("24_0", ["31"]),
        ("24_12", ["24"]),
        ("31", ["31"]),
        ("24_2", ["33"]),
        ("24_24", ["33"]),
        ("24_25", []),
        ("24_41", []),
        ("24_2,20-40:4%2", ["33"]),
        ("24_[2,20-40:4%2]", ["33"]),
        ("50", ["50", "51"]),
        ("50+1", ["51"]),
        ("50+2", []),
        ("51", ["51"]),
        ("8", []),
        ("7_0", []),
    ],
)
def test_a_job_is_found_by_every_name_that_slurm_has_for_it(typed: str, ids: list[str]) -> None:
    assert [job.id for job in found(typed, QUEUE)] == ids


@pytest.mark.parametrize("typed", ["", "x", "24_", "24_x", "24.batch", "-1", "24+", "24_1+1", "٣", "\x1b[2J", "9" * 13])
def test_what_is_no_id_is_answered_with_examples(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        found(typed, QUEUE)
    assert "4711_3 for a task of an array" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_wrong_id_is_told_before_anything_is_read(given: Given, run: Run) -> None:
    source = given()
    said = run("job", "gpu01")
    assert (said.code, said.out) == (2, "")
    assert not source.asked


def running(*gpus: Gpu, **known: object) -> ClusterSnapshot:
    """A cluster with one running job, 100, that holds these GPUs."""
    mine = [msgspec.structs.replace(each, jobs=("100",)) for each in gpus]
    fields: dict[str, object] = {"held": tuple(each.key for each in mine), "gpus": float(len(mine))}
    return cluster(gpus=tuple(mine), jobs=(job(100, **{**fields, **known}),), problems=())


def test_a_running_job_is_told_with_its_owner_its_times_and_its_gpus(given: Given, run: Run) -> None:
    given(
        running(
            gpu("gpu1", 0, utilization=0.9, held_by=Attribution.UUID),
            gpu("gpu1", 1, utilization=0.5, held_by=Attribution.INDEX),
            memory_bytes=64 * GIB,
        )
    )
    said = run("job", "100")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[0] == "Job 100 · train · running"
    assert lines[1] == "User       ann (account physics)"
    assert lines[2] == "Partition  gpu, QOS normal"
    assert lines[3] == "Has        2 GPUs, 16 CPUs, 64.0 GiB of memory, 1 node"
    assert "after waiting for 1h" in said.out
    assert "████████████░░░░░░░░░░░░ 50% of 2h; ends" in said.out
    assert "at the latest, in 1h" in said.out
    assert "On         gpu1" in lines
    assert "GPUs       utilization 70% (the least busy 50%), memory 80.0 GiB of 160 GiB, 500 W" in lines
    assert "Known by   Slurm's allocation, by index: wrong where gres.conf is not in PCI order" in lines
    assert [line.split()[:2] for line in lines[-2:]] == [["gpu1", "0"], ["gpu1", "1"]]
    assert "Idle " not in said.out


def test_idle_gpus_are_told_with_what_they_waste(given: Given, run: Run) -> None:
    given(
        running(
            gpu("gpu1", 0, utilization=0.0, idle_since=NOW - 3600),
            gpu("gpu1", 1, utilization=0.0, idle_since=NOW - 1800),
        )
    )
    said = run("job", "100")
    assert "Idle       all of its GPUs since" in said.out
    assert "(30m ago); 1.5 GPU-hours wasted" in said.out


def test_a_job_of_which_one_gpu_idles_is_told_so(given: Given, run: Run) -> None:
    given(running(gpu("gpu1", 0), gpu("gpu1", 1, utilization=0.0, idle_since=NOW - 1800)))
    assert "Idle       1 of 2 GPUs; 0.5 GPU-hours wasted" in run("job", "100").out


def test_the_only_gpu_that_idles_needs_no_count(given: Given, run: Run) -> None:
    given(running(gpu("gpu1", 0, utilization=0.0, idle_since=NOW - 1800)))
    assert "Idle       since " in run("job", "100").out


def test_those_who_share_its_gpu_are_named(given: Given, run: Run) -> None:
    shared = gpu("gpu1", 0, jobs=("100", "31", "9"))
    jobs = (job(100, held=(shared.key,)), job(31, user="bob", array_job_id="24", array_task_id="3"))
    given(cluster(gpus=(shared,), jobs=jobs, problems=()))
    assert "Shares     its GPU with 24_3 of bob, 9" in run("job", "100").out
    given(cluster(gpus=(shared,), jobs=(msgspec.structs.replace(jobs[0], gpus=0.0),), problems=()))
    assert "Has        a part of 1 GPU, 16 CPUs" in run("job", "100").out


def test_a_job_over_its_limit_has_a_full_bar(given: Given, run: Run) -> None:
    given(running(ends_at=NOW - 60))
    assert f"{'█' * 24} 100% of 59m; over it since" in run("job", "100").out


def test_a_job_without_a_limit_has_no_bar(given: Given, run: Run) -> None:
    given(running(ends_at=None))
    assert "Time limit – (unlimited, or not told)" in run("job", "100").out


def test_gpus_that_are_not_known_have_their_reason(given: Given, run: Run) -> None:
    lack = Lack(("held",), "gpumon_job_gpu", "which GPUs a job holds")
    given(cluster(jobs=(job(100, gpus=2.0),), dialects=(Found("jobs", "some exporter", lacks=(lack,)),)))
    said = run("job", "100")
    assert "GPUs       which ones is not known: gpumon_job_gpu is not exported by some exporter" in said.out


def test_fewer_gpus_than_it_holds_are_called_so(given: Given, run: Run) -> None:
    given(running(gpu("gpu1", 0), gpus=4.0))
    assert "Known      1 of its 4 GPUs" in run("job", "100").out


def test_a_job_without_gpus_says_nothing_of_them(given: Given, run: Run) -> None:
    given(running(gpus=0.0))
    assert "GPUs  " not in run("job", "100").out


def test_old_numbers_are_said_to_be_old(given: Given, run: Run) -> None:
    given(running(gpu("gpu1", 0, is_stale=True, sampled_at=NOW - 200)))
    said = run("job", "100")
    assert "utilization –" in said.out
    assert "old numbers, with their age: gpu1 (3m)" in said.err


def test_what_is_wrong_with_its_cards_is_told(given: Given, run: Run) -> None:
    given(running(gpu("gpu1", 0, detail=GpuDetail(xid=79)), gpu("gpu1", 1)))
    assert "! GPU 0 of gpu1 last reported XID 79" in run("job", "100").out


def pending(number: int = 101, **known: object) -> Job:
    return waiting(number, **{"time_limit_seconds": 7200.0, "gpus": 2.0, **known})


def test_a_waiting_job_is_told_with_its_reason_its_expected_start_and_its_place(given: Given, run: Run) -> None:
    jobs = (pending(101, expected_at=NOW + 1800), pending(102, priority=20.0, gpus=3.0), pending(103, priority=30.0))
    given(cluster(jobs=jobs, problems=()))
    said = run("job", "101")
    assert "Asks for   2 GPUs, 16 CPUs, 1 node" in said.out
    assert f"Waits      {in_words('Resources')} (Resources)" in said.out
    assert "(in 30m), as Slurm plans now" in said.out
    assert "Place      3 of 3 that wait for gpu; those before it ask for 5 GPUs" in said.out
    assert "Time limit 2h" in said.out
    assert "Place      1 of 3 that wait for gpu: the next one by priority" in run("job", "103").out


def test_a_waiting_job_without_a_plan_and_a_priority_says_so(given: Given, run: Run) -> None:
    given(cluster(jobs=(pending(priority=None, eligible_at=NOW + 600),), problems=()))
    said = run("job", "101")
    assert "Starts     – (no plan is told)" in said.out
    assert "Place      – (its priority is not told)" in said.out
    assert "Eligible " in said.out
    assert "(in 10m)" in said.out


def test_an_array_that_waits_asks_for_each_of_its_tasks(given: Given, run: Run) -> None:
    given(cluster(jobs=(pending(array_job_id="101", array_task_id="3-9", tasks=7.0),)))
    assert "2 GPUs, 16 CPUs, 1 node for each of 7 tasks" in run("job", "101").out


def test_a_whole_array_is_its_records_and_all_their_gpus(given: Given, run: Run) -> None:
    jobs = (
        job(31, array_job_id="24", array_task_id="0", held=("GPU-gpu1-0",)),
        job(24, array_job_id="24", array_task_id="1-5", state="pending", started_at=None, tasks=5.0, reason="Priority"),
    )
    given(cluster(jobs=jobs, gpus=(gpu("gpu1", 0, jobs=("31",)),), problems=()))
    said = run("job", "24")
    assert said.out.startswith("Array 24 · train · 1 running, 5 pending\n")
    assert [line.split()[0] for line in said.out.splitlines()[4:7]] == ["JOB", "24_0", "24_1-5"]
    assert said.out.splitlines()[-1].split()[:3] == ["gpu1", "0", "24_0"]


def test_a_heterogeneous_job_is_its_parts(given: Given, run: Run) -> None:
    given(cluster(jobs=(job(50, het_job_id="50"), job(51, het_job_id="50", gpus=0.0))))
    assert run("job", "50").out.startswith("Heterogeneous job 50 · train · 2 parts: 2 running\n")
    assert run("job", "50+1").out.startswith("Job 51 · train · running · part of heterogeneous job 50\n")


def test_a_job_that_is_not_in_the_queue_is_code_one_and_one_sentence(given: Given, run: Run) -> None:
    given(cluster(problems=()))
    said = run("job", "4711_3")
    assert (said.code, said.err) == (1, "")
    assert said.out == (
        "Job 4711_3 is not in the queue: it has ended, or there never was one (`sacct -j 4711_3` knows).\n"
    )
    answer = json.loads(run("job", "4711", "--json").out)
    assert (answer["asked"], answer["jobs"], answer["gpus"]) == ("4711", [], [])
    assert run("job", "4711", "--json").code == 1


def test_a_job_that_waits_unnamed_is_not_called_ended(given: Given, run: Run) -> None:
    given(cluster(queue=Queue(by_state={"pending": 9001.0}), problems=()))
    assert "one of 9,000 waiting ones that the exporter only counts" in run("job", "4711").out


@pytest.mark.parametrize("snapshot", [cluster(jobs=None), ClusterSnapshot(source="http://head:9090")])
def test_without_job_rows_there_is_no_answer(snapshot: ClusterSnapshot, given: Given, run: Run) -> None:
    given(snapshot)
    said = run("job", "100")
    assert (said.code, said.out) == (3, "")
    assert "tells of no single job" in said.err


def test_json_holds_the_job_and_its_gpus(given: Given, run: Run) -> None:
    given(running(gpu("gpu1", 0), gpu("gpu1", 1, held_by=Attribution.UUID)))
    answer = json.loads(run("job", "100", "--json").out)
    assert answer["schema"] == "gpumon.job/1"
    assert answer["jobs"][0]["user"] == "ann"
    assert [(each["node"], each["index"], each["held_by"]) for each in answer["gpus"]] == [
        ("gpu1", 0, None),
        ("gpu1", 1, "uuid"),
    ]

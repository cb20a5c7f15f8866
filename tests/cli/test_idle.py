"""`gpumon idle`: what is held and not used, by whom, for how long; and what is said when nobody knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli_handmade import NOW, HandmadeSource, cluster, gpu, job
from gpumon.model import ClusterSnapshot, Dialect, Gpu, Lack, Problem, Severity
from gpumon.settings import Thresholds
from gpumon.source import Parts
from gpumon_cli.idle import idle_jobs, idleness

Given = Callable[..., HandmadeSource]
Run = Callable[..., Any]
HOUR = 3600.0


def idle(node: str, index: int, job_id: str, hours: float, **known: object) -> Gpu:
    """A GPU that a job holds and that has been idle for so many hours."""
    fields: dict[str, object] = {"utilization": 0.0, "jobs": (job_id,), "idle_since": NOW - hours * HOUR}
    return gpu(node, index, **{**fields, **known})


def wasteful(*more: Gpu, **known: object) -> ClusterSnapshot:
    """Job 1 of ann wastes two GPUs, job 2 of bob one, and a third one is but resting."""
    gpus = (
        idle("gpu1", 0, "1", 2.0),
        idle("gpu1", 1, "1", 1.0),
        idle("gpu2", 0, "2", 5.0),
        idle("gpu2", 1, "3", 0.1),
        gpu("gpu2", 2, jobs=("3",)),
        gpu("gpu2", 3),
        *more,
    )
    jobs = (job(1, gpus=2.0), job(2, user="bob", name="notebook", ends_at=NOW + 2 * HOUR), job(3, user="eve"))
    return cluster(**{"gpus": gpus, "jobs": jobs, "problems": (), **known})


def test_jobs_are_listed_by_the_gpu_hours_they_waste(given: Given, run: Run) -> None:
    source = given(wasteful())
    said = run("idle")
    assert (said.code, said.err) == (1, "")
    head, first, second, blank, total = said.out.splitlines()
    assert " ".join(head.split()) == "JOB USER ACCOUNT PARTITION STATE GPUS OF IDLE WASTED LEFT WHERE NAME"
    assert first.split()[:9] == ["2", "bob", "physics", "gpu", "running", "1", "1", "5h", "5.0h"]
    assert second.split()[:9] == ["1", "ann", "physics", "gpu", "running", "2", "2", "2h", "3.0h"]
    assert "gpu1: 0-1" in second
    assert blank == ""
    assert total == "3 GPUs of 2 jobs idle for 30m or longer: 8.0 GPU-hours wasted."
    assert source.asked == [Parts.GPUS | Parts.JOBS | Parts.IDLE]


@pytest.mark.parametrize(
    ("flags", "ids"),
    [
        (["--min", "0"], ["2", "1", "3"]),
        (["--min", "90m"], ["2", "1"]),
        (["--min", "3h"], ["2"]),
        (["--user", "ann"], ["1"]),
        (["--user", "ann,bob"], ["2", "1"]),
        (["--sort", "wasted"], ["1", "2"]),
        (["--filter", "idle>180"], ["2"]),
        (["--filter", "name:note"], ["2"]),
    ],
)
def test_how_long_and_whose_can_be_chosen(flags: list[str], ids: list[str], given: Given, run: Run) -> None:
    given(wasteful())
    assert [line.split(",")[0] for line in run("idle", "--csv", "--no-header", *flags).out.splitlines()] == ids
    assert [each["id"] for each in json.loads(run("idle", "--json", *flags).out)["jobs"]] == ids


def test_only_gpus_that_idle_long_enough_count(given: Given, run: Run) -> None:
    given(wasteful())
    answer = json.loads(run("idle", "--min", "90m", "--json").out)
    assert [(each["id"], len(each["gpus"]), each["wasted_gpu_seconds"]) for each in answer["jobs"]] == [
        ("2", 1, 5 * HOUR),
        ("1", 1, 2 * HOUR),
    ]
    assert (answer["schema"], answer["min_seconds"], answer["gpus_idle"]) == ("gpumon.idle/1", 5400, 2)


def test_the_least_time_is_the_configured_one(given: Given, run: Run, tmp_path: Any) -> None:
    file = tmp_path / "gpumon.toml"
    file.write_text("[thresholds]\nidle_minutes = 240\n")
    given(wasteful())
    assert json.loads(run("idle", "--json", "--config", str(file)).out)["gpus_idle"] == 1


def test_none_is_code_zero_and_a_sentence(given: Given, run: Run) -> None:
    given(wasteful())
    said = run("idle", "--min", "1d")
    assert said.code == 0
    assert said.out.count("\n") == 1
    assert said.err == "No GPU that a job holds has been idle for 1d or longer.\n"


def test_a_mistyped_user_is_answered_with_the_nearest(given: Given, run: Run) -> None:
    given(wasteful())
    said = run("idle", "--user", "anna")
    assert (said.code, said.err) == (0, "No jobs of anna; did you mean ann?\n")


def test_a_limit_shortens_the_table_and_not_the_total(given: Given, run: Run) -> None:
    given(wasteful())
    said = run("idle", "--limit", "1")
    assert "3 GPUs of 2 jobs" in said.out
    assert said.out.count("\n") == 4


def test_no_header_leaves_rows_only(given: Given, run: Run) -> None:
    given(wasteful())
    assert [line.split()[0] for line in run("idle", "--no-header").out.splitlines()] == ["2", "1"]


def test_a_gpu_that_two_jobs_share_is_wasted_by_both_in_parts() -> None:
    shared = idle("gpu1", 0, "1", 4.0, jobs=("1", "2"))
    rows = idle_jobs(cluster(gpus=(shared,), jobs=(job(1), job(2, user="bob"))), 1800)
    assert [(row.id, row.wasted_seconds) for row in rows] == [("1", 2 * HOUR), ("2", 2 * HOUR)]
    told = idleness(cluster(gpus=(shared,), jobs=(job(1), job(2, user="bob"))), Thresholds())
    assert told is not None
    assert (told.gpus, told.wasted_gpu_seconds) == (1, 4 * HOUR)


def test_a_job_that_nobody_describes_is_listed_by_its_number(given: Given, run: Run) -> None:
    given(wasteful(jobs=None))
    said = run("idle", "--columns", "job,user,gpus,where")
    assert [line.split() for line in said.out.splitlines()[1:3]] == [
        ["2", "–", "1", "gpu2:", "0"],
        ["1", "–", "2", "gpu1:", "0-1"],
    ]


def test_a_silent_gpu_is_not_called_idle_and_is_named(given: Given, run: Run) -> None:
    given(wasteful(idle("gpu3", 0, "1", 9.0, is_stale=True)))
    said = run("idle")
    assert "gpu3" not in said.out
    assert "of 1 GPUs that jobs hold it is not known whether they work: gpu3" in said.err


def unknown(**known: object) -> ClusterSnapshot:
    """A GPU is held and idle now; of none it is known since when."""
    return cluster(
        **{"gpus": (gpu("gpu1", 0, jobs=("1",), utilization=0.0),), "jobs": (job(1),), "problems": (), **known}
    )


def test_nothing_is_called_idle_or_busy_when_history_is_not_known(given: Given, run: Run) -> None:
    given(unknown())
    for flags in ([], ["--json"], ["--csv"]):
        said = run("idle", *flags)
        assert (said.code, said.out) == (3, "")
        assert "does not tell since when GPUs idle: their history could not be read." in said.err


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (
            {"dialects": (Dialect("jobs", "x", lacks=(Lack(("idle_since",), "DCGM_FI_DEV_GPU_UTIL", "idleness"),)),)},
            "DCGM_FI_DEV_GPU_UTIL is not exported by x",
        ),
        (
            {"problems": (Problem("gpus", "the history took too long", "", Severity.ERROR),)},
            "the history took too long",
        ),
    ],
)
def test_the_reason_is_the_best_one_known(known: dict[str, object], reason: str, given: Given, run: Run) -> None:
    given(unknown(**known))
    assert reason in run("idle").err


def test_when_nobody_tells_who_holds_gpus_there_is_no_answer(given: Given, run: Run) -> None:
    given(cluster(gpus=(gpu("gpu1", 0, jobs=None, utilization=0.0),), jobs=None, problems=()))
    said = run("idle")
    assert (said.code, said.out) == (3, "")
    assert "nothing tells who holds GPUs" in said.err


def test_without_gpus_there_is_no_answer(given: Given, run: Run) -> None:
    given(ClusterSnapshot(source="http://head:9090"))
    said = run("idle")
    assert (said.code, said.out) == (3, "")
    assert "http://head:9090 knows no GPUs" in said.err


def test_those_of_which_it_is_not_known_since_when_are_counted_beside_the_others(given: Given, run: Run) -> None:
    given(wasteful(gpu("gpu3", 0, jobs=("3",), utilization=0.0)))
    assert "! 1 more are idle now, but since when is not known" in run("idle").err
    assert json.loads(run("idle", "--json").out)["gpus_since_unknown"] == 1


def test_busy_gpus_need_no_history(given: Given, run: Run) -> None:
    given(cluster(gpus=(gpu("gpu1", 0, jobs=("100",)),), problems=()))
    assert run("idle").code == 0


def test_status_says_how_much_idles_and_who_wastes_most(given: Given, run: Run) -> None:
    given(wasteful())
    said = run("status")
    assert "Idle   3 held but idle for 30m or longer, 8.0 GPU-hours wasted: bob 1, ann 2" in said.out
    answer = json.loads(run("status", "--json").out)["idle"]
    assert answer["users"][0] == {"user": "bob", "gpus": 1, "wasted_gpu_seconds": 5 * HOUR}
    assert (answer["gpus"], answer["min_seconds"]) == (3, 1800)


def test_status_does_not_guess_what_idles(given: Given, run: Run) -> None:
    given(unknown())
    assert "Idle   – (their history could not be read)" in run("status").out
    assert json.loads(run("status", "--json").out)["idle"] is None


def test_status_says_when_nothing_idles_for_long(given: Given, run: Run) -> None:
    given(cluster(gpus=(gpu("gpu1", 0, jobs=("100",)),)))
    assert "Idle   no GPU that a job holds has been idle for 30m or longer" in run("status").out

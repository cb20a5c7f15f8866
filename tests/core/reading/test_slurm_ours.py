"""What gpumon's own exporter tells becomes the picture of Slurm, and what it keeps back is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from exporter_readings import DOWN, FULL
from gpumon.model import GpuCount, Partition, Problem, Severity, UserUsage
from gpumon.reading.slurm.dialects import SlurmFound, read_slurm
from gpumon.reading.slurm.standing import Standing, problems
from gpumon_exporter.metrics.store import Choice, Store
from gpumon_exporter.slurm.records import CommandResult, Reading
from gpumon_exporter.web.site import Wishes
from samples import captured, plain_samples

TOLD = replace(FULL, jobs=(), hidden=(), left_out=(("pending_jobs", 0),), jobs_without_gpu_map=0, commands=())
TARGET = ("slurm", "head:8080")


def exposition(*readings: Reading, choice: Choice | None = None) -> str:
    """What a scrape of an exporter gets that read these one after another, but for its process's own series."""
    store = Store(choice or Choice(), 60.0)
    for reading in readings:
        store.publish(reading, 60.0)
    text = b"".join(store.metrics(Wishes()).parts).decode()
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("process_"))


def found(text: str) -> SlurmFound:
    slurm = read_slurm(plain_samples(text))
    assert slurm is not None
    return slurm


def said(standing: Standing | None, seconds_since_scrape: float = 0.0) -> list[Problem]:
    assert standing is not None
    return list(problems(standing, seconds_since_scrape))


def texts(some: Iterable[Problem]) -> str:
    return " ".join(problem.text for problem in some)


def test_everything_documented_is_read() -> None:
    slurm = found(exposition(TOLD))
    assert (slurm.dialect, slurm.problems, slurm.told) == ("gpumon-slurm-exporter", (), slurm.reading)
    gpu01, gpu04 = slurm.reading.nodes["gpu01"], slurm.reading.nodes["gpu04"]
    assert (gpu01.state, gpu01.flags, gpu01.since, gpu01.partitions) == (
        "mixed",
        ("planned",),
        1500.0,
        ("debug", "h100"),
    )
    assert gpu01.gpus_by_type == (GpuCount("h100", 8, 3),)
    assert gpu04.gpus_by_type == (GpuCount("a100", 4, 1, 1), GpuCount("l40s", 4, 0))
    assert (gpu04.gpus_total, gpu04.gpus_allocated) == (8, 1)
    cpu01 = slurm.reading.nodes["cpu01"]
    assert (cpu01.gpus_total, cpu01.gpus_allocated, cpu01.gpus_by_type) == (0, 0, ())
    queue = slurm.reading.queue
    assert (queue.gpus_total, queue.oldest_pending_at, queue.finished_window_seconds) == (32, 900.0, 3600.0)
    assert queue.pending_reasons == {"Resources": 99, "Dependency": 1}
    assert queue.finished == {"failed": 1, "completed": 5}
    h100, a100 = (next(one for one in slurm.reading.partitions if one.name == name) for name in ("h100", "a100"))
    assert (h100.state, h100.max_time_seconds, h100.gpus_total) == ("up", 86_400.0, 24)
    assert (a100.state, a100.max_time_seconds) == ("drain", None)
    assert UserUsage("alice", 3, 0, 0, 20, 3) in slurm.reading.users
    assert slurm.reading.reservations is not None
    assert said(slurm.standing) == []


def test_without_vpensos_names_the_totals_come_from_the_nodes() -> None:
    whole, plain = found(exposition(TOLD)), found(exposition(TOLD, choice=Choice(vpenso_names=False)))
    assert plain.reading.queue.by_state == {}
    for name in ("cpus_total", "cpus_allocated", "gpus_total", "nodes_by_state", "pending_reasons"):
        assert getattr(plain.reading.queue, name) == getattr(whole.reading.queue, name), name
    assert plain.reading.nodes == whole.reading.nodes
    assert next(one for one in plain.reading.partitions if one.name == "h100") == Partition(
        "h100", nodes=3, gpus_total=24, gpus_allocated=5, state="up", max_time_seconds=86_400.0
    )


def test_when_slurm_does_not_answer_nothing_of_it_is_told_and_that_is_said() -> None:
    slurm = found(exposition(TOLD, DOWN))
    assert slurm.dialect == "gpumon-slurm-exporter"
    assert slurm.told is None
    (problem,) = said(slurm.standing, 180.0)
    assert (problem.part, problem.severity) == ("slurm", Severity.ERROR)
    assert problem.text.startswith("Slurm itself does not answer the Slurm exporter at head:8080 (squeue failed)")
    assert "last answer is 3m old" in problem.text


def test_a_slurm_that_never_answered_is_told_so() -> None:
    assert "it never answered" in texts(said(found(exposition(DOWN)).standing))


def test_before_the_first_reading_nothing_is_told_and_nothing_blamed_on_slurm() -> None:
    slurm = found(exposition())
    assert slurm.told is None
    (problem,) = said(slurm.standing)
    assert problem.text == "The Slurm exporter at head:8080 has not read Slurm yet."


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (replace(TOLD, hidden=("jobs", "usage")), "Slurm hides jobs, usage of others"),
        (replace(TOLD, left_out=(("pending_jobs", 1200),)), "1,200 pending jobs count in totals only"),
        (replace(TOLD, left_out=(("users", 3),)), "3 users count in totals only"),
        (replace(TOLD, jobs_without_gpu_map=2), "Of 2 running jobs Slurm did not tell which GPUs they hold."),
        (replace(TOLD, commands=(CommandResult("sdiag", is_ok=False, seconds=1.0, error="x"),)), "fail at the Slurm"),
    ],
)
def test_what_the_exporter_keeps_back_is_said(reading: Reading, words: str) -> None:
    slurm = found(exposition(reading))
    assert slurm.told is not None
    (problem,) = said(slurm.standing)
    assert words in problem.text
    assert problem.severity is not Severity.ERROR


def test_old_answers_are_called_old() -> None:
    assert "3m old" in texts(said(Standing(TARGET, is_up=True, age_seconds=170.0), 20.0))
    assert said(Standing(TARGET, is_up=True, age_seconds=20.0), 20.0) == []


def test_hidden_jobs_are_known_to_be_hidden() -> None:
    assert found(exposition(replace(TOLD, hidden=("jobs",)))).hides_jobs
    assert not found(exposition(replace(TOLD, hidden=("usage",)))).hides_jobs


def test_of_two_exporters_of_ours_the_one_that_slurm_answers_is_believed() -> None:
    told = [
        *plain_samples(exposition(DOWN), instance="a:8080"),
        *plain_samples(exposition(TOLD), instance="b:8080"),
    ]
    slurm = read_slurm(told)
    assert slurm is not None
    assert slurm.told == found(exposition(TOLD)).told
    assert slurm.problems == ()


def test_while_slurm_does_not_answer_ours_another_exporter_is_shown() -> None:
    slurm = read_slurm([*plain_samples(exposition(DOWN)), *plain_samples(captured("vpenso.prom"), instance="x:8080")])
    assert slurm is not None
    assert slurm.dialect.startswith("vpenso")
    assert slurm.told is not None


def test_labels_that_prometheus_renamed_are_read_by_their_own_names() -> None:
    renamed = exposition(TOLD).replace('node="', 'node="head",exported_node="')
    assert found(renamed).reading == found(exposition(TOLD)).reading

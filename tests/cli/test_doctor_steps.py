"""The steps of `gpumon doctor`, each on handmade input."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from cli_handmade import cluster, node
from gpumon import errors
from gpumon.model import Exporter, NodeSlurm
from gpumon.settings import PrometheusSettings, Secret, Settings
from gpumon_cli.doctor.exporters import exporter_steps, problem_steps
from gpumon_cli.doctor.http_clock import clock_difference
from gpumon_cli.doctor.names import label_steps, name_steps
from gpumon_cli.doctor.reach import configuration_step, reach_steps
from gpumon_cli.doctor.scraping import interval_step, target_steps
from gpumon_cli.doctor.steps import Mark, Step, step_lines, verdict, worst_code
from gpumon_cli.doctor.targets import TargetFacts
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.terminal import Terminal

WHERE = "http://head:9090"


def stages(error: errors.SourceError | None) -> dict[str, Mark]:
    return {step.name: step.mark for step in reach_steps(PrometheusSettings(), WHERE, error)}


def target(job: str, instance: str, **known: object) -> TargetFacts:
    fields: dict[str, object] = {"health": "up", "scrape_interval": "15s"}
    labels = {"job": job, "instance": instance}
    return TargetFacts(labels=labels, **{**fields, **known})  # type: ignore[arg-type]  # a test names any field


def test_when_all_is_well_every_stage_is_fine() -> None:
    assert set(stages(None).values()) == {Mark.FINE}
    assert list(stages(None)) == ["reach", "auth", "path", "answers", "data"]


@pytest.mark.parametrize(
    ("error", "stage"),
    [
        (errors.Refused, "reach"),
        (errors.UnknownHost, "reach"),
        (errors.TimedOut, "reach"),
        (errors.TlsFailed, "reach"),
        (errors.ConnectionLost, "reach"),
        (errors.Unauthorized, "auth"),
        (errors.NotFound, "path"),
        (errors.NotPrometheus, "path"),
        (errors.QueryRejected, "answers"),
        (errors.AnswerCutOff, "answers"),
        (errors.AnswerTooLarge, "answers"),
        (errors.NoData, "data"),
    ],
)
def test_a_fault_breaks_its_stage_and_those_before_it_are_fine(error: type[errors.SourceError], stage: str) -> None:
    steps = list(reach_steps(PrometheusSettings(), WHERE, error("what happened.", advice="Do this.")))
    assert steps[-1] == Step(stage, Mark.BROKEN, "what happened.", ("Do this.",))
    assert all(step.mark is Mark.FINE for step in steps[:-1])


def test_the_kind_of_login_is_named_and_the_secret_is_not() -> None:
    settings = PrometheusSettings(username="mon", password=Secret("hunter2"))
    (auth,) = (step for step in reach_steps(settings, WHERE, None) if step.name == "auth")
    assert "user mon is accepted" in auth.text
    assert "hunter2" not in repr(list(reach_steps(settings, WHERE, None)))


def test_the_path_shows_the_prefix() -> None:
    (path,) = (
        step
        for step in reach_steps(PrometheusSettings(), "https://h/select/0/prometheus/", None)
        if step.name == "path"
    )
    assert "/select/0/prometheus/api/v1" in path.text


def test_without_a_file_the_defaults_are_named() -> None:
    step = configuration_step(Settings(), WHERE, overridden=True)
    assert step.mark is Mark.NOTE
    assert "no file" in step.text
    assert "from the command line" in step.text


def test_targets_are_counted_by_job_and_the_last_errors_are_quoted() -> None:
    steps = list(
        target_steps(
            [
                target("dcgm", "gpu1:9400"),
                target("dcgm", "gpu2:9400", health="down", last_error="connection refused"),
                target("node", "gpu1:9100"),
                target("slurm", "head:8080", health="down", last_error="EOF"),
            ]
        )
    )
    assert [(step.mark, step.text) for step in steps] == [
        (Mark.DOUBT, "job dcgm: 1 of 2 up"),
        (Mark.FINE, "job node: 1 of 1 up"),
        (Mark.BROKEN, "job slurm: 0 of 1 up"),
    ]
    assert steps[0].advice == ("gpu2:9400: connection refused",)


def test_many_broken_targets_are_not_all_listed() -> None:
    (step,) = target_steps([target("dcgm", f"gpu{number}:9400", health="down") for number in range(100)])
    assert len(step.advice) == 6
    assert step.advice[-1] == "and 95 more"


def test_a_server_that_scrapes_nothing_is_told_what_to_scrape() -> None:
    (step,) = target_steps([])
    assert step.mark is Mark.BROKEN
    assert "scrape_configs" in step.advice[0]


def test_the_scrape_interval_is_what_gpumon_refreshes_at() -> None:
    step = interval_step([target("dcgm", "gpu1:9400")], Settings())
    assert step is not None
    assert "15s; gpumon refreshes at that pace" in step.text
    assert interval_step([target("dcgm", "gpu1:9400", scrape_interval="")], Settings()) is None


def test_a_missing_metric_comes_with_the_line_to_add() -> None:
    gaps = [step for step in exporter_steps(cluster(), None) if step.name == "gaps"]
    assert [step.advice for step in gaps] == [("DCGM_FI_PROF_SM_ACTIVE, gauge, SM activity.",)]
    assert "dcgm-exporter lacks DCGM_FI_PROF_SM_ACTIVE: SM activity" in gaps[0].text


def test_a_metric_that_is_exported_but_not_stored_points_at_relabelling() -> None:
    (gap,) = (step for step in exporter_steps(cluster(), frozenset({"DCGM_FI_PROF_SM_ACTIVE"})) if step.name == "gaps")
    assert "metric_relabel_configs" in gap.advice[0]


def test_an_exporter_that_is_not_there_is_missed() -> None:
    found = [step for step in exporter_steps(cluster(dialects=()), None) if step.mark is Mark.DOUBT]
    assert [step.text for step in found] == [
        "no GPU exporter was found",
        "no node_exporter was found",
        "no Slurm exporter was found",
    ]


def test_the_dialect_is_named_with_its_peculiarities() -> None:
    assert "gpus: dcgm-exporter (no PROF fields), 2 targets" in [step.text for step in exporter_steps(cluster(), None)]


def test_what_the_reading_complained_about_is_a_step() -> None:
    (step,) = problem_steps(cluster())
    assert (step.name, step.mark, step.advice) == ("gpus", Mark.DOUBT, ("Is dcgm-exporter running?",))


def test_the_label_that_names_the_nodes_is_told_for_each_job() -> None:
    steps = list(
        label_steps(
            [
                replace_label(target("a", "x:1"), "gpu1"),
                target("b", "x:2"),
                target("c", "x:3"),
                replace_label(target("c", "y:3"), "gpu2"),
            ]
        )
    )
    assert [step.mark for step in steps] == [Mark.FINE, Mark.NOTE, Mark.DOUBT]
    assert "relabel_configs" in steps[2].advice[0]


def replace_label(facts: TargetFacts, name: str) -> TargetFacts:
    return TargetFacts(labels={**facts.labels, "node": name}, health=facts.health)


def test_several_spellings_of_one_node_are_named() -> None:
    exporters = (
        Exporter("node", "node", "gpu1.lab.example:9100", True),
        Exporter("dcgm", "dcgm", "gpu1:9400", True),
    )
    steps = list(name_steps(replace(cluster(), nodes=(node("gpu1", exporters=exporters),))))
    assert "gpu1 is also gpu1.lab.example" in steps[0].text
    assert steps[0].mark is Mark.NOTE


def test_a_node_named_by_its_address_is_a_doubt() -> None:
    for name in ("10.0.0.7", "3f1c2a9be077"):
        steps = list(name_steps(replace(cluster(), nodes=(node(name),))))
        assert any(step.mark is Mark.DOUBT and name in step.text for step in steps)


def test_names_that_only_one_side_knows_are_set_side_by_side() -> None:
    nodes = (
        node("gpu1", exporters=(), slurm=NodeSlurm(state="idle")),
        node("dgx-1", slurm=None),
    )
    steps = list(name_steps(replace(cluster(), nodes=nodes)))
    assert steps[-1].mark is Mark.DOUBT
    assert "gpu1" in steps[-1].text
    assert "dgx-1" in steps[-1].text


@pytest.mark.parametrize(
    ("date", "received_at", "took", "ahead"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000.4, 0.1, 0.0),
        ("Tue, 14 Nov 2023 22:13:20 GMT", 1_700_000_000.0, 0.1, 0.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 1_700_000_000.0, 0.1, 60.0),
        ("Tue, 14 Nov 2023 22:12:19 GMT", 1_700_000_000.0, 0.0, -60.0),
        ("", 1_700_000_000.0, 0.0, None),
        ("yesterday", 1_700_000_000.0, 0.0, None),
    ],
)
def test_clocks_are_compared_as_far_as_a_date_can(
    date: str, received_at: float, took: float, ahead: float | None
) -> None:
    assert clock_difference(date, received_at, took) == (None if ahead is None else pytest.approx(ahead))


def test_steps_are_signed_and_their_advice_is_pointed_at() -> None:
    lines = list(step_lines([Step("auth", Mark.BROKEN, "no\x1b", ("Do.",))], Terminal()))
    assert lines == ["✗ auth  no\\e", "        → Do."]


def test_the_verdict_counts_what_is_wrong() -> None:
    steps = [Step("a", Mark.FINE, ""), Step("b", Mark.DOUBT, ""), Step("c", Mark.BROKEN, "")]
    assert verdict(steps) == "1 broken, 1 to look at."
    assert worst_code(steps) is ExitCode.FINDINGS
    assert verdict(steps[:1]) == "All is well."
    assert worst_code(steps[:1]) is ExitCode.OK

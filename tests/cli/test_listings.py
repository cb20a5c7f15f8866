"""`gpumon gpus | nodes | jobs | alerts`, from typed words to printed rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck
from hypothesis import given as given_texts
from hypothesis import settings as test_settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cli_handmade import NOW, HandmadeSource, cluster, gpu, job, node
from gpumon.errors import NoData, Refused
from gpumon.model import ClusterSnapshot, GpuCount, NodeSlurm, Problem, Reservation, Severity
from gpumon.source import Parts
from gpumon_cli.arguments import FILTERS, LISTINGS

Given = Callable[..., HandmadeSource]
Run = Callable[..., Any]
HOSTILE = '[red]\x1b[2J\n\r\t\u202egpj,"x"\' | {} \\' + "n" * 300


def first_words(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines()]


def test_gpus_are_one_line_each_under_their_titles(given: Given, run: Run) -> None:
    given()
    said = run("gpus")
    assert first_words(said.out) == ["NODE", "gpu1", "gpu1", "gpu10", "gpu10"]
    assert said.code == 0


def test_a_pipe_gets_no_escape_sequence(given: Given, run: Run) -> None:
    given()
    for command in ("gpus", "nodes", "jobs", "alerts", "status"):
        assert "\x1b" not in run(command).out


def test_only_what_is_needed_is_read(given: Given, run: Run) -> None:
    source = given()
    run("gpus")
    run("alerts")
    assert source.asked == [Parts.GPUS | Parts.JOBS | Parts.IDLE, Parts.ALERTS]
    assert source.is_closed


def test_remarks_go_to_standard_error_and_are_said_once(given: Given, run: Run) -> None:
    given()
    said = run("gpus")
    assert "gpu10:9400 is silent" not in said.out
    assert said.err.count("! gpu10:9400 is silent for 3m") == 1
    assert "Is dcgm-exporter running?" in said.err


def test_a_dash_is_explained(given: Given, run: Run) -> None:
    given()
    said = run("gpus", "--columns", "node,sm")
    assert "–" in said.out
    assert "– in SM: DCGM_FI_PROF_SM_ACTIVE is not exported by dcgm-exporter" in said.err


def test_a_dash_that_is_not_shown_needs_no_explanation(given: Given, run: Run) -> None:
    given()
    assert "SM_ACTIVE" not in run("gpus", "--columns", "node,gpu").err


def test_old_numbers_are_named_with_their_age(given: Given, run: Run) -> None:
    given()
    assert "old numbers, with their age: gpu10 (3m)" in run("gpus").err


def test_a_waiting_job_has_no_end_and_that_needs_no_explanation(given: Given, run: Run) -> None:
    given(cluster(problems=()))
    assert run("jobs").err == ""


def test_columns_are_chosen_in_their_order(given: Given, run: Run) -> None:
    given()
    assert run("gpus", "--columns", "gpu, NODE", "--limit", "1").out == "GPU  NODE\n0    gpu1\n"


def test_no_header_leaves_rows_only(given: Given, run: Run) -> None:
    given()
    assert run("gpus", "--columns", "node", "--no-header", "--limit", "1").out == "gpu1\n"


def test_rows_are_sorted_by_a_column_and_backwards(given: Given, run: Run) -> None:
    given()
    up = run("gpus", "--columns", "util", "--no-header", "--sort", "util").out.split()
    down = run("gpus", "--columns", "util", "--no-header", "--sort", "-util").out.split()
    assert up == ["0%", "30%", "50%", "90%"]
    assert down == up[::-1]
    assert run("gpus", "--columns", "util", "--no-header", "--sort", "util", "--reverse").out.split() == down


def test_rows_are_sorted_by_several_columns(given: Given, run: Run) -> None:
    given()
    said = run("gpus", "--columns", "node,util", "--no-header", "--sort", "node,-util")
    assert said.out.split() == ["gpu1", "90%", "gpu1", "0%", "gpu10", "50%", "gpu10", "30%"]


@pytest.mark.parametrize("name", ["gpu10", "gpu10.lab.example", "gpu10:9100"])
def test_a_node_can_be_named_in_any_spelling(name: str, given: Given, run: Run) -> None:
    given()
    assert set(run("gpus", name, "--columns", "node", "--no-header").out.split()) == {"gpu10"}


def test_an_unknown_node_is_answered_with_the_nearest(given: Given, run: Run) -> None:
    given()
    said = run("nodes", "gpu01")
    assert (said.code, said.out) == (2, "")
    assert "there is no node called 'gpu01'; did you mean gpu1?" in said.err


def test_jobs_can_be_limited_to_a_user(given: Given, run: Run) -> None:
    given()
    assert run("jobs", "bob", "--columns", "user", "--no-header").out == "bob\n"


def test_a_filter_leaves_what_matches(given: Given, run: Run) -> None:
    given()
    said = run("gpus", "--filter", "node=gpu10", "--columns", "node", "--no-header")
    assert set(said.out.split()) == {"gpu10"}


def test_a_filter_that_nothing_matches_is_an_answer(given: Given, run: Run) -> None:
    given()
    said = run("gpus", "--filter", "node=nowhere", "--no-header")
    assert (said.code, said.out) == (0, "")
    assert "No gpus match." in said.err


@pytest.mark.parametrize("command", LISTINGS)
def test_the_filter_that_the_help_shows_is_one(command: str, given: Given, run: Run) -> None:
    given()
    assert run(command, "--filter", FILTERS[command]).code in (0, 1)


def test_a_wrong_filter_is_pointed_at_before_anything_is_read(given: Given, run: Run) -> None:
    source = given()
    said = run("gpus", "--filter", "node=gpu1 utl<10")
    assert (said.code, said.out) == (2, "")
    lines = said.err.splitlines()
    assert lines[2].index("^") == lines[1].index("utl<10")
    assert not source.asked


@pytest.mark.parametrize("flag", ["--columns", "--sort"])
def test_a_wrong_column_is_answered_with_the_nearest(flag: str, given: Given, run: Run) -> None:
    source = given()
    said = run("gpus", flag, "utl")
    assert said.code == 2
    assert "there is no column 'utl'; did you mean util?" in said.err
    assert not source.asked


@pytest.mark.parametrize("text", ["", ",", "node,,gpu"])
def test_columns_must_be_named(text: str, given: Given, run: Run) -> None:
    given()
    assert run("gpus", f"--columns={text}").code == 2


def test_columns_and_json_exclude_each_other(given: Given, run: Run) -> None:
    given()
    said = run("gpus", "--json", "--columns", "node")
    assert said.code == 2
    assert "--json always holds every field" in said.err


def test_json_holds_the_rows_that_were_chosen(given: Given, run: Run) -> None:
    given()
    answer = json.loads(run("gpus", "gpu10", "--json", "--sort", "-util").out)
    assert [row["gpu"] for row in answer["gpus"]] == ["1", "0.7"]
    assert answer["schema"] == "gpumon.gpus/1"


def test_json_of_nodes_jobs_and_alerts(given: Given, run: Run) -> None:
    given()
    assert [row["node"] for row in json.loads(run("nodes", "--json").out)["nodes"]] == ["gpu1", "gpu10"]
    assert [row["id"] for row in json.loads(run("jobs", "--json").out)["jobs"]] == ["100", "101"]
    assert [row["name"] for row in json.loads(run("alerts", "--json").out)["alerts"]] == ["GpuHot", "NodeLoad"]


def test_csv_is_one_record_a_row(given: Given, run: Run) -> None:
    given()
    records = list(csv.DictReader(io.StringIO(run("gpus", "--csv").out)))
    assert [record["util"] for record in records] == ["0.9", "0", "0.3", "0.5"]
    assert records[0]["user"] == "ann"


def test_simulated_tables_begin_with_demo(given: Given, run: Run) -> None:
    given(cluster(is_simulated=True))
    for command in ("gpus", "nodes", "jobs", "alerts", "status"):
        assert run(command).out.startswith("DEMO")


def test_simulated_csv_stays_csv_and_says_demo_beside_it(given: Given, run: Run) -> None:
    given(cluster(is_simulated=True))
    said = run("gpus", "--csv")
    assert said.out.startswith("node,")
    assert said.err.startswith("DEMO")


def test_a_firing_alert_is_a_finding(given: Given, run: Run) -> None:
    given()
    assert run("alerts").code == 1
    assert run("alerts", "--json").code == 1
    assert run("alerts", "--filter", "state=pending").code == 0


def test_no_alert_is_an_answer(given: Given, run: Run) -> None:
    given(cluster(alerts=()))
    said = run("alerts")
    assert said.code == 0
    assert "No alerts at all." in said.err


def test_without_job_rows_the_queue_is_shown_in_numbers(given: Given, run: Run) -> None:
    given(cluster(jobs=None))
    said = run("jobs")
    assert said.code == 0
    assert "Jobs   1 pending, 1 running" in said.out
    assert "PARTITION" in said.out
    assert "ann" in said.out
    assert "gpumon-slurm-exporter" in said.err


def test_without_job_rows_json_says_null_and_keeps_the_queue(given: Given, run: Run) -> None:
    given(cluster(jobs=None))
    answer = json.loads(run("jobs", "--json").out)
    assert answer["jobs"] is None
    assert answer["queue"]["by_state"]["running"] == 1


@pytest.mark.parametrize("flags", [["--csv"], ["--filter", "user=ann"], ["ann"]])
def test_without_job_rows_nothing_can_be_chosen_among_them(flags: list[str], given: Given, run: Run) -> None:
    given(cluster(jobs=None))
    said = run("jobs", *flags)
    assert (said.code, said.out) == (3, "")
    assert "counts jobs but does not name them" in said.err


@pytest.mark.parametrize(
    ("command", "picture"),
    [
        ("gpus", ClusterSnapshot(source="http://head:9090")),
        ("nodes", ClusterSnapshot(source="http://head:9090")),
        ("jobs", ClusterSnapshot(source="http://head:9090")),
        ("alerts", ClusterSnapshot(source="http://head:9090")),
    ],
)
def test_a_source_that_knows_nothing_of_it_is_no_answer(
    command: str, picture: ClusterSnapshot, given: Given, run: Run
) -> None:
    given(picture)
    said = run(command)
    assert (said.code, said.out) == (3, "")
    assert f"http://head:9090 knows no {command}" in said.err
    assert "gpumon doctor" in said.err


def test_a_failed_part_gives_its_own_reason(given: Given, run: Run) -> None:
    problem = Problem("gpus", "the query timed out", "", Severity.ERROR)
    given(ClusterSnapshot(source="http://head:9090", problems=(problem,)))
    assert "knows no gpus: the query timed out" in run("gpus").err


def test_when_slurm_is_down_its_silence_is_the_reason_and_nothing_of_it_is_shown(given: Given, run: Run) -> None:
    silence = Problem("slurm", "Slurm itself does not answer its exporter.", "Run scontrol ping.", Severity.ERROR)
    gpus = tuple(msgspec.structs.replace(each, jobs=None) for each in cluster().gpus)
    nodes = tuple(msgspec.structs.replace(each, slurm=None) for each in cluster().nodes)
    bare = cluster(gpus=gpus, nodes=nodes, problems=(silence,), jobs=None, queue=None, partitions=(), users=())
    given(replace(bare, accounts=()))
    for typed in (["jobs"], ["job", "100"], ["idle"], ["free"]):
        said = run(*typed)
        assert (said.code, said.out) == (3, "")
        assert "Slurm itself does not answer its exporter. `gpumon doctor`" in said.err
    said = run("gpus", "--columns", "node,user")
    assert set(said.out.split()) == {"NODE", "USER", "gpu1", "gpu10", "–"}
    assert "✗ Slurm itself does not answer its exporter. Run scontrol ping." in said.err


@pytest.mark.parametrize("flags", [[], ["--json"], ["--csv"]])
def test_a_source_out_of_reach_is_one_sentence(flags: list[str], given: Given, run: Run) -> None:
    given(Refused("Prometheus at http://head:9090 refused the connection.", advice="Is it running?"))
    said = run("gpus", *flags)
    assert (said.code, said.out) == (3, "")
    assert said.err == "gpumon: Prometheus at http://head:9090 refused the connection. Is it running?\n"


def test_no_data_is_code_three(given: Given, run: Run) -> None:
    given(NoData("Prometheus answers but holds no samples at all."))
    assert run("nodes").code == 3


def hostile(name: str) -> ClusterSnapshot:
    """A cluster in which every name that a stranger can choose is `name`."""
    return replace(
        cluster(),
        gpus=(gpu(name, 0, jobs=("1",), utilization=0.0, idle_since=NOW - 7200),),
        nodes=(node(name, slurm=NodeSlurm(state=name, reason=name, gpus_by_type=(GpuCount(name, 8, 1),))),),
        jobs=(job(1, name=name, user=name, account=name, reason=name, nodes=name, partition=name),),
        reservations=(Reservation(name, name, name, name, name),),
        problems=(Problem("gpus", name, name),),
        source=name,
        cluster=name,
        is_simulated=True,
    )


@test_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given_texts(name=st.one_of(st.text(), st.just(HOSTILE)))
def test_no_name_breaks_any_form_of_output(name: str, request: pytest.FixtureRequest) -> None:
    give: Given = request.getfixturevalue("given")
    run: Run = request.getfixturevalue("run")
    give(hostile(name))
    for command, rows in (("gpus", 1), ("nodes", 1), ("jobs", 1)):
        said = run(command)
        assert said.out.count("\n") == rows + 2
        assert not [letter for letter in said.out + said.err if letter != "\n" and ord(letter) < 32]
        assert json.loads(run(command, "--json").out)["source"] == name
    for typed in (["job", "1"], ["idle"], ["free"], ["status"]):
        said = run(*typed)
        assert not [letter for letter in said.out + said.err if letter != "\n" and ord(letter) < 32]
        assert all(len(line.splitlines()) <= 1 for line in said.out.split("\n"))
        assert json.loads(run(*typed, "--json").out)["source"] == name
    records = list(csv.reader(io.StringIO(run("jobs", "--csv", "--no-header").out, newline="")))
    assert len(records) == 1
    assert records[0][-1] == name

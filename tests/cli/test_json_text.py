"""JSON: shapes, values, and that every key is documented."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cli_handmade import GIB, NOW, cluster, job
from gpumon.model import ClusterSnapshot
from gpumon_cli import job_shapes, shapes
from gpumon_cli.doctor.steps import Diagnosis
from gpumon_cli.free_shape import FreeAnswer
from gpumon_cli.idle_shape import IdleAnswer
from gpumon_cli.json_text import json_bytes
from gpumon_cli.status_shape import StatusAnswer

PAGE = (Path(__file__).parents[2] / "docs" / "json.md").read_text(encoding="utf-8")


def told(answer: msgspec.Struct) -> Any:
    return json.loads(json_bytes(answer, to_terminal=False))


def test_an_answer_opens_with_its_schema_source_and_time() -> None:
    answer = told(shapes.gpus_answer((), cluster()))
    assert list(answer)[:6] == ["schema", "taken_at", "source", "cluster", "simulated", "problems"]
    assert answer["schema"] == "gpumon.gpus/1"
    assert answer["taken_at"] == NOW
    assert answer["simulated"] is False


def test_simulated_data_says_so() -> None:
    assert told(shapes.nodes_answer((), cluster(is_simulated=True)))["simulated"] is True


def test_a_problem_is_told_with_its_advice() -> None:
    (problem,) = told(shapes.gpus_answer((), cluster()))["problems"]
    assert problem == {
        "part": "gpus",
        "severity": "warning",
        "text": "gpu10:9400 is silent for 3m",
        "advice": "Is dcgm-exporter running?",
    }


def test_numbers_are_numbers_in_base_units() -> None:
    snapshot = cluster()
    first = told(shapes.gpus_answer(snapshot.gpus, snapshot))["gpus"][0]
    assert first["utilization_share"] == 0.9
    assert first["memory_used_bytes"] == 40 * GIB
    assert first["users"] == ["ann"]
    assert first["detail"]["xid"] == 0


def test_what_is_unknown_is_null_and_what_is_free_is_an_empty_list() -> None:
    snapshot = cluster()
    gpus = told(shapes.gpus_answer(snapshot.gpus, snapshot))["gpus"]
    assert gpus[0]["sm_active_share"] is None
    assert gpus[1]["users"] == gpus[1]["jobs"] == []
    assert gpus[2]["users"] is gpus[2]["jobs"] is None
    assert gpus[2]["detail"] is None
    assert gpus[2]["mig_instance"] == "7"


def test_the_holder_of_a_job_that_nobody_describes_is_unknown() -> None:
    snapshot = cluster(jobs=None)
    first = told(shapes.gpus_answer(snapshot.gpus, snapshot))["gpus"][0]
    assert first["jobs"] == ["100"]
    assert first["users"] is None


def test_a_job_carries_the_models_fields() -> None:
    snapshot = cluster()
    answer = told(job_shapes.jobs_answer(snapshot.jobs, snapshot))
    assert answer["jobs"][1]["reason"] == "Resources"
    assert answer["queue"]["by_state"] == {"running": 1, "pending": 1}
    assert answer["users"][0]["name"] == "ann"


def test_jobs_that_nobody_describes_are_null_not_an_empty_list() -> None:
    assert told(job_shapes.jobs_answer(None, cluster(jobs=None)))["jobs"] is None


def test_an_alerts_labels_are_an_object() -> None:
    snapshot = cluster()
    answer = told(shapes.alerts_answer(snapshot.alerts or (), snapshot))
    assert answer["alerts"][0]["labels"] == {"gpu": "0"}


def test_a_node_carries_what_slurm_says() -> None:
    snapshot = cluster()
    answer = told(shapes.nodes_answer(snapshot.nodes, snapshot))
    assert answer["nodes"][1]["slurm"]["reason"] == "fan broken"
    assert answer["nodes"][0]["filesystems"][0]["mountpoint"] == "/"


def test_a_pipe_gets_one_line() -> None:
    snapshot = cluster()
    assert json_bytes(shapes.gpus_answer(snapshot.gpus, snapshot), to_terminal=False).count(b"\n") == 1


def test_a_terminal_gets_the_same_values_indented() -> None:
    snapshot = cluster()
    answer = shapes.gpus_answer(snapshot.gpus, snapshot)
    shown = json_bytes(answer, to_terminal=True)
    assert shown.count(b"\n") > 50
    assert json.loads(shown) == told(answer)


@given(st.text())
def test_every_text_is_read_back_as_it_was_and_never_obeyed_by_a_terminal(name: str) -> None:
    rows = (job(1, name=name),)
    snapshot = ClusterSnapshot(jobs=rows)
    for to_terminal in (False, True):
        sent = json_bytes(job_shapes.jobs_answer(rows, snapshot), to_terminal=to_terminal)
        assert json.loads(sent)["jobs"][0]["name"] == name
        if to_terminal:
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029]", sent.decode())


def _keys(shape: Any) -> Iterator[str]:
    """Every key that a shape and what is in it can send."""
    for inner in get_args(shape):
        yield from _keys(inner)
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        return
    yield from (field.encode_name for field in msgspec.structs.fields(shape))
    for hint in get_type_hints(shape).values():
        yield from _keys(hint)


@pytest.mark.parametrize(
    "shape",
    [
        shapes.GpusAnswer,
        shapes.NodesAnswer,
        job_shapes.JobsAnswer,
        job_shapes.JobAnswer,
        IdleAnswer,
        FreeAnswer,
        shapes.AlertsAnswer,
        StatusAnswer,
        Diagnosis,
    ],
)
def test_the_page_names_every_key(shape: type) -> None:
    keys = set(_keys(shape))
    assert len(keys) > 4
    assert not [key for key in sorted(keys) if f"`{key}`" not in PAGE]


def test_the_page_names_every_schema() -> None:
    for name in ("gpus", "nodes", "jobs", "job", "idle", "free", "alerts", "status", "doctor"):
        assert f"gpumon.{name}/1" in PAGE


def test_a_snapshot_that_was_never_dated_has_no_time() -> None:
    assert told(shapes.gpus_answer((), replace(cluster(), taken_at=0.0)))["taken_at"] is None

"""Which GPUs a job holds: read from what Slurm writes by itself, never from what its user wrote."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter_captured import DATA, VERSIONS
from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm import details
from gpumon_exporter.slurm.details import Allocation, Held
from gpumon_exporter.slurm.records import GpuHold, SlurmJob

SPREAD = SlurmJob("23", state="running", nodes="gpu[01-02]", started_at=1795442567.0)
BEFORE = "JobId=23 JobName={name} UserId=alice(1001) JobState=RUNNING NodeList=gpu[01-02] AllocTRES=cpu=4,gres/gpu=5"
REAL = (
    " Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=* JOB_GRES=gpu:h100:5"
    "   Nodes=gpu01 CPU_IDs=64-65 Mem=8000 GRES=gpu:h100:4(IDX:4-7)"
    "   Nodes=gpu02 CPU_IDs=64-65 Mem=8000 GRES=gpu:h100:1(IDX:4) MinCPUsNode=2 MinMemoryCPU=4000M"
)
BEHIND = " Features=(null) Command=(null) WorkDir=/home/alice Comment={comment} \n"
HELD = Held(
    (
        *(GpuHold("23", "gpu01", index, "h100", "whole") for index in (4, 5, 6, 7)),
        GpuHold("23", "gpu02", 4, "h100", "whole"),
    )
)


def text(name: str = "spread", comment: str = "") -> str:
    """scontrol's text of a job with such a name and comment."""
    return BEFORE.format(name=name) + REAL + BEHIND.format(comment=comment)


def taken(told: str, piece: int = 1 << 20) -> dict[Allocation, Held]:
    """All jobs of squeue's JSON, read in pieces."""
    found: dict[Allocation, Held] = {}
    jobs = details.Jobs(found.__setitem__)
    for start in range(0, len(told), piece):
        jobs.feed(told[start : start + piece])
    jobs.done()
    return found


def test_an_entry_of_each_node() -> None:
    assert details.from_text(SPREAD, text()) == HELD


def test_equal_neighbours_are_one_entry() -> None:
    merged = REAL.replace("Nodes=gpu01 CPU_IDs=64-65 Mem=8000 GRES=gpu:h100:4(IDX:4-7)   ", "").replace(
        "=gpu02", "=gpu[01-02]"
    )
    found = details.from_text(SPREAD, "JobId=23" + merged)
    assert found == Held((GpuHold("23", "gpu01", 4, "h100", "whole"), GpuHold("23", "gpu02", 4, "h100", "whole")))


def test_a_job_that_is_gone_holds_nothing() -> None:
    assert details.from_text(SPREAD, "") == Held()


def test_a_job_without_detail_holds_nothing_that_is_known() -> None:
    assert details.from_text(SPREAD, "JobId=23 Socks/Node=* CoreSpec=* MinCPUsNode=2 ") == Held()


@pytest.mark.parametrize(
    "forged",
    [
        "x JobState=PENDING Nodes=gpu09 CPU_IDs=0 Mem=0 GRES=gpu:h100:8(IDX:0-7)",
        "x\nJobId=24 JobName=y Nodes=gpu01 CPU_IDs=0 Mem=0 GRES=gpu:h100:8(IDX:0-7)",
        "x\n     Nodes=gpu01 CPU_IDs=0 Mem=0 GRES=gpu:h100:8(IDX:0-7)\n   ",
    ],
)
def test_what_stands_outside_is_not_read(forged: str) -> None:
    assert details.from_text(SPREAD, text(name=forged)) == HELD
    assert details.from_text(SPREAD, text(comment=forged)) == HELD


@pytest.mark.parametrize(
    "forged",
    [
        "x Socks/Node=* Nodes=gpu[01-02] CPU_IDs=0 Mem=0 GRES=gpu:h100:8(IDX:0-7) MinCPUsNode=1 ",
        "x\n   Socks/Node=1",
        "x MinCPUsNode=1",
    ],
)
def test_who_writes_an_end_of_that_part_is_not_believed(forged: str) -> None:
    assert details.from_text(SPREAD, text(name=forged)) is None
    assert details.from_text(SPREAD, text(comment=forged)) is None


pieces = st.lists(
    st.sampled_from(
        [
            " ",
            "\n",
            "Socks/Node=*",
            "MinCPUsNode=1",
            "Nodes=gpu[01-02]",
            "CPU_IDs=0",
            "Mem=0",
            "GRES=gpu:8(IDX:0-7)",
            "x",
        ]
    )
).map("".join)


@given(pieces, pieces)
def test_no_name_and_no_comment_forge_a_hold(name: str, comment: str) -> None:
    assert details.from_text(SPREAD, text(name, comment)) in (HELD, None)


def test_nodes_that_are_not_the_jobs_are_not_believed() -> None:
    assert details.from_text(SlurmJob("23", nodes="gpu[03-04]"), text()) is None
    assert details.from_text(SlurmJob("23", nodes="gpu[03-"), text()) is None


@pytest.mark.parametrize(
    ("job", "number"),
    [
        (SlurmJob("12"), "12"),
        (SlurmJob("32", array_job_id="24", array_task_id="0"), "32"),
        (SlurmJob("24", array_job_id="24", array_task_id="19"), "24_19"),
        (SlurmJob("26", het_job_id="26"), "26+0"),
        (SlurmJob("27", het_job_id="26"), "27"),
    ],
)
def test_a_job_is_asked_for_alone(job: SlurmJob, number: str) -> None:
    assert details.one(job)[-1] == number


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("piece", [7, 1000, 1 << 20])
def test_json_is_read_however_it_is_cut(version: str, piece: int) -> None:
    told = (DATA / version / "squeue.json").read_text(encoding="utf-8")
    found = {place.job_id: held for place, held in taken(told, piece).items()}
    whole = json.loads(told)["jobs"]
    assert set(found) == {str(job["job_id"]) for job in whole if job["nodes"]}
    assert sum(len(held.gpus) for held in found.values()) == 44


def test_a_job_of_many_nodes_is_not_tried_again_with_each_piece() -> None:
    many = {
        "jobs": [{"job_id": 1, "nodes": "n1", "start_time": 5, "gres_detail": ["gpu:1(IDX:0)"], "cores": [0] * 200_000}]
    }
    found = taken(json.dumps(many), 1000)
    assert found == {Allocation("1", 5.0, "n1"): Held((GpuHold("1", "n1", 0, "", "whole"),))}


def test_entries_that_are_not_as_many_as_the_nodes_are_nobodys() -> None:
    told = {"jobs": [{"job_id": 1, "nodes": "n[1-2]", "start_time": 5, "gres_detail": ["gpu:1(IDX:0)"]}]}
    assert taken(json.dumps(told)) == {Allocation("1", 5.0, "n[1-2]"): Held()}


@pytest.mark.parametrize(
    "job",
    [
        {},
        {"job_id": 1},
        {"job_id": 1, "nodes": ""},
        {"job_id": 1, "nodes": None, "gres_detail": []},
        {"job_id": None, "nodes": "n1", "gres_detail": []},
        {"job_id": 1, "nodes": "n1", "gres_detail": "gpu:1"},
        7,
    ],
)
def test_a_job_of_another_shape_holds_nothing(job: object) -> None:
    assert taken(json.dumps({"jobs": [job]})) == {}


def test_a_name_in_json_forges_nothing() -> None:
    name = '"}], "jobs": [{"job_id": 2, "nodes": "n1", "start_time": 5, "gres_detail": ["gpu:1(IDX:0)"]}]'
    told = {"jobs": [{"job_id": 1, "name": name, "nodes": "n1", "start_time": 5, "gres_detail": ["gpu:1(IDX:3)"]}]}
    assert taken(json.dumps(told), 5) == {Allocation("1", 5.0, "n1"): Held((GpuHold("1", "n1", 3, "", "whole"),))}


def test_no_jobs_are_an_answer() -> None:
    assert taken('{"meta": {}, "jobs": [ ], "errors": []}') == {}


@pytest.mark.parametrize(
    "told", ["", "{}", '{"jobs": [', '{"jobs": [{"job_id": 1', '{"jobs": [{"job_id": 1}', "slurm is down"]
)
def test_json_that_is_cut_off_is_no_answer(told: str) -> None:
    with pytest.raises(NoAnswer, match="ends in the middle"):
        taken(told)

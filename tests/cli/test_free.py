"""`gpumon free`: what is free, where a job fits now, when room is made; and nothing called free that cannot be had."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cli_handmade import GIB, NOW, HandmadeSource, cluster, gpu, job, node
from gpumon.model import ClusterSnapshot, Gpu, GpuCount, GpuDevice, Job, MigInstance, Node, NodeSlurm, Reservation
from gpumon.source import Parts
from gpumon_cli.room import kind_of, rooms_of, types_of

Given = Callable[..., HandmadeSource]
Run = Callable[..., Any]


def slurm(*counts: GpuCount, state: str = "mixed", **known: object) -> NodeSlurm:
    """What Slurm says of a node with these GPUs and room for more."""
    fields: dict[str, object] = {"cpus_total": 64.0, "cpus_allocated": 16.0, "partitions": ("gpu",)}
    return NodeSlurm(state=state, gpus_by_type=counts, **{**fields, **known})  # type: ignore[arg-type]  # any field


def h100(allocated: float, shared: float = 0.0, total: float = 4.0) -> GpuCount:
    return GpuCount("h100", total, allocated, shared)


def machine(name: str, told: NodeSlurm | None, *gpus: Gpu) -> Node:
    return node(name, slurm=told, gpus=tuple(each.key for each in gpus))


def lab(*nodes: tuple[str, NodeSlurm | None], **known: object) -> ClusterSnapshot:
    """Nodes as Slurm sees them, without a GPU exporter."""
    fields: dict[str, object] = {"gpus": (), "jobs": (), "problems": (), "reservations": None}
    return cluster(**{"nodes": tuple(machine(name, told) for name, told in nodes), **fields, **known})


TWO = lab(("a1", slurm(h100(1))), ("a2", slurm(h100(2))), ("a10", slurm(h100(4), state="allocated")))


def test_what_is_free_is_told_by_type_with_the_largest_block(given: Given, run: Run) -> None:
    source = given(TWO)
    said = run("free")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[1].split() == ["h100", "12", "5", "3", "a1"]
    assert source.asked == [Parts.GPUS | Parts.NODES | Parts.SLURM | Parts.JOBS]


@pytest.mark.parametrize(("wanted", "code", "nodes"), [("1", 0, ["a2", "a1"]), ("3", 0, ["a1"]), ("4", 1, [])])
def test_a_job_fits_where_one_node_has_all_that_it_wants(
    wanted: str, code: int, nodes: list[str], given: Given, run: Run
) -> None:
    given(TWO)
    said = run("free", "--gpus", wanted, "--json")
    assert said.code == code
    answer = json.loads(said.out)
    assert (answer["fits_now"], answer["fits_on"]) == (bool(nodes), nodes)
    assert (answer["schema"], answer["gpus_wanted"], answer["type_wanted"]) == ("gpumon.free/1", int(wanted), None)


def test_the_node_on_which_least_is_left_over_is_named_first(given: Given, run: Run) -> None:
    given(TWO)
    lines = run("free").out.splitlines()
    assert lines[3] == "A job of 1 GPU on one node finds room now on 2 nodes:"
    assert [line.split()[:4] for line in lines[5:7]] == [["a2", "h100", "2", "4"], ["a1", "h100", "3", "4"]]


def test_more_than_any_node_has_is_called_impossible(given: Given, run: Run) -> None:
    given(TWO)
    said = run("free", "--gpus", "8")
    assert said.code == 1
    assert "No node has 8 GPUs free for a job now." in said.out
    assert "None ever will: the largest node has 4 GPUs." in said.out


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (slurm(h100(1), state="mixed", flags=("drain",), reason="fan broken"), "mixed+drain: fan broken"),
        (slurm(h100(0), state="down"), "down"),
        (slurm(h100(0), state="idle", flags=("not_responding",)), "idle+not_responding"),
        (slurm(h100(0), state="idle", flags=("maint",)), "a reservation for maintenance keeps it"),
        (slurm(h100(0), state="mixed", flags=("reserved",)), "a reservation keeps it"),
        (slurm(h100(0), state="reserved"), "a reservation keeps it"),
        (slurm(h100(0), state="future"), "it is not there yet"),
        (slurm(h100(1), cpus_allocated=64.0), "none of its CPUs is free"),
        (slurm(h100(1), memory_total_bytes=GIB, memory_allocated_bytes=GIB), "none of its memory is free"),
    ],
)
def test_gpus_that_no_job_can_get_are_not_free(told: NodeSlurm, reason: str, given: Given, run: Run) -> None:
    given(lab(("a1", told)))
    said = run("free")
    assert said.code == 1
    assert said.out.splitlines()[1].split()[:4] == ["h100", "4", "0", "0"]
    assert f"but no job starts there: {reason}" in said.err


def test_gpus_of_which_parts_are_held_are_not_free(given: Given, run: Run) -> None:
    given(lab(("a1", slurm(h100(1, shared=3)))))
    assert run("free").code == 1


def test_a_node_that_waits_for_a_job_is_marked(given: Given, run: Run) -> None:
    given(lab(("a1", slurm(h100(1), flags=("planned",)))))
    assert "kept for a waiting job" in run("free").out


MIXED = lab(
    ("a1", slurm(h100(0))),
    ("m1", slurm(GpuCount("a100", 2, 1), GpuCount("a100_1g.10gb", 7, 3))),
)


@pytest.mark.parametrize(
    ("typed", "fits"),
    [("h100", True), ("H100", True), ("a100", False), ("a100_1g.10gb", True), ("1g.10gb", True), ("a10", True)],
)
def test_a_type_is_meant_wholly_or_by_a_part_of_its_name(typed: str, fits: bool, given: Given, run: Run) -> None:
    given(MIXED)
    assert run("free", "--type", typed, "--gpus", "4").code == (0 if fits else 1)


def test_an_unknown_type_is_answered_with_those_there_are(given: Given, run: Run) -> None:
    given(MIXED)
    said = run("free", "--type", "v100")
    assert (said.code, said.out) == (2, "")
    assert "there is no GPU of type 'v100'; did you mean h100?" in said.err
    assert "there are a100, a100_1g.10gb, h100." in run("free", "--type", "l40s").err


def test_a_job_of_any_type_may_take_several_types_of_one_node(given: Given, run: Run) -> None:
    given(lab(("m1", slurm(GpuCount("a100", 2, 1), GpuCount("l40s", 2, 0)))))
    assert run("free", "--gpus", "3").code == 0
    assert run("free", "--gpus", "3", "--type", "l40s").code == 1


def test_a_slice_and_a_whole_gpu_are_not_added_up(given: Given, run: Run) -> None:
    given(lab(("m1", slurm(GpuCount("a100", 2, 1), GpuCount("a100_1g.10gb", 7, 6), GpuCount("a100_2g.20gb", 3, 1)))))
    said = run("free", "--gpus", "2", "--json")
    assert (said.code, json.loads(said.out)["fits_on"]) == (0, ["m1"])
    assert [line.split()[1] for line in run("free", "--gpus", "2").out.splitlines() if line.startswith("m1")] == [
        "a100_2g.20gb"
    ]
    assert run("free", "--gpus", "3").code == 1


def held(name: str, index: int, *ids: str) -> Gpu:
    return gpu(name, index, jobs=ids)


def busy(*jobs: Job, **known: object) -> ClusterSnapshot:
    """a1 has one free GPU of four, a2 none of two."""
    gpus = (
        held("a1", 0, "1"),
        held("a1", 1, "1"),
        held("a1", 2, "2"),
        held("a1", 3),
        held("a2", 0, "3"),
        held("a2", 1, "3"),
    )
    nodes = (
        machine("a1", slurm(h100(3)), *gpus[:4]),
        machine("a2", slurm(h100(2, total=2.0), state="allocated", cpus_allocated=64.0), *gpus[4:]),
    )
    fields: dict[str, object] = {"gpus": gpus, "nodes": nodes, "jobs": jobs, "problems": (), "reservations": None}
    return cluster(**{**fields, **known})


def on(snapshot: ClusterSnapshot, *jobs: Job) -> ClusterSnapshot:
    """The same with the keys of what each job holds."""
    by_job = [
        msgspec.structs.replace(one, held=tuple(each.key for each in snapshot.gpus if each.jobs == (one.id,)))
        for one in jobs
    ]
    return cluster(
        **{name: getattr(snapshot, name) for name in ("gpus", "nodes", "problems", "reservations")}, jobs=tuple(by_job)
    )


ENDING = on(
    busy(),
    job(1, ends_at=NOW + 3600),
    job(2, user="bob", ends_at=NOW + 600),
    job(3, user="eve", ends_at=NOW + 7200),
)


def test_the_soonest_room_is_where_jobs_reach_their_limits_first(given: Given, run: Run) -> None:
    given(ENDING)
    said = run("free", "--gpus", "2")
    assert said.code == 1
    assert "Room for 2 GPUs will be made on:" in said.out
    lines = [line for line in said.out.splitlines() if line.endswith(")")]
    assert [line.split()[0] for line in lines] == ["10m", "2h"]
    assert lines[0].split()[-7:] == ["a1", "h100", "2", "2", "of", "bob", "(1)"]
    assert lines[1].split()[-7:] == ["a2", "h100", "2", "3", "of", "eve", "(2)"]
    assert "At the latest: jobs may end before their limit." in said.out


def test_several_jobs_may_have_to_end_before_there_is_room(given: Given, run: Run) -> None:
    given(ENDING)
    (room,) = json.loads(run("free", "--gpus", "4", "--json").out)["soonest"]
    assert (room["node"], room["at"], room["gpus"]) == ("a1", NOW + 3600, 4)
    assert [(each["id"], each["gpus"], each["ends_at"]) for each in room["jobs"]] == [
        ("2", 1, NOW + 600),
        ("1", 2, NOW + 3600),
    ]


def test_a_job_without_a_limit_makes_no_room(given: Given, run: Run) -> None:
    given(on(busy(), job(1, ends_at=None), job(2, ends_at=None), job(3, ends_at=None)))
    said = run("free", "--gpus", "2")
    assert json.loads(run("free", "--gpus", "2", "--json").out)["soonest"] == []
    assert "Nothing tells when room is made" in said.out


def test_a_job_over_its_limit_may_end_at_any_moment(given: Given, run: Run) -> None:
    given(on(busy(), job(2, ends_at=NOW - 5)))
    assert "any moment" in run("free", "--gpus", "2").out


def test_a_node_out_of_use_makes_no_room() -> None:
    from gpumon_cli.openings import openings

    nodes = (machine("a1", slurm(h100(3), flags=("drain",)), *busy().gpus[:4]),)
    snapshot = cluster(gpus=ENDING.gpus, nodes=nodes, jobs=ENDING.jobs)
    assert openings(rooms_of(snapshot), 2, snapshot) == ()


def test_a_gpu_that_others_share_is_not_free_when_one_of_them_ends() -> None:
    from gpumon_cli.openings import openings

    gpus = (held("a1", 0, "1", "2"),)
    nodes = (machine("a1", slurm(h100(1, total=1.0)), *gpus),)
    jobs = (job(1, held=(gpus[0].key,)), job(2, held=(gpus[0].key,)))
    snapshot = cluster(gpus=gpus, nodes=nodes, jobs=jobs)
    assert openings(rooms_of(snapshot), 1, snapshot) == ()


def test_without_slurms_counts_the_gpus_tell(given: Given, run: Run) -> None:
    gpus = (held("a1", 0, "1"), held("a1", 1), gpu("a1", 2, is_stale=True, jobs=()))
    given(cluster(gpus=gpus, nodes=(machine("a1", None, *gpus),), problems=(), reservations=None))
    said = run("free")
    assert said.out.splitlines()[1].split() == ["A100-SXM4-80GB", "3", "1", "1", "a1"]
    assert run("free", "--type", "a100").code == 0


def test_totals_without_types_are_named_by_the_driver(given: Given, run: Run) -> None:
    gpus = (gpu("a1", 0, jobs=None), gpu("a1", 1, jobs=None))
    told = NodeSlurm(state="mixed", gpus_total=2.0, gpus_allocated=1.0)
    given(cluster(gpus=gpus, nodes=(machine("a1", told, *gpus),), problems=(), reservations=None))
    assert run("free").out.splitlines()[1].split() == ["A100-SXM4-80GB", "2", "1", "1", "a1"]


def test_gpus_of_which_nothing_tells_are_neither_free_nor_taken(given: Given, run: Run) -> None:
    gpus = (gpu("a1", 0, jobs=None), gpu("a2", 0))
    nodes = (machine("a1", None, gpus[0]), machine("a2", None, gpus[1]))
    given(cluster(gpus=gpus, nodes=nodes, problems=(), reservations=None))
    said = run("free")
    assert said.code == 0
    assert said.out.splitlines()[1].split() == ["A100-SXM4-80GB", "2", "1", "1", "a2"]
    assert "! Nothing tells whether 1 GPUs are free: a1" in said.err


@pytest.mark.parametrize(
    "snapshot",
    [
        cluster(gpus=(gpu("a1", 0, jobs=None),), nodes=(machine("a1", None, gpu("a1", 0)),), jobs=None, problems=()),
        ClusterSnapshot(source="http://head:9090"),
    ],
)
def test_when_nothing_tells_at_all_there_is_no_answer(snapshot: ClusterSnapshot, given: Given, run: Run) -> None:
    given(snapshot)
    for flags in ([], ["--json"], ["--type", "h100"]):
        said = run("free", *flags)
        assert (said.code, said.out) == (3, "")
        assert "does not tell which GPUs are free" in said.err


def test_reservations_that_hold_or_will_are_told(given: Given, run: Run) -> None:
    kept = (
        Reservation("over", "inactive", "a9", "root", "", NOW - 900, NOW - 800),
        Reservation("course", "active", "a2", "ann,bob", "", NOW - 100, NOW + 3600),
        Reservation("maint", "inactive", "a[1-2]", "root", "MAINT", NOW + 7200, NOW + 9000),
    )
    given(lab(("a1", slurm(h100(1))), reservations=kept))
    said = run("free").out
    assert "over" not in said
    assert "Reservation course keeps a2 for ann,bob until" in said
    assert "Reservation maint will keep a[1-2] for root from" in said
    assert "(in 2h); no job may run into it." in said


def sliced(profile: str, index: int = 0) -> Gpu:
    device = GpuDevice("GPU-m-0", "m1", index, MigInstance(str(index), profile), "NVIDIA A100-SXM4-80GB")
    return Gpu(device=device)


def test_slurms_type_of_a_gpu_is_found_by_profile_or_model() -> None:
    counts = (GpuCount("a100", 2, 0), GpuCount("a100_1g.10gb", 7, 0), GpuCount("a100_2g.20gb", 2, 0))
    assert kind_of(sliced("1g.10gb"), counts) == "a100_1g.10gb"
    assert kind_of(gpu("m1", 0), counts) == "a100"
    assert kind_of(sliced("3g.40gb"), counts) is None
    assert kind_of(gpu("m1", 0), (GpuCount("l40s", 2, 0), GpuCount("h100", 2, 0))) is None
    assert kind_of(gpu("m1", 0), (GpuCount("", 2, 0),)) == ""


def test_types_are_ordered_by_what_is_free_of_them() -> None:
    assert [each.type for each in types_of(rooms_of(MIXED))] == ["a100_1g.10gb", "h100", "a100"]

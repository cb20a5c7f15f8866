"""Who holds which GPU, from the surest source there is; what nothing tells stays unknown, contradictions are said."""

from __future__ import annotations

import httpx
import pytest

from gpumon.live import gpus as tiers
from gpumon.model import Attribution, ClusterSnapshot, Severity, Tier
from gpumon.source import Parts
from holding import (
    SLURM,
    UP,
    card,
    holds,
    job,
    jobs_by_gpu,
    line,
    mapped,
    mig,
    owners,
    site,
    slurm_node,
    source,
)

FOUR = "".join(card("a", index) for index in range(4))
ONE_JOB = "slurm_queue_running 1\n" + slurm_node("a", 4, 1) + job(7, "a", gpus=1) + holds(7, "a", (0,))
LABEL, UUID, INDEX, NODE = Attribution.LABEL, Attribution.UUID, Attribution.INDEX, Attribution.NODE
JOB_EXPORTER = Attribution.JOB_EXPORTER


def read(dcgm: str, slurm: str = "", maps: str = "") -> ClusterSnapshot:
    return source(site(dcgm, slurm, maps)).snapshot()


def doubts(snapshot: ClusterSnapshot) -> list[str]:
    return [problem.text for problem in snapshot.problems if problem.part == "jobs"]


def test_slurms_numbers_are_the_drivers_where_nothing_says_otherwise() -> None:
    snapshot = read(FOUR, slurm_node("a", 4, 3) + job(7, "a", gpus=2) + job(8, "a", gpus=1)
                    + holds(7, "a", (0, 2)) + holds(8, "a", (3,)))  # fmt: skip
    assert owners(snapshot) == {
        "GPU-a-0": (("7",), INDEX),
        "GPU-a-1": ((), INDEX),
        "GPU-a-2": (("7",), INDEX),
        "GPU-a-3": (("8",), INDEX),
    }
    assert snapshot.job_by_id["7"].held == ("GPU-a-0", "GPU-a-2")
    assert doubts(snapshot) == []


def test_a_nodes_own_map_says_which_card_a_number_means() -> None:
    maps = mapped("a", {0: "GPU-a-3", 1: "GPU-a-2", 2: "GPU-a-1", 3: "GPU-a-0"})
    snapshot = read(FOUR, slurm_node("a", 4, 2) + job(7, "a", gpus=2) + holds(7, "a", (0, 1)), maps)
    assert owners(snapshot) == {
        "GPU-a-0": ((), UUID),
        "GPU-a-1": ((), UUID),
        "GPU-a-2": (("7",), UUID),
        "GPU-a-3": (("7",), UUID),
    }


def test_a_map_counts_for_its_node_alone_and_under_any_spelling_of_the_name() -> None:
    dcgm = FOUR + card("b.lab.example", 0) + card("b.lab.example", 1)
    slurm = (
        slurm_node("a", 4, 1)
        + slurm_node("b", 2, 1)
        + job(7, "a,b", gpus=2)
        + holds(7, "a", (0,))
        + holds(7, "b", (0,))
    )
    maps = mapped("head", {0: "GPU-b.lab.example-1", 1: "GPU-b.lab.example-0"}, exported_node="B.lab.example")
    snapshot = read(dcgm, slurm, maps)
    assert snapshot.job_by_id["7"].held == ("GPU-a-0", "GPU-b.lab.example-1")
    assert [snapshot.gpu_by_key[key].held_by for key in snapshot.job_by_id["7"].held] == [INDEX, UUID]


def test_what_prometheus_renamed_is_read_all_the_same() -> None:
    renamed = line("gpumon_job_gpu", job_id=7, node="head", exported_node="a", gpu=2, share="whole")
    assert jobs_by_gpu(read(FOUR, slurm_node("a", 4, 1) + job(7, "a", gpus=1) + renamed))["GPU-a-2"] == ("7",)


def test_dcgms_own_label_is_believed_first() -> None:
    dcgm = card("a", 0, 50, hpc_job="7") + card("a", 1, 50, jobid="8") + card("a", 2) + card("a", 3)
    slurm = slurm_node("a", 4, 3) + job(7, "a", gpus=1) + job(8, "a", gpus=2) + holds(7, "a", (0,))
    snapshot = read(dcgm, slurm + holds(8, "a", (1, 2)))
    assert owners(snapshot) == {
        "GPU-a-0": (("7",), LABEL),
        "GPU-a-1": (("8",), LABEL),
        "GPU-a-2": (("8",), INDEX),
        "GPU-a-3": ((), LABEL),
    }
    assert snapshot.job_by_id["8"].held == ("GPU-a-1", "GPU-a-2")


def test_without_slurm_dcgms_label_is_all_there_is() -> None:
    snapshot = read(card("a", 0, 50, hpc_job="7") + card("a", 1))
    assert owners(snapshot) == {"GPU-a-0": (("7",), LABEL), "GPU-a-1": (None, None)}
    alone = source(site(card("a", 0, 50, hpc_job="7"))).snapshot(Parts.GPUS)
    assert owners(alone) == {"GPU-a-0": (("7",), LABEL)}


def test_an_array_task_may_be_named_as_users_name_it() -> None:
    task = job(32, "a", gpus=1, array_job_id="24", array_task_id="0")
    snapshot = read(card("a", 0, 50, hpc_job="24_0"), slurm_node("a", 1, 1) + task)
    assert owners(snapshot) == {"GPU-a-0": (("32",), LABEL)}
    assert snapshot.job_by_id["32"].held == ("GPU-a-0",)


def test_a_label_that_outlived_its_job_yields_to_slurm() -> None:
    dcgm = card("a", 0, 50, hpc_job="6") + card("a", 1, 50, hpc_job="6") + card("b", 0, 50, hpc_job="6")
    slurm = slurm_node("a", 2, 1) + job(7, "a", gpus=1) + holds(7, "a", (0,))
    snapshot = read(dcgm, slurm)
    assert owners(snapshot) == {
        "GPU-a-0": (("7",), INDEX),
        "GPU-a-1": ((), INDEX),
        "GPU-b-0": (("6",), LABEL),
    }


def test_where_gres_conf_is_not_in_pci_order_that_is_said_and_no_number_of_the_node_is_believed() -> None:
    dcgm = card("a", 0, 50, hpc_job="8") + card("a", 1, 50, hpc_job="8") + card("a", 2) + card("a", 3)
    slurm = slurm_node("a", 4, 3) + job(7, "a", gpus=1) + job(8, "a", gpus=2)
    snapshot = read(dcgm, slurm + holds(7, "a", (0,)) + holds(8, "a", (2, 3)))
    assert owners(snapshot) == {
        "GPU-a-0": (("8",), LABEL),
        "GPU-a-1": (("8",), LABEL),
        "GPU-a-2": (None, None),
        "GPU-a-3": (None, None),
    }
    conflict, still_open = (problem for problem in snapshot.problems if problem.part == "jobs")
    assert conflict.severity is Severity.WARNING
    assert conflict.text == (
        "GPU 0 of a is held by job 8 as dcgm-exporter says, by job 7 as Slurm's numbers say: gres.conf is not in PCI"
        " order, so Slurm's numbers are not the driver's."
    )
    assert "gpu-map" in conflict.advice
    assert still_open.text.startswith("Which GPUs jobs hold on a is not known")


def test_a_wrong_map_is_called_wrong_and_the_label_is_believed() -> None:
    dcgm = card("a", 0, 50, hpc_job="8") + card("a", 1)
    maps = mapped("a", {0: "GPU-a-0", 1: "GPU-a-1"})
    snapshot = read(dcgm, slurm_node("a", 2, 1) + job(8, "a", gpus=1) + holds(8, "a", (1,)), maps)
    assert owners(snapshot)["GPU-a-0"] == (("8",), LABEL)
    (problem,) = (problem for problem in snapshot.problems if problem.part == "jobs")
    assert "by nobody as Slurm's numbers say: its map of Slurm's numbers is wrong" in problem.text
    assert "gpu-map there again" in problem.advice


def test_a_job_that_only_one_side_has_seen_yet_is_no_contradiction() -> None:
    dcgm = card("a", 0, 50, hpc_job="9") + card("a", 1)
    slurm = slurm_node("a", 2, 1) + job(8, "a", gpus=1) + holds(8, "a", (0,))
    assert doubts(read(dcgm, slurm)) == []
    assert doubts(read(dcgm, slurm + job(9, "b", gpus=1) + holds(9, "b", (0,)))) == []


def test_slices_are_found_by_the_map() -> None:
    dcgm = "".join(mig("m", 0, instance) for instance in (7, 8)) + card("m", 1)
    maps = mapped("m", {0: "GPU-m-1", 1: "GPU-m-0/7", 2: "GPU-m-0/8"})
    slurm = slurm_node("m", 3, 2) + job(7, "m", gpus=2) + holds(7, "m", (2,), "mig") + holds(7, "m", (0,))
    assert owners(read(dcgm, slurm, maps)) == {
        "GPU-m-0/7": ((), UUID),
        "GPU-m-0/8": (("7",), UUID),
        "GPU-m-1": (("7",), UUID),
    }


def test_without_a_map_no_slice_and_no_card_beside_slices_is_guessed() -> None:
    dcgm = "".join(mig("m", 0, instance) for instance in (7, 8)) + card("m", 1)
    slurm = slurm_node("m", 3, 1) + job(7, "m", gpus=1) + holds(7, "m", (1,))
    snapshot = read(dcgm, slurm)
    assert set(owners(snapshot).values()) == {(None, None)}
    assert snapshot.job_by_id["7"].held == ()
    assert doubts(snapshot) == [
        "Which GPUs jobs hold on m is not known: Slurm's numbers do not tell it there.",
    ]


def test_slices_are_held_and_free_without_a_map_where_it_is_plain() -> None:
    dcgm = "".join(mig(node, 0, instance) for node in ("m", "n") for instance in (7, 8))
    slurm = slurm_node("m", 2, 2) + slurm_node("n", 2, 0) + job(7, "m", gpus=2) + holds(7, "m", (0, 1), "mig")
    assert owners(read(dcgm, slurm)) == {
        "GPU-m-0/7": (("7",), NODE),
        "GPU-m-0/8": (("7",), NODE),
        "GPU-n-0/7": ((), INDEX),
        "GPU-n-0/8": ((), INDEX),
    }


def test_a_cut_card_that_slurm_gives_out_as_a_whole_is_held_with_all_its_slices() -> None:
    dcgm = "".join(mig("m", 0, instance) for instance in (7, 8)) + card("m", 1)
    slurm = slurm_node("m", 2, 1) + job(7, "m", gpus=1) + holds(7, "m", (0,))
    assert jobs_by_gpu(read(dcgm, slurm)) == {"GPU-m-0/7": ("7",), "GPU-m-0/8": ("7",), "GPU-m-1": ()}


def test_all_jobs_of_a_shared_card_are_told() -> None:
    slurm = slurm_node("a", 4, 1, shared=1) + job(7, "a", gpus=0) + job(12, "a", gpus=0) + job(9, "a", gpus=1)
    snapshot = read(FOUR, slurm + holds(7, "a", (1,), "shard") + holds(12, "a", (1,), "shard") + holds(9, "a", (2,)))
    assert jobs_by_gpu(snapshot) == {"GPU-a-0": (), "GPU-a-1": ("12", "7"), "GPU-a-2": ("9",), "GPU-a-3": ()}
    assert snapshot.job_by_id["7"].held == snapshot.job_by_id["12"].held == ("GPU-a-1",)


def test_jobs_over_several_nodes_hold_what_they_hold_on_each() -> None:
    dcgm = FOUR + "".join(card("b", index) for index in range(2))
    slurm = slurm_node("a", 4, 4) + slurm_node("b", 2, 1) + job(7, "a,b", gpus=3) + job(8, "a", gpus=2)
    snapshot = read(dcgm, slurm + holds(7, "a", (0, 1)) + holds(7, "b", (1,)) + holds(8, "a", (2, 3)))
    assert snapshot.job_by_id["7"].held == ("GPU-a-0", "GPU-a-1", "GPU-b-1")
    assert jobs_by_gpu(snapshot)["GPU-b-0"] == ()


def test_array_tasks_het_components_and_suspended_jobs_hold_like_others() -> None:
    slurm = (
        slurm_node("a", 4, 4)
        + job(24, "a", gpus=1, array_job_id="24", array_task_id="1")
        + job(25, "a", gpus=1, array_job_id="24", array_task_id="0")
        + job(31, "a", gpus=1, het_job_id="30")
        + job(33, "a", "suspended", gpus=1)
    )
    slurm += holds(24, "a", (0,)) + holds(25, "a", (1,)) + holds(31, "a", (2,)) + holds(33, "a", (3,))
    assert [jobs for jobs, _ in owners(read(FOUR, slurm)).values()] == [("24",), ("25",), ("31",), ("33",)]


def test_several_types_on_one_node_are_numbered_through() -> None:
    slurm = slurm_node("a", 2, 1, kind="a100") + slurm_node("a", 2, 1, kind="l40s").replace(
        line("gpumon_node_gpus_expected", 2, node="a"), ""
    )
    slurm = slurm.replace(line("gpumon_node_gpus_expected", 2, node="a"), "")
    snapshot = read(FOUR, slurm + job(7, "a", gpus=2) + holds(7, "a", (1, 2)))
    assert jobs_by_gpu(snapshot) == {"GPU-a-0": (), "GPU-a-1": ("7",), "GPU-a-2": ("7",), "GPU-a-3": ()}


def test_a_completing_job_holds_nothing_any_more() -> None:
    slurm = slurm_node("a", 4, 0) + job(7, "a", "completing", gpus=4)
    assert set(owners(read(FOUR, slurm)).values()) == {((), INDEX)}


def test_a_card_that_the_driver_lost_shifts_the_numbers_so_none_is_believed() -> None:
    three = "".join(card("a", index) for index in range(3))
    snapshot = read(three, slurm_node("a", 4, 1) + job(7, "a", gpus=1) + holds(7, "a", (1,)))
    assert set(owners(snapshot).values()) == {(None, None)}
    assert "Slurm's numbers do not tell it there" in doubts(snapshot)[0]


def test_with_a_map_a_lost_card_takes_only_itself() -> None:
    three = "".join(card("a", index, UUID=uuid) for index, uuid in enumerate(("GPU-w", "GPU-y", "GPU-z")))
    maps = mapped("a", {0: "GPU-w", 1: "GPU-x", 2: "GPU-y", 3: "GPU-z"})
    slurm = slurm_node("a", 4, 2) + job(7, "a", gpus=2) + holds(7, "a", (1, 2))
    assert jobs_by_gpu(read(three, slurm, maps)) == {"GPU-w": (), "GPU-y": ("7",), "GPU-z": ()}


def test_a_map_that_lacks_a_number_leaves_it_open() -> None:
    snapshot = read(
        FOUR, slurm_node("a", 4, 2) + job(7, "a", gpus=2) + holds(7, "a", (0, 3)), mapped("a", {0: "GPU-a-2"})
    )
    assert jobs_by_gpu(snapshot) == {"GPU-a-0": None, "GPU-a-1": None, "GPU-a-2": ("7",), "GPU-a-3": None}


def test_two_maps_that_contradict_each_other_are_no_map() -> None:
    maps = mapped("a", {0: "GPU-a-2"}) + mapped("a", {0: "GPU-a-3"})
    slurm = slurm_node("a", 4, 1) + job(7, "a", gpus=1) + holds(7, "a", (0,))
    assert set(jobs_by_gpu(read(FOUR, slurm, maps)).values()) == {None}


def test_a_job_without_known_gpus_holds_a_whole_node_where_nobody_else_can() -> None:
    dcgm = FOUR + "".join(card("b", index) for index in range(2))
    slurm = slurm_node("a", 4, 4) + slurm_node("b", 2, 1) + job(7, "a,b", gpus=5) + job(8, "a", gpus=0)
    snapshot = read(dcgm, slurm)
    assert {owner for key, owner in owners(snapshot).items() if "GPU-a" in key} == {(("7",), NODE)}
    assert {owner for key, owner in owners(snapshot).items() if "GPU-b" in key} == {(None, None)}


def test_two_jobs_that_may_hold_a_node_leave_it_open() -> None:
    slurm = slurm_node("a", 4, 4) + job(7, "a", gpus=3) + job(8, "a", gpus=1)
    assert set(owners(read(FOUR, slurm)).values()) == {(None, None)}


def test_where_jobs_are_hidden_no_gpu_is_called_free_for_lack_of_a_job() -> None:
    hidden = line("gpumon_exporter_hidden", what="jobs")
    slurm = hidden + slurm_node("a", 4, 3) + job(7, "a", gpus=1) + holds(7, "a", (0,))
    snapshot = read(FOUR + card("b", 0), slurm + slurm_node("b", 1, 0))
    assert owners(snapshot) == {
        "GPU-a-0": (("7",), INDEX),
        "GPU-a-1": (None, None),
        "GPU-a-2": (None, None),
        "GPU-a-3": (None, None),
        "GPU-b-0": ((), INDEX),
    }


def test_for_what_is_hidden_slurms_numbers_are_not_blamed() -> None:
    hidden = line("gpumon_exporter_hidden", what="jobs")
    snapshot = read(FOUR, hidden + slurm_node("a", 4, 3) + job(7, "a", gpus=1) + holds(7, "a", (0,)))
    assert doubts(snapshot) == []
    assert any("Slurm hides jobs of others" in problem.text for problem in snapshot.problems)


def test_a_node_that_is_gone_is_no_doubt_any_more() -> None:
    slurm = slurm_node("a", 4, 4) + job(7, "a", gpus=3) + job(8, "a", gpus=1) + holds(7, "a", (0,), "mig")
    server = site(FOUR + card("b", 0), slurm + slurm_node("b", 1, 0))
    live = source(server)
    assert doubts(live.snapshot())
    server.series = [row for row in server.series if row[0].get("Hostname") != "a"]
    assert doubts(live.snapshot()) == []


def test_hidden_jobs_could_hold_the_rest_of_a_node() -> None:
    hidden = line("gpumon_exporter_hidden", what="jobs")
    slurm = hidden + slurm_node("a", 4, 4) + job(7, "a", gpus=1)
    assert set(owners(read(FOUR, slurm)).values()) == {(None, None)}


def test_a_node_that_slurm_does_not_name_has_unknown_holders() -> None:
    assert owners(read(card("z", 0), slurm_node("a", 4, 0))) == {"GPU-z-0": (None, None)}


def test_an_empty_queue_is_no_missing_queue() -> None:
    snapshot = read(FOUR, slurm_node("a", 4, 0) + "slurm_queue_running 0\nslurm_queue_pending 0\n")
    assert snapshot.jobs == ()
    assert set(owners(snapshot).values()) == {((), INDEX)}


def test_without_single_jobs_gpus_are_free_only_where_slurm_counts_none_held() -> None:
    slurm = slurm_node("a", 4, 1) + slurm_node("b", 1, 0) + "slurm_queue_running 1\n"
    snapshot = read(FOUR + card("b", 0), slurm)
    assert snapshot.jobs is None
    assert {jobs for key, jobs in jobs_by_gpu(snapshot).items() if "GPU-a" in key} == {None}
    assert jobs_by_gpu(snapshot)["GPU-b-0"] == ()


def test_jobstats_names_the_job_of_each_gpu() -> None:
    dcgm = FOUR + mig("m", 0, 7) + mig("m", 0, 8)
    jobstats = (
        line("nvidia_gpu_jobId", 34792230, uuid="GPU-a-0", minor_number="0", name="NVIDIA A100")
        + line("nvidia_gpu_jobId", "3.4792231e+07", uuid="GPU-a-1", minor_number="1", jobid="34792231", userid="5")
        + line("nvidia_gpu_jobId", 0, uuid="GPU-a-2", minor_number="2")
        + line("nvidia_gpu_jobId", 5, uuid="MIG-77", ordinal="0", minor_number="0", GPU_I_ID="8")
    )
    server = site(dcgm)
    server.scrape(jobstats, job="jobstats", instance="a:9445")
    server.scrape(jobstats.replace("GPU-a", "GPU-x"), job="jobstats", instance="m:9445")
    assert owners(source(server).snapshot()) == {
        "GPU-a-0": (("34792230",), JOB_EXPORTER),
        "GPU-a-1": (("34792231",), JOB_EXPORTER),
        "GPU-a-2": ((), JOB_EXPORTER),
        "GPU-a-3": (None, None),
        "GPU-m-0/7": (None, None),
        "GPU-m-0/8": (("5",), JOB_EXPORTER),
    }


def test_soperator_names_the_job_of_a_node_that_runs_one() -> None:
    dcgm = card("worker-0", 0) + card("worker-1", 0)
    text = "".join(
        line("slurm_node_job", job_id=number, node_name=node) + line("slurm_job_info", job_id=number, job_state=state)
        for number, node, state in (
            (5, "worker-0", "COMPLETED"),
            (6, "worker-0", "RUNNING"),
            (7, "worker-1", "RUNNING"),
            (8, "worker-1", "RUNNING"),
        )
    )
    server = site(dcgm)
    server.scrape(text, job="soperator", instance="exporter:8080")
    assert owners(source(server).snapshot()) == {
        "GPU-worker-0-0": (("6",), JOB_EXPORTER),
        "GPU-worker-1-0": (None, None),
    }


def test_maps_and_other_exporters_are_asked_for_only_where_there_are_any() -> None:
    server = site(FOUR, slurm_node("a", 4, 0))
    source(server).snapshot()
    asked = [promql for promql in server.asked if not promql.startswith("count by")]
    assert not [promql for promql in asked if "gpu_info" in promql or "jobId" in promql or "node_job" in promql]


def test_a_map_is_read_rarely() -> None:
    server = site(FOUR, slurm_node("a", 4, 0), mapped("a", {0: "GPU-a-0"}))
    live = source(server)
    for _ in range(15):
        live.snapshot()
    assert sum(promql.startswith("max by") and "gpu_info" in promql for promql in server.asked) == 1


@pytest.mark.parametrize(("one_query", "turns", "tier"), [(5, 4000, Tier.FULL), (1, 2, Tier.TURNS)])
def test_every_tier_finds_the_same_holders_and_follows_a_label_to_its_next_job(
    monkeypatch: pytest.MonkeyPatch, one_query: int, turns: int, tier: Tier
) -> None:
    dcgm = FOUR + card("b", 0, 50, hpc_job="8") + mig("m", 0, 7, 0.5, hpc_job="9")
    slurm = (
        slurm_node("a", 4, 1)
        + slurm_node("b", 1, 1)
        + slurm_node("m", 1, 1)
        + "".join(job(number, "a", gpus=1) for number in (7, 8, 9, 10))
        + holds(7, "a", (3,))
    )
    plain = read(dcgm, slurm)
    monkeypatch.setattr(tiers, "ONE_QUERY_UP_TO", one_query)
    monkeypatch.setattr(tiers, "IN_TURNS_FROM", turns)
    server = site(dcgm, slurm)
    live = source(server)
    first = live.snapshot()
    assert first.tier is tier
    assert owners(first) == owners(plain)
    assert first.jobs == plain.jobs
    for labels, _ in server.series:
        if labels.get("hpc_job"):
            labels["hpc_job"] = "10"
    after = live.snapshot()
    assert (jobs_by_gpu(after)["GPU-b-0"], jobs_by_gpu(after)["GPU-m-0/7"]) == (("10",), ("10",))
    assert [one.held for one in after.jobs or ()] == [("GPU-a-3",), (), (), ("GPU-b-0", "GPU-m-0/7")]


def test_gpus_that_slurm_tells_after_the_job_are_found_within_the_next_refreshes() -> None:
    server = site(FOUR, slurm_node("a", 4, 2) + job(7, "a", gpus=2))
    live = source(server)
    assert live.snapshot().job_by_id["7"].held == ()
    live.snapshot()
    server.scrape(holds(7, "a", (0, 1)), job=SLURM[0], instance=SLURM[1])
    assert live.snapshot().job_by_id["7"].held == ("GPU-a-0", "GPU-a-1")


def test_a_job_whose_gpus_nobody_tells_is_not_asked_about_for_ever() -> None:
    server = site(FOUR, slurm_node("a", 4, 2) + job(7, "a", gpus=2))
    live = source(server)
    for _ in range(16):
        live.snapshot()
    server.asked.clear()
    live.snapshot()
    assert not [promql for promql in server.asked if "gpumon_job_gpu" in promql]


def test_facts_that_could_not_be_read_are_asked_for_again() -> None:
    server = site(FOUR, slurm_node("a", 4, 2) + job(7, "a", gpus=2) + holds(7, "a", (0, 1)))
    live = source(server)
    live.snapshot()
    server.scrape(job(8, "a", gpus=1) + holds(8, "a", (3,)), job=SLURM[0], instance=SLURM[1])
    server.fault = lambda asked: httpx.Response(503, text="busy") if 'job_id=~"8"' in asked else None
    assert live.snapshot().job_by_id["8"].held == ()
    server.fault = lambda _: None
    assert live.snapshot().job_by_id["8"].held == ("GPU-a-3",)


def test_a_change_of_the_drivers_numbers_is_followed() -> None:
    server = site(FOUR, slurm_node("a", 4, 1) + job(7, "a", gpus=1) + holds(7, "a", (0,)))
    live = source(server)
    assert live.snapshot().job_by_id["7"].held == ("GPU-a-0",)
    for labels, _ in server.series:
        if "gpu" in labels and "UUID" in labels:
            labels["gpu"] = str(3 - int(labels["gpu"]))
    assert live.snapshot().job_by_id["7"].held == ("GPU-a-3",)


def test_hostile_labels_name_nothing_and_break_nothing() -> None:
    evil = '"} or up or {x="\n\x1b[31m[red]\u202e\\'
    dcgm = card("a", 0, 50, hpc_job=evil) + card(evil, 0, 50, gpu=evil)
    slurm = slurm_node("a", 1, 1) + slurm_node(evil, 1, 1) + job(7, evil, gpus=1, name=evil, user=evil)
    slurm += holds(7, evil, (0,)).replace('gpu="0"', 'gpu="[0-9]+"') + line(
        "gpumon_job_gpu", job_id=evil, node="a", gpu="0"
    )
    maps = line("gpumon_slurm_gpu_info", node=evil, gpu=evil, UUID=evil, GPU_I_ID=evil)
    snapshot = read(dcgm, slurm, maps)
    assert snapshot.job_by_id["7"].name == evil
    assert len(snapshot.gpus) == 2


def test_when_slurm_does_not_answer_no_job_and_no_holder_is_shown() -> None:
    jobs_of_before = slurm_node("a", 4, 1) + job(7, "a", gpus=1) + holds(7, "a", (0,))
    server = site(FOUR, "slurm_queue_running 1\n" + jobs_of_before)
    live = source(server)
    assert live.snapshot().queue is not None
    server.series = [row for row in server.series if row[0]["job"] != "slurm"]
    down = UP.replace("slurm_up 1", "slurm_up 0") + line("gpumon_exporter_command_up", 0, command="squeue")
    server.scrape(down, job=SLURM[0], instance=SLURM[1])
    server.scrape(jobs_of_before, job="jobs", instance=SLURM[1])  # /metrics/jobs, scraped more rarely
    snapshot = live.snapshot()
    assert (snapshot.queue, snapshot.jobs, snapshot.partitions, snapshot.users) == (None, None, (), ())
    assert set(owners(snapshot).values()) == {(None, None)}
    assert snapshot.node_by_name["a"].slurm is None
    (problem,) = (
        problem for problem in snapshot.problems if problem.severity is Severity.ERROR and problem.part == "slurm"
    )
    assert problem.text.startswith("Slurm itself does not answer the Slurm exporter at head:8080 (squeue failed)")
    for part, name in (("slurm", "by_state"), ("jobs", "jobs")):
        assert snapshot.why_missing(part, name) == problem.text


@pytest.mark.parametrize("one_query", [500, 1])
def test_a_dead_slurmctld_shows_at_the_next_refresh_and_so_does_its_return(
    monkeypatch: pytest.MonkeyPatch, one_query: int
) -> None:
    monkeypatch.setattr(tiers, "ONE_QUERY_UP_TO", one_query)
    monkeypatch.setattr(tiers, "IN_TURNS_FROM", 2)
    server = site(FOUR, ONE_JOB)
    live = source(server)
    for _ in range(3):
        assert live.snapshot().queue is not None
    alive = server.series
    server.series = [row for row in alive if row[0]["job"] != "slurm"]
    server.scrape(UP.replace("slurm_up 1", "slurm_up 0"), job=SLURM[0], instance=SLURM[1])
    for _ in range(3):
        snapshot = live.snapshot()
        assert (snapshot.queue, snapshot.jobs) == (None, None)
    server.series = alive
    live.snapshot()
    back = live.snapshot()
    assert back.queue is not None
    assert back.job_by_id["7"].held == ("GPU-a-0",)


@pytest.mark.parametrize("one_query", [500, 1])
def test_of_a_silent_slurm_exporter_nothing_is_shown_and_its_silence_is_told(
    monkeypatch: pytest.MonkeyPatch, one_query: int
) -> None:
    monkeypatch.setattr(tiers, "ONE_QUERY_UP_TO", one_query)
    monkeypatch.setattr(tiers, "IN_TURNS_FROM", 2)
    server = site(FOUR, ONE_JOB)
    live = source(server)
    for _ in range(2):
        live.snapshot()
    server.fall_silent(*SLURM)
    server.heard[SLURM] = server.now - 300
    for _ in range(4):
        snapshot = live.snapshot()
        assert (snapshot.queue, snapshot.jobs) == (None, None)
        assert set(owners(snapshot).values()) == {(None, None)}
        texts = [problem.text for problem in snapshot.problems]
        assert "The Slurm exporter at head:8080 has been silent for 5m; what it told is not shown any more." in texts


def test_a_slurm_exporter_is_known_by_what_it_told_wherever_it_listens() -> None:
    server = site(FOUR)
    server.scrape(UP + slurm_node("a", 4, 0), job="master", instance="head:9999")
    live = source(server)
    live.snapshot()
    server.fall_silent("master", "head:9999")
    texts = [problem.text for problem in live.snapshot().problems]
    assert any(text.startswith("The Slurm exporter at head:9999 has been silent") for text in texts)


def test_numbers_that_stopped_coming_are_not_shown_though_the_target_looks_well() -> None:
    server = site(FOUR, ONE_JOB)
    server.heard[SLURM] = server.now - 200
    snapshot = source(server).snapshot()
    assert (snapshot.queue, snapshot.jobs) == (None, None)
    assert any(problem.severity is Severity.ERROR and problem.part == "slurm" for problem in snapshot.problems)

"""One scenario ran on four versions of Slurm: each of them is read alike."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from exporter_captured import DATA, VERSIONS, Captured
from gpumon_exporter.slurm import details
from gpumon_exporter.slurm.details import Allocation, Held
from gpumon_exporter.slurm.records import GpuHold, Reading, SlurmJob, SlurmNode

SCHEDULED_OTHERWISE = "23.11"
"""There a large job had not started, and the array in its place had."""

every_version = pytest.mark.parametrize("version", VERSIONS)


@cache
def reading(version: str) -> Reading:
    """What is read of a version."""
    return Captured(version).reader().read()


def job(version: str, name: str) -> SlurmJob:
    """The first job of that name."""
    return next(job for job in reading(version).jobs if job.name == name)


def node(version: str, name: str) -> SlurmNode:
    """A node."""
    return next(node for node in reading(version).nodes if node.name == name)


def held(version: str, name: str) -> list[tuple[str, int, str, str]]:
    """What the jobs of that name hold."""
    told = reading(version)
    ids = {job.job_id for job in told.jobs if job.name == name}
    return [(hold.node, hold.index, hold.type, hold.share) for hold in told.holds if hold.job_id in ids]


def names(told: Reading) -> dict[str, str]:
    """The names of jobs by their numbers."""
    return {job.job_id: job.name for job in told.jobs}


@every_version
def test_everything_is_told(version: str) -> None:
    told = reading(version)
    assert told.is_up
    assert [result.error for result in told.commands] == [""] * 9
    assert (told.cluster, told.slurm_version) == ("lab", f"{version}.8")
    assert (len(told.nodes), len(told.partitions), len(told.reservations)) == (9, 5, 3)
    assert told.jobs_without_gpu_map == 0
    assert told.hidden == ()
    assert told.left_out == (("pending_jobs", 0), ("users", 0), ("accounts", 0))


@every_version
def test_scontrol_and_json_tell_the_same_gpus(version: str) -> None:
    by_json: dict[str, Held] = {}

    def take(place: Allocation, what: Held) -> None:
        by_json[place.job_id] = what

    Captured(version).commands().ask("squeue --json", details.MANY, details.Jobs(take))
    told = reading(version)
    holders = {hold.job_id for hold in told.holds}
    assert {hold for job_id in holders for hold in by_json[job_id].gpus} == set(told.holds)
    assert len(told.holds) == 44


@every_version
def test_no_card_is_held_twice(version: str) -> None:
    whole = Counter((hold.node, hold.index) for hold in reading(version).holds if hold.share != "shard")
    assert set(whole.values()) == {1}


@every_version
def test_every_job_holds_as_many_gpus_as_slurm_accounts_for(version: str) -> None:
    told = reading(version)
    found = Counter(hold.job_id for hold in told.holds if hold.share != "shard")
    assert found == {job.job_id: job.gpus for job in told.jobs if job.state in ("running", "suspended") and job.gpus}


@every_version
def test_every_node_gives_out_as_many_gpus_as_its_jobs_hold(version: str) -> None:
    told = reading(version)
    found = Counter((hold.node, hold.type) for hold in told.holds if hold.share != "shard")
    given = {(node.name, gpus.type): gpus.allocated for node in told.nodes for gpus in node.gpus if gpus.allocated}
    assert found == given


def test_the_versions_differ_in_nothing_but_the_place() -> None:
    kinds: list[Counter[tuple[str, str, str]]] = []
    for version in VERSIONS:
        if version != SCHEDULED_OTHERWISE:
            told = reading(version)
            kinds.append(Counter((names(told)[hold.job_id], hold.type, hold.share) for hold in told.holds))
    assert kinds[0] == kinds[1] == kinds[2]


@every_version
def test_an_uneven_job_holds_other_gpus_on_each_node(version: str) -> None:
    assert held(version, "spread") == [
        *(("gpu01", index, "h100", "whole") for index in (4, 5, 6, 7)),
        ("gpu02", 4, "h100", "whole"),
    ]
    assert job(version, "spread").gpus == 5
    assert job(version, "spread").nodes == "gpu[01-02]"


@every_version
def test_types_slices_and_shards_are_told_apart(version: str) -> None:
    assert held(version, "mixedtypes") == [("gpu04", 0, "a100", "whole"), ("gpu04", 4, "l40s", "whole")]
    assert held(version, "mig-infer") == [("mig01", index, "a100_1g.5gb", "mig") for index in (7, 8, 9)]
    assert Counter(share for *_, share in held(version, "multipart")) == {"whole": 5, "mig": 3}
    assert held(version, "shard-infer") == [("gpu04", 1, "", "shard")]
    assert held(version, "shard-infer2") == [("gpu04", 5, "", "shard")]
    assert job(version, "shard-infer").gpus == 0


@every_version
def test_a_node_with_two_types_and_shards(version: str) -> None:
    found = node(version, "gpu04")
    assert [(gpus.type, gpus.total, gpus.allocated, gpus.shared) for gpus in found.gpus] == [
        ("a100", 4, 3, 1),
        ("l40s", 4, 1, 1),
    ]
    assert (found.shards, found.shards_allocated) == (32, 5)
    assert sorted(found.partitions) == ["a100", "debug"]
    assert (found.cpus, found.cpus_allocated, found.memory_bytes) == (128, 12, 1031000 * 2**20)


@every_version
def test_nodes_out_of_use_say_why(version: str) -> None:
    found = node(version, "gpu05")
    assert (found.state, found.flags) == ("idle", ("drain",))
    assert found.reason == "Xid 79: GPU 3 has fallen off the bus [ops]"
    assert found.reason_user == "root"
    assert found.state_since is not None
    draining = node(version, "gpu02")
    assert (draining.state, draining.flags) == ("mixed", ("drain",)), "22.05 says allocated, whatever is left"
    assert draining.cpus_other > 0
    assert "not_responding" in node(version, "gpu07").flags
    assert [(gpus.total, gpus.allocated) for gpus in node(version, "gpu07").gpus] == [(8, 0)]
    working = node(version, "gpu06")
    assert (working.reason, working.reason_user, working.state_since) == ("", "", None)
    assert node(version, "cpu01").gpus == ()


@every_version
def test_an_array_is_its_running_tasks_and_a_folded_rest(version: str) -> None:
    tasks = [job for job in reading(version).jobs if job.name == "sweep"]
    running = [job for job in tasks if job.state == "running"]
    rest = [job for job in tasks if job.state == "pending"]
    assert len({job.array_job_id for job in tasks}) == 1
    assert all(job.array_task_id.isdigit() and job.array_tasks is None for job in running)
    assert len(rest) == 1
    assert rest[0].array_task_id.startswith(f"{len(running)}-19%")
    assert rest[0].array_tasks == 20 - len(running)


@every_version
def test_parts_of_a_heterogeneous_job_are_jobs_that_name_it(version: str) -> None:
    parts = [job for job in reading(version).jobs if job.name == "hetjob"]
    assert len(parts) == 2
    assert {job.het_job_id for job in parts} == {min(job.job_id for job in parts)}
    assert job(version, "spread").het_job_id == ""
    assert job(version, "spread").array_job_id == ""


@every_version
def test_times_and_amounts_of_a_running_job(version: str) -> None:
    found = job(version, "spread")
    assert found.time_limit_seconds == 6 * 3600
    assert found.started_at is not None
    assert found.ends_at == found.started_at + 6 * 3600
    assert found.submitted_at is not None
    assert found.submitted_at <= found.started_at
    assert (found.cpus, found.memory_bytes, found.node_count) == (4, 16000 * 2**20, 2)
    assert (found.user, found.account, found.partition, found.qos) == ("alice", "physics", "h100", "high")
    assert found.reason == ""
    assert found.priority


@every_version
def test_a_waiting_job_says_what_it_asks_for_and_why_it_waits(version: str) -> None:
    found = job(version, "big-train")
    assert (found.state, found.gpus, found.node_count, found.nodes) == ("pending", 32, 4, "")
    assert found.reason.startswith("Nodes required for job are DOWN, DRAINED")
    assert (found.started_at, found.ends_at, found.expected_at) == (None, None, None)
    assert job(version, "held-by-admin").reason == "JobHeldAdmin"
    assert job(version, "tonight").gpus == 2
    planned = job(version, "toomany")
    assert planned.expected_at is not None
    assert planned.expected_at > reading(version).taken_at


@every_version
def test_a_suspended_job_and_a_completing_one(version: str) -> None:
    assert job(version, "suspended").state == "suspended"
    completing = [job for job in reading(version).jobs if job.state == "completing"]
    assert {job.name for job in completing} <= {"slow-epilog"}
    assert not [hold for hold in reading(version).holds if hold.job_id in {job.job_id for job in completing}]
    assert all(job.ends_at is None for job in completing)


@every_version
def test_a_name_with_blanks_commas_and_a_pipe(version: str) -> None:
    assert job(version, "name with spaces, commas=and|pipes").user == "alice"


@every_version
def test_the_counts_hold_every_task(version: str) -> None:
    told = reading(version)
    running = [job for job in told.jobs if job.state == "running"]
    assert sum(count.jobs for count in told.queue if count.state == "running") == len(running)
    waiting = sum(job.array_tasks or 1 for job in told.jobs if job.state == "pending")
    assert sum(count.jobs for count in told.queue if count.state == "pending") == waiting
    assert waiting > 1000
    reasons = {count.reason for count in told.queue if count.state == "pending"}
    assert {"Resources", "JobHeldUser", "Dependency", "AssocGrpGRES", "ReqNodeNotAvail"} <= reasons
    assert all(" " not in reason for reason in reasons)
    assert sum(count.gpus for count in told.queue if count.state == "running") == sum(job.gpus or 0 for job in running)


@every_version
def test_jobs_that_ended_are_told_with_their_exit_codes(version: str) -> None:
    told = reading(version)
    by_id = {job.job_id: job for job in told.finished}
    assert (by_id["1"].state, by_id["1"].exit_code, by_id["1"].user) == ("completed", "0:0", "alice")
    assert (by_id["2"].state, by_id["2"].exit_code) == ("failed", "3:0")
    assert by_id["4"].state == "timeout"
    assert by_id["7"].state == "node_fail"
    states = Counter(job.state for job in told.finished)
    assert {state for _, state, _ in told.finished_counts} == set(states)
    assert sum(number for *_, number in told.finished_counts) == len(told.finished)
    assert told.finished_window_seconds == 3600


@every_version
def test_partitions_and_reservations(version: str) -> None:
    told = reading(version)
    first = told.partitions[0]
    assert (first.name, first.state, first.is_default, first.qos) == ("h100", "up", True, "")
    assert (first.max_time_seconds, first.default_time_seconds, first.max_nodes) == (2 * 86400, 3600, None)
    assert {one.name: one.state for one in told.partitions}["old"] == "down"
    found = {one.name: one for one in told.reservations}
    assert found["workshop"].state == "ACTIVE"
    assert (found["workshop"].users, found["workshop"].nodes, found["workshop"].node_count) == ("bob,carol", "gpu03", 1)
    assert found["mlteam"].accounts == "ml"
    assert found["maint_nov"].flags == "MAINT,IGNORE_JOBS,SPEC_NODES"
    assert found["maint_nov"].starts_at is not None
    assert found["maint_nov"].ends_at == found["maint_nov"].starts_at + 8 * 3600


@every_version
def test_the_scheduler(version: str) -> None:
    told = reading(version).scheduler
    assert told is not None
    assert None not in vars(told).values()
    assert told.mean_cycle != told.backfill_mean_cycle


@every_version
def test_accounts_have_the_mean_share_of_their_users(version: str) -> None:
    found = {share.account: share.fairshare for share in reading(version).shares}
    lines = (DATA / version / "sshare.txt").read_text(encoding="utf-8").splitlines()
    users = [float(line.split("|")[2]) for line in lines if line.strip().startswith("chem|") and line.split("|")[1]]
    assert len(users) == 2
    assert found["chem"] == pytest.approx(sum(users) / 2)
    assert "ml" not in found, "it has no users of its own"


def test_holds_name_the_number_that_slurm_uses() -> None:
    assert GpuHold(job("24.11", "spread").job_id, "gpu02", 4, "h100", "whole") in reading("24.11").holds

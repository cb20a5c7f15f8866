"""The simulated cluster is a pure function of time, and keeps the laws that a real one keeps."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise

import pytest

from gpumon.model import Attribution, ClusterSnapshot, Gpu, Job
from gpumon_demo.chance import among, draw, early, whole
from gpumon_demo.cluster import BEGIN, Cluster, Simulation
from gpumon_demo.hosts import counters
from gpumon_demo.plans import Plan
from gpumon_demo.workload import hostlist

SIZES = (12, *(pytest.param(nodes, marks=pytest.mark.thorough) for nodes in (4, 5, 7, 13, 33)))
MOMENTS = [BEGIN + offset for offset in random.Random(7).sample(range(-20 * 86_400, 60 * 86_400), 16)]


@pytest.mark.parametrize("nodes", SIZES)
def test_the_same_moment_is_always_the_same(nodes: int) -> None:
    one, other = Simulation(nodes, 3), Simulation(nodes, 3)
    for moment in MOMENTS[:6]:
        first = one.at(moment)
        one.at(moment + 12_345)
        second, third = one.at(moment), other.at(moment)
        assert first.gpus == second.gpus == third.gpus
        assert first.nodes == second.nodes == third.nodes
        assert first.jobs == second.jobs == third.jobs
        assert first.queue == third.queue
        assert first.alerts == third.alerts


def test_looking_backwards_changes_nothing(cluster_of_12: Simulation) -> None:
    seen = [cluster_of_12.at(moment).jobs for moment in MOMENTS]
    again = [cluster_of_12.at(moment).jobs for moment in reversed(MOMENTS)]
    assert seen == again[::-1]


@pytest.mark.thorough
def test_another_seed_is_another_cluster() -> None:
    assert Simulation(12, 1).at(BEGIN).gpus != Simulation(12, 2).at(BEGIN).gpus


def test_nothing_changes_within_a_tick_and_something_does_with_the_next(cluster_of_12: Simulation) -> None:
    assert cluster_of_12.at(BEGIN + 4.999).gpus == cluster_of_12.at(BEGIN).gpus
    assert cluster_of_12.at(BEGIN + 5).gpus != cluster_of_12.at(BEGIN).gpus


@pytest.mark.parametrize("nodes", [3, 0, -1, 1251])
def test_a_size_out_of_range_is_refused(nodes: int) -> None:
    with pytest.raises(ValueError, match="4 to 1250"):
        Simulation(nodes, 1)


@pytest.mark.parametrize("nodes", [4, 12, 61])
def test_every_size_has_the_nodes_it_was_asked_for(nodes: int) -> None:
    cluster = Simulation(nodes, 1).at(BEGIN)
    assert len(cluster.nodes) == nodes
    assert len({node.name for node in cluster.nodes}) == nodes
    assert cluster.gpus
    assert cluster.jobs


@pytest.mark.thorough
def test_the_largest_cluster_has_about_ten_thousand_gpus_and_twenty_thousand_jobs() -> None:
    cluster = Simulation(1250, 1).at(BEGIN)
    assert len(cluster.nodes) == 1250
    assert 9_000 < len(cluster.gpus) < 11_000
    assert 14_000 < len(cluster.jobs) < 26_000
    assert len({job.id for job in cluster.jobs}) == len(cluster.jobs)


@pytest.mark.parametrize("nodes", SIZES)
def test_no_gpu_but_one_with_shards_is_held_by_two_jobs(nodes: int) -> None:
    simulation = Simulation(nodes, 5)
    shared = {host.units[-1].device.key for host in simulation.hosts if host.machine.shards}
    for moment in MOMENTS:
        held = Counter(key for job in simulation.at(moment).jobs for key in job.held)
        assert {key for key, count in held.items() if count > 1} <= shared


@pytest.mark.parametrize("nodes", SIZES)
def test_every_plan_gives_each_unit_to_one_job_at_a_time(nodes: int) -> None:
    seen: set[Plan] = set()
    for block in Simulation(nodes, 2).blocks:
        seen |= set(block.plans)
    for plan in seen:
        for lane in plan.units:
            ends = 0
            for job in lane.jobs:
                assert ends <= job.start < job.end
                ends = job.end


@pytest.mark.parametrize("nodes", SIZES)
def test_job_ids_are_unique(nodes: int) -> None:
    simulation = Simulation(nodes, 4)
    for moment in MOMENTS:
        twice = [job for job, count in Counter(job.id for job in simulation.at(moment).jobs).items() if count > 1]
        assert not twice


def test_gpus_and_jobs_name_each_other(cluster_of_12: Simulation) -> None:
    for moment in MOMENTS:
        cluster = cluster_of_12.at(moment)
        by_gpu = {(job_id, gpu.key) for gpu in cluster.gpus for job_id in gpu.jobs or ()}
        by_job = {(job.id, key) for job in cluster.jobs for key in job.held}
        assert by_gpu == by_job


def test_running_and_suspended_jobs_hold_as_many_gpus_as_they_say(cluster_of_12: Simulation) -> None:
    """With shards they hold a part of one, and no GPU by Slurm's count."""
    for moment in MOMENTS:
        cluster = cluster_of_12.at(moment)
        shared = {host.units[-1].device.key for host in cluster_of_12.hosts if host.machine.shards}
        for job in cluster.jobs:
            assert len(job.allocated) == len(job.held)
            whole = set(job.held) - shared
            assert len(whole) == (job.gpus if job.state in {"running", "suspended"} else 0)
            assert not whole or whole == set(job.held)


def test_a_job_lives_one_life(cluster_of_12: Simulation) -> None:
    """Waits, then runs or is suspended with the same number, name and user, is cleaned up, and is gone for good."""
    order = {"pending": 0, "running": 1, "suspended": 1, "completing": 2}
    lives: defaultdict[str, list[tuple[float, Job]]] = defaultdict(list)
    for step in range(0, 3 * 86_400, 1800):
        for job in cluster_of_12.at(BEGIN + step).jobs:
            lives[job.id].append((BEGIN + step, job))
    ran_after_waiting = 0
    for life in lives.values():
        if life[0][1].array_job_id:
            continue
        states = [order[job.state] for _, job in life]
        assert states == sorted(states), "nothing waits again once it runs"
        assert len({(job.user, job.name, job.account, job.partition, job.submitted_at) for _, job in life}) == 1
        ran_after_waiting += len(set(states)) == 2
        for at, job in life:
            assert job.submitted_at is not None
            assert job.submitted_at <= at
            if job.state == "running":
                assert job.started_at is not None
                assert job.eligible_at is not None
                assert job.submitted_at <= job.eligible_at <= job.started_at <= at
                assert job.time_limit_seconds is not None or job.partition == "cpu"
                assert at < (job.ends_at or math.inf)
    assert ran_after_waiting > 20


def test_a_job_starts_no_later_than_slurm_plans_and_is_not_planned_in_the_past(cluster_of_12: Simulation) -> None:
    planned: dict[str, float] = {}
    kept = 0
    for step in range(0, 86_400, 900):
        for job in cluster_of_12.at(BEGIN + step).jobs:
            if job.expected_at is not None:
                assert job.state == "pending"
                assert job.expected_at >= BEGIN + step
                planned[job.id] = job.expected_at
            elif job.state == "running" and job.id in planned and not job.array_job_id:
                assert job.started_at is not None
                assert job.started_at <= planned.pop(job.id)
                kept += 1
    assert kept > 10


def test_only_some_of_those_that_wait_have_a_plan(cluster_of_12: Simulation) -> None:
    waiting = [job for moment in MOMENTS for job in cluster_of_12.at(moment).jobs if job.state == "pending"]
    assert 0.03 < sum(job.expected_at is not None for job in waiting) / len(waiting) < 0.4
    for job in waiting:
        if job.reason in {"Dependency", "DependencyNeverSatisfied", "JobHeldUser", "JobHeldAdmin"}:
            assert job.eligible_at is None
            assert job.expected_at is None
        assert job.reason != "BeginTime" or job.expected_at == job.eligible_at


def test_a_folded_array_says_how_many_tasks_it_is(cluster_of_12: Simulation) -> None:
    folded = [job for moment in MOMENTS for job in cluster_of_12.at(moment).jobs if job.tasks]
    assert any(":" in job.array_task_id for job in folded)
    for job in folded:
        numbers, _, most = job.array_task_id.partition("%")
        bounds, _, step = numbers.partition(":")
        first, last = map(int, bounds.split("-"))
        assert job.tasks == len(range(first, last + 1, int(step or 1))) > 1
        assert int(most) >= 1
        assert (job.state, job.id) == ("pending", job.array_job_id)


def test_a_job_seen_before_and_after_did_not_vanish_in_between(cluster_of_12: Simulation) -> None:
    seen = [{job.id for job in cluster_of_12.at(BEGIN + step).jobs} for step in range(0, 86_400, 600)]
    gone: set[str] = set()
    for before, after in pairwise(seen):
        gone |= before - after
        assert not gone & after


@pytest.mark.parametrize("nodes", SIZES)
def test_the_sums_agree_with_what_they_sum(nodes: int) -> None:
    simulation = Simulation(nodes, 1)
    for moment in MOMENTS[:10]:
        cluster = simulation.at(moment)
        jobs, running = cluster.jobs, [job for job in cluster.jobs if job.state == "running"]
        waiting = [job for job in jobs if job.state == "pending"]
        queue = cluster.queue
        assert queue.by_state["running"] == len(running)
        assert queue.by_state["suspended"] == sum(job.state == "suspended" for job in jobs)
        assert queue.by_state["completing"] == sum(job.state == "completing" for job in jobs)
        assert queue.by_state["pending"] == sum(job.tasks or 1 for job in waiting)
        assert sum(queue.pending_reasons.values()) == queue.by_state["pending"]
        assert queue.oldest_pending_at == min(job.submitted_at or 0 for job in waiting)
        assert sum(queue.nodes_by_state.values()) == nodes
        assert queue.gpus_allocated == len({key for job in jobs for key in job.held})
        assert queue.cpus_allocated == sum(job.cpus or 0 for job in running)
        assert sum(user.jobs_running or 0 for user in cluster.users) == len(running)
        gpus = sum(job.gpus or 0 for job in running)
        assert sum(account.gpus_running or 0 for account in cluster.accounts) == gpus
        assert sum(part.jobs_running or 0 for part in cluster.partitions) == len(running)
        places = sum((job.tasks or 1) * len(job.partition.split(",")) for job in waiting)
        assert sum(part.jobs_pending or 0 for part in cluster.partitions) == places


def test_a_node_has_allocated_what_its_jobs_hold(cluster_of_12: Simulation) -> None:
    for moment in MOMENTS:
        cluster = cluster_of_12.at(moment)
        held = Counter(gpu.node for gpu in cluster.gpus if gpu.jobs)
        for node in cluster.nodes:
            slurm = node.slurm
            assert slurm is not None
            assert slurm.gpus_total == sum(count.total for count in slurm.gpus_by_type)
            assert slurm.gpus_allocated == sum(count.allocated for count in slurm.gpus_by_type)
            assert sum(count.allocated + count.shared for count in slurm.gpus_by_type) == held[node.name]
            assert [count.type for count in slurm.gpus_by_type] == sorted(count.type for count in slurm.gpus_by_type)
            assert (slurm.cpus_allocated or 0) <= (slurm.cpus_total or 0)
            assert (slurm.memory_allocated_bytes or 0) <= (slurm.memory_total_bytes or 0)
            assert (slurm.state == "idle") == (slurm.cpus_allocated == 0)


def test_partitions_add_up_their_nodes(cluster_of_12: Simulation) -> None:
    cluster = cluster_of_12.at(BEGIN)
    for part in cluster.partitions:
        nodes = [node.slurm for node in cluster.nodes if node.slurm and part.name in node.slurm.partitions]
        assert part.nodes == len(nodes)
        assert part.gpus_total == sum(node.gpus_total or 0 for node in nodes)
        assert part.gpus_allocated == sum(node.gpus_allocated or 0 for node in nodes)


def test_nodes_out_of_service_run_nothing(cluster_of_12: Simulation) -> None:
    for moment in MOMENTS:
        for node in cluster_of_12.at(moment).nodes:
            if node.slurm and node.slurm.is_out_of_use:
                assert node.slurm.reason
                assert node.slurm.cpus_allocated == 0


def _told(gpu: Gpu) -> list[float]:
    shares = (gpu.utilization, gpu.engine_active, gpu.sm_active, gpu.tensor_active, gpu.dram_active)
    return [share for share in shares if share is not None]


@pytest.mark.thorough
def test_values_stay_within_what_the_hardware_can_do() -> None:
    for nodes in (4, 5, 12):
        simulation = Simulation(nodes, 8)
        for moment in MOMENTS[:8]:
            for gpu in simulation.at(moment).gpus:
                assert all(0 <= share <= 1 for share in _told(gpu))
                assert 20 < (gpu.temperature_celsius or 0) < 105
                assert 0 < (gpu.power_watts or 0) <= (gpu.detail.power_limit_watts or 0)
                assert gpu.memory_share is not None
                assert 0 <= gpu.memory_share < 1
            for node in simulation.at(moment).nodes:
                if node.sampled_at is not None:
                    assert 0 < (node.cpu_share or 0) < 1
                    assert 0 < (node.memory_used_share or 0) < 1


def test_a_free_gpu_does_nothing(cluster_of_12: Simulation) -> None:
    free = [gpu for moment in MOMENTS for gpu in cluster_of_12.at(moment).gpus if gpu.jobs == () and not gpu.is_stale]
    assert free
    assert {gpu.utilization for gpu in free} == {0.0}


@pytest.mark.parametrize("step", [60, *(pytest.param(step, marks=pytest.mark.thorough) for step in (5, 3600, 100_000))])
def test_counters_never_decrease(step: int) -> None:
    for nodes in (4, 12):
        simulation = Simulation(nodes, 6)
        for host in simulation.hosts:
            start = int(BEGIN) + host.number * 4321 // 5 * 5
            seen = [counters(simulation, host, start + step * place) for place in range(40)]
            for before, after in pairwise(seen):
                assert before.idle < after.idle
                assert all(old <= new for old, new in zip(before, after, strict=True))


def test_counters_grow_across_the_end_of_a_round(cluster_of_12: Simulation) -> None:
    for block in cluster_of_12.blocks:
        number, second = block.place(int(BEGIN))
        edge = int(BEGIN) - second + 48 * 3600
        assert block.place(edge) == (number + 1, 0)
        for host in block.hosts:
            seen = [counters(cluster_of_12, host, edge + offset) for offset in range(-50, 55, 5)]
            for before, after in pairwise(seen):
                assert before.idle < after.idle
                assert all(old <= new for old, new in zip(before, after, strict=True))


def test_energy_is_the_sum_of_the_power_that_was_shown(cluster_of_12: Simulation) -> None:
    moments = [BEGIN + 5 * place for place in range(60)]
    shown: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for moment in moments:
        for gpu in cluster_of_12.at(moment).gpus:
            if not gpu.is_stale and gpu.power_watts is not None and gpu.detail.energy_joules is not None:
                shown[gpu.key].append((gpu.power_watts, gpu.detail.energy_joules))
    assert len(shown) > 60
    for told in shown.values():
        summed = sum(watts for watts, _ in told[:-1]) * 5
        assert told[-1][1] - told[0][1] == pytest.approx(summed, abs=0.3)  # power is shown in whole milliwatts


def test_cpu_share_is_what_a_reader_of_the_counters_works_out(cluster_of_12: Simulation) -> None:
    cluster = cluster_of_12.at(BEGIN)
    for node in cluster.nodes:
        host = cluster_of_12.host_by_name[node.name]
        now, before = (counters(cluster_of_12, host, int(BEGIN) - back) for back in (0, 60))
        assert node.cpu_share == pytest.approx(1 - (now.idle - before.idle) / 60 / host.machine.cpus)


@cache
def _simulation(nodes: int) -> Simulation:
    return Simulation(nodes, 1)


def _story(moment: float = BEGIN, nodes: int = 12) -> Cluster:
    return _simulation(nodes).at(moment)


def test_one_gpu_is_hot_and_held_down_while_it_works() -> None:
    simulation = _simulation(12)
    node, card = simulation.troubles.hot
    temperatures: list[tuple[float, tuple[str, ...] | None]] = []
    for moment in MOMENTS:
        gpu = next(gpu for gpu in simulation.at(moment).gpus if gpu.node == node and gpu.device.index == card)
        temperatures.append((gpu.temperature_celsius or 0.0, gpu.detail.throttle_reasons))
    assert max(degrees for degrees, _ in temperatures) > 85
    assert any("hardware thermal" in (reasons or ()) for _, reasons in temperatures)
    assert all("hardware thermal" in (reasons or ()) for degrees, reasons in temperatures if degrees > 85)


def test_the_gpu_that_fell_off_the_bus_has_its_node_drained() -> None:
    cluster = _story()
    fallen = cluster.simulation.troubles.fallen
    assert fallen is not None
    gpu = next(gpu for gpu in cluster.gpus if (gpu.node, gpu.device.index) == fallen)
    slurm = cluster.slurm_nodes[fallen[0]]
    assert gpu.detail.xid == 79
    assert slurm.flags == ("drain",)
    assert "XID 79" in (slurm.reason or "")
    assert slurm.reason_user
    assert "GpuXidCritical" in {alert.name for alert in cluster.alerts if alert.state == "firing"}


def test_one_gpu_waits_for_its_rows_to_be_remapped() -> None:
    waiting = [gpu for gpu in _story().gpus if gpu.detail.row_remap_pending]
    assert [gpu.detail.xid for gpu in waiting] == [63]
    assert waiting[0].detail.ecc_uncorrected


def test_mig_slices_have_the_engine_share_in_place_of_the_utilization() -> None:
    slices = [gpu for gpu in _story().gpus if gpu.device.mig]
    assert len(slices) == 10
    assert all(gpu.utilization == gpu.engine_active for gpu in slices)
    assert all(gpu.sm_active is None and gpu.detail.xid is None for gpu in slices)
    by_card = defaultdict[str, set[float | None]](set)
    for gpu in slices:
        by_card[gpu.device.uuid].add(gpu.power_watts)
    assert all(len(watts) == 1 for watts in by_card.values())


def test_somebody_always_holds_a_gpu_without_using_it() -> None:
    for moment in MOMENTS:
        cluster = _story(moment)
        idle = [gpu for gpu in cluster.gpus if gpu.jobs and (gpu.utilization or 0) < 0.05 and not gpu.is_stale]
        assert idle


def test_the_silent_exporters_last_words_are_kept_with_their_age() -> None:
    simulation = Simulation(12, 1, falls_silent_at=BEGIN - 240)
    silent = simulation.troubles.silent
    cluster, before = simulation.at(BEGIN), simulation.at(BEGIN - 245)
    told = [gpu for gpu in cluster.gpus if gpu.node == silent]
    heard = [gpu for gpu in before.gpus if gpu.node == silent]
    assert told
    assert all(gpu.is_stale and gpu.sampled_at == BEGIN - 245 for gpu in told)
    assert [gpu.temperature_celsius for gpu in told] == [gpu.temperature_celsius for gpu in heard]
    assert not any(gpu.is_stale for gpu in cluster.gpus if gpu.node != silent)
    assert not any(gpu.is_stale for gpu in before.gpus)


def test_the_silent_exporter_speaks_most_of_the_time() -> None:
    simulation = _simulation(12)
    silent = [simulation.troubles.silent_since(int(BEGIN) + second) is not None for second in range(0, 86_400, 60)]
    assert 0.1 < sum(silent) / len(silent) < 0.25


def test_a_down_node_is_known_to_slurm_alone() -> None:
    cluster = _story(nodes=33)
    down = cluster.simulation.troubles.down
    node = next(node for node in cluster.nodes if node.name == down)
    assert node.slurm is not None
    assert node.slurm.words == "down+not_responding"
    assert node.cpu_share is None
    assert not node.gpus
    assert [one.is_up for one in node.exporters] == [False, False]
    assert not [gpu for gpu in cluster.gpus if gpu.node == down]


def test_one_disk_is_nearly_full() -> None:
    full = [node.name for node in _story().nodes if (node.disk_used_share or 0) > 0.9]
    assert full == [_simulation(12).troubles.full_disk]


def test_jobs_wait_for_many_reasons() -> None:
    reasons = {job.reason for moment in MOMENTS for job in _story(moment, 33).jobs if job.state == "pending"}
    words = {reason.partition(",")[0] for reason in reasons}
    assert {
        "Resources", "Priority", "QOSMaxGRESPerUser", "Dependency", "ReqNodeNotAvail", "BeginTime", "AssocGrpGRES",
        "JobHeldUser", "JobArrayTaskLimit", "Reservation", "DependencyNeverSatisfied",
    } <= words  # fmt: skip
    assert "" not in reasons
    assert any(reason.startswith("ReqNodeNotAvail, UnavailableNodes:gpu-") for reason in reasons)
    assert any(reason.startswith("Nodes required for job are DOWN") for reason in reasons)


def test_there_are_jobs_of_every_kind() -> None:
    jobs = [job for moment in MOMENTS for job in _story(moment).jobs]
    running = [job for job in jobs if job.state == "running"]
    assert [job for job in running if (job.node_count or 0) > 1]
    assert [job for job in running if job.array_task_id]
    assert [job for job in jobs if job.state == "pending" and "%" in job.array_task_id]
    assert [job for job in running if not job.gpus]
    assert [job for job in jobs if job.state == "pending" and "," in job.partition]
    assert {job.state for job in jobs} == {"pending", "running", "suspended", "completing"}
    names = {job.name for job in jobs}
    assert any('"' in name for name in names)
    assert any("[" in name for name in names)
    assert any(" " in name for name in names)
    assert any(not name.isascii() for name in names)


def _on_nodes(cluster: Cluster, job: Job) -> list[int]:
    """How many GPUs a job holds on each of its nodes."""
    node_of = {gpu.key: gpu.node for gpu in cluster.gpus}
    return list(Counter(node_of[key] for key in job.held).values())


def test_some_jobs_have_more_on_one_node_than_on_another() -> None:
    uneven = 0
    for moment in MOMENTS:
        cluster = _story(moment)
        uneven += any(len(set(_on_nodes(cluster, job))) > 1 for job in cluster.jobs)
    assert uneven > 2


def test_the_parts_of_a_heterogeneous_job_stand_side_by_side() -> None:
    parts: defaultdict[tuple[float, str], list[Job]] = defaultdict(list)
    for moment in MOMENTS:
        for job in _story(moment).jobs:
            if job.het_job_id:
                parts[moment, job.het_job_id].append(job)
    assert parts
    for jobs in parts.values():
        assert len(jobs) == 2
        assert int(jobs[0].id) + 1 == int(jobs[1].id)
        assert jobs[0].het_job_id == jobs[0].id
        assert {(job.user, job.name, job.state, job.started_at) for job in jobs[:1]} == {
            (job.user, job.name, job.state, job.started_at) for job in jobs[1:]
        }
        assert jobs[0].gpus != jobs[1].gpus


def test_a_suspended_job_keeps_its_gpus_and_its_memory_but_does_nothing() -> None:
    seen = 0
    for moment in MOMENTS:
        cluster = _story(moment)
        gpu_of = {gpu.key: gpu for gpu in cluster.gpus if not gpu.is_stale}
        for job in cluster.jobs:
            if job.state != "suspended":
                continue
            gpus = [gpu_of[key] for key in job.held if key in gpu_of and gpu_of[key].jobs == (job.id,)]
            assert {gpu.utilization for gpu in gpus} <= {0.0}
            assert all((gpu.memory_share or 0) > 0.01 for gpu in gpus)
            assert all(gpu.idle_since is not None and gpu.idle_since < moment for gpu in gpus)
            seen += len(gpus)
    assert seen > 5


def test_a_completing_job_has_its_nodes_and_no_gpus_any_more() -> None:
    completing = [
        (job, cluster.slurm_nodes[job.nodes])
        for moment in range(int(BEGIN), int(BEGIN) + 6 * 3600, 60)
        if (cluster := _story(moment))
        for job in cluster.jobs
        if job.state == "completing" and "[" not in job.nodes
    ]
    assert completing
    for job, node in completing:
        assert not job.held
        assert job.ends_at is None
        assert "completing" in node.flags


def test_one_gpu_is_shared_by_several_jobs() -> None:
    shared = [gpu for moment in MOMENTS for gpu in _story(moment).gpus if gpu.jobs and len(gpu.jobs) > 1]
    assert {gpu.node for gpu in shared} <= {"gpu-d01", "gpu-d02"}
    assert {gpu.device.index for gpu in shared} == {3}
    assert len(shared) > len(MOMENTS)


def test_how_holders_are_known_differs_from_node_to_node() -> None:
    known = {gpu.held_by for gpu in _story(nodes=33).gpus}
    assert known == {Attribution.UUID, Attribution.INDEX, Attribution.LABEL}


def test_array_tasks_share_their_array_and_its_user() -> None:
    for moment in MOMENTS:
        by_array = defaultdict[str, set[tuple[str, str]]](set)
        for job in _story(moment).jobs:
            if job.array_job_id:
                by_array[job.array_job_id].add((job.user, job.name))
        assert all(len(owners) == 1 for owners in by_array.values())


def test_some_users_have_far_more_than_others() -> None:
    counts = sorted(user.jobs_pending or 0 for user in _story().users)
    assert counts[-1] > 3 * counts[len(counts) // 2]


def test_alerts_are_true() -> None:
    for moment in MOMENTS:
        cluster = _story(moment)
        snapshot = ClusterSnapshot(gpus=cluster.gpus, nodes=cluster.nodes)
        for alert in cluster.alerts:
            assert alert.since is not None
            assert alert.since <= moment or alert.name in {
                "GpuXidCritical",
                "SlurmNodeDrained",
                "SlurmNodeDown",
                "GpuRowRemapPending",
            }
            if alert.name == "DiskAlmostFull":
                assert (snapshot.node_by_name[alert.node or ""].disk_used_share or 0) > 0.9
            if alert.name == "GpuHot":
                assert max(gpu.temperature_celsius or 0 for gpu in snapshot.gpus_of(alert.node or "")) > 85


def test_hostlists_are_slurms() -> None:
    assert hostlist([]) == ""
    assert hostlist(["gpu-a01"]) == "gpu-a01"
    assert hostlist(["gpu-a01", "gpu-a02", "gpu-a03", "gpu-a07"]) == "gpu-a[01-03,07]"
    assert hostlist(["gpu-a098", "gpu-a099", "gpu-a100"]) == "gpu-a[098-100]"


def test_draws_are_even_and_depend_on_every_key() -> None:
    drawn = [draw(1, place) for place in range(10_000)]
    assert all(0 <= number < 1 for number in drawn)
    assert sum(drawn) / len(drawn) == pytest.approx(0.5, abs=0.02)
    assert draw(1, 2, 3) != draw(1, 3, 2)
    assert draw(1) != draw(1, 0)
    assert draw(-5, 2) == draw(-5, 2)
    assert {whole(4, place) for place in range(100)} == {0, 1, 2, 3}
    assert {among("ab", place) for place in range(100)} == {"a", "b"}
    counted = Counter(early("abcd", 1, place) for place in range(1000))
    assert counted["a"] > counted["b"] > counted["d"] > 0

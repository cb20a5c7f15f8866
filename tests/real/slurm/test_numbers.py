"""Every number of the exporter is the one that Slurm's own commands say."""

from __future__ import annotations

import pytest

from real.daemons import Daemon, until
from real.slurm import expected_jobs, expected_nodes, expected_queue
from real.slurm.compared import Compared, differences
from real.slurm.told import told, wait_for_reading
from slurm_site.site import SlurmSite

pytestmark = pytest.mark.xdist_group("slurm")
RELEASES = ("system", "newest")

OWN = ("gpumon_exporter_", "process_", "python_", "slurm_up")
"""What the exporter says of itself."""


STATES = {"PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "COMPLETED", "FAILED", "CANCELLED", "PREEMPTED"}
REASONS = {
    "AssocGrpGRES",
    "AssocMaxJobsLimit",
    "BeginTime",
    "Dependency",
    "DependencyNeverSatisfied",
    "JobArrayTaskLimit",
    "JobHeldAdmin",
    "JobHeldUser",
    "Licenses",
    "PartitionDown",
    "PartitionTimeLimit",
    "Priority",
    "QOSMaxGRESPerUser",
    "ReqNodeNotAvail",
    "Reservation",
    "Resources",
}
BY_TRUTH = (
    expected_nodes.nodes,
    expected_nodes.partitions,
    expected_nodes.reservations,
    expected_queue.waiting,
    expected_queue.finished,
    expected_queue.owners,
    expected_queue.queue,
    expected_queue.machines,
    expected_queue.shares,
)


def test_jobs_of_every_kind_are_compared(compared: Compared) -> None:
    jobs = compared.slurm.jobs
    assert {job["JobState"] for job in jobs} >= STATES
    assert {*compared.slurm.reasons.values()} >= REASONS
    held = [one for job in jobs for one in job.held]
    assert {one.type for one in held} >= {"", "h100", "a100", "l40s", "a100_1g.5gb"}
    assert {one.gres for one in held} == {"gpu", "shard"}
    assert any(len({one.count for one in job.held}) > 1 for job in jobs), "an uneven one"
    assert any(job["HetJobId"] for job in jobs)
    assert any(job["ArrayTaskId"] and job["JobState"] == "RUNNING" for job in jobs)


def test_jobs(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_jobs.jobs(compared.slurm.live))


def test_nodes(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_nodes.nodes(compared.slurm))


def test_partitions(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_nodes.partitions(compared.slurm))


def test_reservations(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_nodes.reservations(compared.slurm))


def test_waiting_jobs_by_reason(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_queue.waiting(compared.slurm))


def test_finished_jobs(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_queue.finished(compared.slurm))


def test_users_and_accounts(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_queue.owners(compared.slurm))


def test_the_queue_by_state_and_partition(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_queue.queue(compared.slurm))


def test_cpus_memory_and_gpus_under_vpensos_names(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_queue.machines(compared.slurm))


def test_fair_shares(compared: Compared) -> None:
    assert not differences(compared.exporter, expected_queue.shares(compared.slurm))


def test_the_scheduler(site: SlurmSite, compared: Compared, exporter_of_site: Daemon) -> None:
    """Its numbers change all the time: each is compared when Slurm says the same before and after a reading."""
    seen: set[str] = set()

    def all_were_compared() -> bool:
        before = expected_queue.scheduler(site.run("sdiag"))
        wait_for_reading(exporter_of_site)
        found = told(exporter_of_site)
        after = expected_queue.scheduler(site.run("sdiag"))
        still = {name: numbers for name, numbers in after.items() if before[name] == numbers}
        assert not differences(found, still)
        seen.update(still)
        return seen == set(after)

    until(all_were_compared, "numbers of sdiag that stay the same for a moment")


def test_no_series_is_left_uncompared(site: SlurmSite, compared: Compared) -> None:
    expected = {
        *expected_jobs.jobs(compared.slurm.live),
        *expected_queue.scheduler(site.run("sdiag")),
        *(name for find in BY_TRUTH for name in find(compared.slurm)),
    }
    others = {name for name in compared.exporter if name not in expected}
    assert all(name.startswith(OWN) for name in others), others

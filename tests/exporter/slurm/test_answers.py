"""The smaller answers: the configuration, partitions, reservations, the scheduler, shares and the accounting."""

from __future__ import annotations

import math
import os

import pytest

from exporter_captured import CONFIG
from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm import accounting, config
from gpumon_exporter.slurm.config import Config
from gpumon_exporter.slurm.partitions import partitions, reservations
from gpumon_exporter.slurm.records import AccountShare, FinishedJob
from gpumon_exporter.slurm.scheduler import scheduler
from gpumon_exporter.slurm.shares import shares


def test_the_configuration() -> None:
    found = config.config(CONFIG.format(version="24.05", private="usage,jobs,cloud"))
    assert found == Config("24.05.8", "lab", ("jobs", "usage"), 64030, 900.0, has_accounting=True)
    assert found.release == (24, 5, 8)


@pytest.mark.parametrize(
    ("version", "release"), [("22.05.8", (22, 5, 8)), ("25.11.0-0rc1", (25, 11, 0)), ("24.11-dev", (24, 11)), ("", ())]
)
def test_releases(version: str, release: tuple[int, ...]) -> None:
    assert Config(version=version).release == release


@pytest.mark.parametrize(
    ("written", "uid"), [("slurm(64030)", 64030), ("root(0)", 0), ("64030", 64030), ("(null)", None)]
)
def test_the_user_of_slurm(written: str, uid: int | None) -> None:
    assert config.config(f"SlurmUser   = {written}\n").slurm_uid == uid


@pytest.mark.parametrize(("written", "seconds"), [("300 sec", 300), ("0 sec", math.inf), ("", 0)])
def test_how_long_slurmctld_remembers(written: str, seconds: float) -> None:
    assert config.config(f"MinJobAge               = {written}\n").min_job_age == seconds


def test_an_empty_configuration_knows_nothing() -> None:
    assert config.config("") == Config()


@pytest.mark.parametrize(
    ("told", "may"),
    [("Operator\n", True), ("Administrator\n", True), ("None\n", False), ("", False), ("Not Operator\n", False)],
)
def test_operators_see_everything(told: str, may: bool) -> None:
    assert config.sees_all(told) is may


def test_root_and_slurms_own_user_see_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 64030)
    assert config.is_above(64030)
    assert not config.is_above(64031)
    assert not config.is_above(None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert config.is_above(None)


def test_a_user_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 3999999999)
    assert config.me() == "3999999999"


def test_jobs_of_others_that_are_seen_are_not_hidden() -> None:
    assert config.hidden(("jobs", "usage"), has_strangers=True) == ("usage",)
    assert config.hidden(("jobs", "usage"), has_strangers=False) == ("jobs", "usage")


def test_no_partitions_and_no_reservations() -> None:
    assert partitions("No partitions in the system\n") == ()
    assert reservations("No reservations in the system\n") == ()


def test_a_partition_with_limits() -> None:
    (found,) = partitions("PartitionName=p QoS=part DefaultTime=NONE MaxNodes=4 MaxTime=30:00 State=DRAIN Default=NO\n")
    assert (found.qos, found.default_time_seconds, found.max_nodes, found.max_time_seconds) == ("part", None, 4, 1800)
    assert (found.state, found.is_default) == ("drain", False)


def test_what_stands_behind_a_key_cannot_replace_it() -> None:
    (found,) = reservations(
        "ReservationName=r StartTime=5 EndTime=9 Users=root State=ACTIVE Comment=Users=eve State=X\n"
    )
    assert (found.users, found.state, found.starts_at) == ("root", "ACTIVE", 5.0)


def test_the_scheduler_under_a_running_backfill() -> None:
    found = scheduler(
        "Server thread count:  3\nAgent queue size:     1\nDBD Agent queue size: 2\n"
        "Main schedule statistics (microseconds):\n\tLast cycle:   163\n\tMean cycle:   1030\n\tCycles per minute: 3\n"
        "Backfilling stats (WARNING: data obtained in the middle of backfilling execution.)\n"
        "\tTotal backfilled jobs (since last slurm start): 5\n\tLast cycle: 6924\n\tDepth Mean: 31\n"
    )
    assert (found.threads, found.queue_size, found.dbd_queue_size) == (3, 1, 2)
    assert (found.last_cycle, found.backfill_last_cycle, found.mean_cycle) == (163, 6924, 1030)
    assert found.backfill_mean_cycle is None, "there was none yet"


def test_a_scheduler_that_says_nothing_is_no_answer() -> None:
    with pytest.raises(NoAnswer):
        scheduler("sdiag: error\n")


def test_an_account_with_a_share_of_its_own_keeps_it() -> None:
    told = "root||\n ml||0.5\n  ml|bob|0.25\n chem||\n  chem|dave|0.2\n  chem|frank|0.4\n"
    told += " odd||nan\n bad|x|1.5\nnonsense\n"
    assert {one.account: round(one.fairshare, 6) for one in shares(told)} == {"ml": 0.5, "chem": 0.3}
    assert shares("") == ()
    assert shares("a|b|0.5\n") == (AccountShare("a", 0.5),)


def test_the_accounting_tells_of_jobs_that_ended() -> None:
    answer = accounting.answer("|t")
    for row in (
        ("1", "alice", "physics", "h100", "CANCELLED by 1000", "0:15", "500"),
        ("2", "bob", "ml|x\n3|", "cpu", "OUT_OF_MEMORY", "0:125", "600"),
        ("4", "bob", "ml", "cpu", "RUNNING", "0:0", "Unknown"),
    ):
        answer.feed("".join(f"{field}|t" for field in row) + "\n")
    assert answer.done() == (
        FinishedJob("1", "alice", "physics", "h100", "cancelled", "0:15", 500.0),
        FinishedJob("2", "bob", "ml|x\n3|", "cpu", "out_of_memory", "0:125", 600.0),
    )


def test_the_accounting_is_asked_for_the_window_only() -> None:
    assert "now-61minutes" in accounting.command("|t", 3601.0)

"""Whatever Slurm does, a reading holds the truth or nothing, and slurmctld is asked for little."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from exporter_captured import Captured
from gpumon_exporter.clock import Clock
from gpumon_exporter.main import main
from gpumon_exporter.slurm.child import Children, Ended, Overdue
from gpumon_exporter.slurm.commands import Commands
from gpumon_exporter.slurm.cycle import Scope, SlurmReader
from gpumon_exporter.slurm.records import Reading
from gpumon_exporter.slurm.seldom import RETRY_SECONDS, SELDOM_SECONDS

PATIENCE = 20.0
DEAD = Ended(1, "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
SELDOM = ("scontrol show config", "scontrol -a -o show partition", "scontrol -a -o show reservation", "sshare")


def asked(slurm: Captured) -> list[str]:
    """The programs that were run since the last time."""
    found = [line.split()[0] for line in slurm.asked]
    slurm.asked.clear()
    return found


def errors(reading: Reading) -> dict[str, str]:
    """What the commands complain of."""
    return {result.name: result.error for result in reading.commands if not result.is_ok}


def test_a_usual_reading_asks_three_commands_of_which_one_walks_over_the_jobs() -> None:
    slurm = Captured()
    reader = slurm.reader()
    reader.read()
    slurm.passed += 15
    asked(slurm)
    reading = reader.read()
    assert asked(slurm) == ["squeue", "sinfo", "sdiag"]
    assert len(reading.holds) == 44
    assert len(reading.partitions) == 5
    assert reading.shares


def test_what_hardly_changes_is_asked_for_every_five_minutes() -> None:
    slurm = Captured()
    reader = slurm.reader()
    for _ in range(2):
        slurm.asked.clear()
        reader.read()
        assert all(any(line.startswith(command) for line in slurm.asked) for command in SELDOM)
        slurm.passed += SELDOM_SECONDS


def test_when_slurm_is_down_nothing_more_is_asked_and_nothing_is_told() -> None:
    slurm = Captured()
    reader = slurm.reader()
    reader.read()
    asked(slurm)
    slurm.answers["squeue"] = DEAD
    slurm.passed += 15
    reading = reader.read()
    assert asked(slurm) == ["squeue"]
    assert reading == Reading(slurm.clock.now(), is_up=False, commands=reading.commands)
    words = "squeue failed: slurm_load_jobs error: Unable to contact slurm controller (connect failure)"
    assert errors(reading) == {"squeue": words}
    assert reading.commands[0].succeeded_at == slurm.clock.now() - 15


def test_a_slurm_that_does_not_tell_its_nodes_is_down() -> None:
    slurm = Captured(answers={"sinfo": Overdue()})
    reading = slurm.reader().read()
    assert not reading.is_up
    assert reading.jobs == ()
    assert errors(reading) == {"sinfo": "sinfo gave no answer within 10 s"}
    assert asked(slurm) == ["squeue", "sinfo"]


def test_it_is_back_by_itself_with_all_that_it_knew() -> None:
    slurm = Captured()
    reader = slurm.reader()
    before = reader.read()
    slurm.answers["squeue"] = DEAD
    slurm.passed += 15
    reader.read()
    slurm.answers.clear()
    slurm.passed += 15
    asked(slurm)
    after = reader.read()
    assert asked(slurm) == ["squeue", "sinfo", "sdiag"]
    assert after.is_up
    assert after.holds == before.holds
    assert errors(after) == {}


@pytest.mark.parametrize(
    ("command", "lost"),
    [
        ("sdiag", {"scheduler"}),
        ("sshare", {"shares"}),
        ("scontrol -a -o show partition", {"partitions"}),
        ("scontrol -a -o show reservation", {"reservations"}),
    ],
)
@pytest.mark.parametrize("trouble", [DEAD, Overdue(), FileNotFoundError()], ids=["fails", "hangs", "is missing"])
def test_a_lesser_command_without_an_answer_loses_its_part_only(
    command: str, lost: set[str], trouble: Ended | Exception
) -> None:
    whole = vars(Captured().reader().read())
    slurm = Captured(answers={command: trouble})
    found = vars(slurm.reader().read())
    assert {name for name, value in found.items() if value != whole[name]} - {"commands"} == lost
    assert not any(found[name] for name in lost)


def test_an_answer_that_cannot_be_renewed_is_dropped_and_asked_for_again_after_a_minute() -> None:
    slurm = Captured()
    reader = slurm.reader()
    reader.read()
    slurm.answers["sshare"] = DEAD
    slurm.passed += SELDOM_SECONDS
    assert reader.read().shares == ()
    slurm.answers.clear()
    slurm.passed += RETRY_SECONDS - 1
    assert reader.read().shares == ()
    slurm.passed += 1
    assert reader.read().shares


def test_lesser_commands_that_hang_do_not_hold_a_reading_up_for_long() -> None:
    slurm = Captured(takes=11.0)
    reader = slurm.reader()
    reading = reader.read()
    assert asked(slurm) == ["squeue", "sinfo", "scontrol"]
    assert reading.is_up
    assert (reading.scheduler, reading.partitions, reading.shares, reading.holds) == (None, (), (), ())
    assert reading.jobs_without_gpu_map == 18
    slurm.takes = 0.0
    reading = reader.read()
    assert reading.scheduler
    assert reading.partitions
    assert reading.shares
    assert len(reading.holds) == 44


def test_a_map_that_cannot_be_read_leaves_jobs_without_gpus() -> None:
    slurm = Captured(answers={"scontrol -a -o -d show job": DEAD, "squeue -a --local -t R,S,CF": DEAD})
    reading = slurm.reader().read()
    assert reading.is_up
    assert reading.holds == ()
    assert reading.jobs_without_gpu_map == 18
    assert {"scontrol show job", "squeue --json"} <= set(errors(reading))


def test_shards_in_use_are_not_known_while_not_all_jobs_are() -> None:
    slurm = Captured("22.05", answers={"scontrol -a -o -d show job": DEAD, "squeue -a --local -t R,S,CF": DEAD})
    (node,) = (node for node in slurm.reader().read().nodes if node.name == "gpu04")
    assert (node.shards, node.shards_allocated) == (32, None)


def test_names_can_be_switched_off_and_waiting_jobs_limited() -> None:
    reading = Captured().reader(Scope(max_pending=3, with_names=False)).read()
    assert {job.name for job in reading.jobs} == {""}
    assert len([job for job in reading.jobs if job.state == "pending"]) == 3
    whole = Captured().reader().read()
    waiting = len([job for job in whole.jobs if job.state == "pending"])
    assert dict(reading.left_out) == {"pending_jobs": waiting - 3, "users": 0, "accounts": 0}
    assert reading.queue == whole.queue


def test_the_accounting_is_asked_once_and_again_after_a_gap() -> None:
    slurm = Captured()
    reader = slurm.reader()
    assert reader.read().finished_window_seconds == 3600
    assert asked(slurm).count("sacct") == 1
    slurm.passed += 600
    reader.read()
    assert "sacct" not in asked(slurm)
    slurm.passed += 901
    assert reader.read().finished_window_seconds == 3600
    assert asked(slurm).count("sacct") == 1


@pytest.mark.parametrize(
    ("scope", "answers"),
    [
        (Scope(with_sacct=False), {}),
        (Scope(), {"sacct": DEAD}),
        (Scope(), {"scontrol show config": "MinJobAge = 900 sec\nAccountingStorageType = (null)\n"}),
    ],
    ids=["switched off", "dead", "not there"],
)
def test_without_the_accounting_the_window_is_what_slurmctld_remembers(
    scope: Scope, answers: dict[str, str | Ended | Exception]
) -> None:
    slurm = Captured(answers=answers)
    reader = slurm.reader(scope)
    reading = reader.read()
    assert reading.finished_window_seconds == 900
    assert reading.finished
    slurm.passed += 15
    assert reader.read().finished_window_seconds == 915


class TestPrivacy:
    """What PrivateData keeps from the exporter's user."""

    @pytest.fixture(autouse=True)
    def _is_nobody(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 65534)

    def test_without_it_nothing_is_hidden_and_nobody_asks_for_rights(self) -> None:
        slurm = Captured()
        assert slurm.reader().read().hidden == ()
        assert "sacctmgr" not in asked(slurm)

    def test_a_user_without_rights_is_told_what_it_does_not_see(self) -> None:
        slurm = Captured(private="jobs,usage,accounts", answers={"squeue": "", "sacctmgr": "None\n"})
        reading = slurm.reader().read()
        assert reading.is_up
        assert reading.hidden == ("jobs", "usage")
        assert reading.jobs == ()

    @pytest.mark.parametrize("answer", [DEAD, "", Overdue()])
    def test_rights_that_nobody_knows_are_none(self, answer: str | Ended | Exception) -> None:
        slurm = Captured(private="jobs", answers={"squeue": "", "sacctmgr": answer})
        assert slurm.reader().read().hidden == ("jobs",)

    def test_who_sees_jobs_of_others_may_see_jobs(self) -> None:
        assert Captured(private="jobs", answers={"sacctmgr": DEAD}).reader().read().hidden == ()

    def test_an_operator_sees_everything(self) -> None:
        slurm = Captured(private="jobs,reservations", answers={"squeue": "", "sacctmgr": "Operator\n"})
        assert slurm.reader().read().hidden == ()

    def test_slurms_own_user_sees_everything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 64030)
        slurm = Captured(private="jobs", answers={"squeue": ""})
        assert slurm.reader().read().hidden == ()
        assert "sacctmgr" not in asked(slurm)


def test_stopping_ends_a_reading_at_once(tmp_path: Path) -> None:
    squeue = tmp_path / "squeue"
    squeue.write_text(f"#!/bin/sh\necho > {tmp_path}/began\nexec sleep 60\n")
    squeue.chmod(squeue.stat().st_mode | stat.S_IXUSR)
    children, clock = Children(), Clock()
    reader = SlurmReader(Commands(tmp_path, PATIENCE, children.run, clock), Scope(), children.stop, clock)
    readings: list[Reading] = []
    thread = threading.Thread(target=lambda: readings.append(reader.read()))
    thread.start()
    until = time.monotonic() + PATIENCE
    while not (tmp_path / "began").exists() and time.monotonic() < until:
        time.sleep(0.01)
    reader.stop()
    thread.join(PATIENCE)
    assert [reading.is_up for reading in readings] == [False]
    assert errors(readings[0]) == {"squeue": "squeue was stopped: the exporter ends"}
    assert not reader.read().is_up


def test_where_no_slurm_is_the_exporter_says_so(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    assert main(["--once", "--slurm-bin", str(tmp_path)]) == 1
    assert b"\nslurm_up 0.0\n" in capfdbinary.readouterr().out
    assert f"squeue is not in {tmp_path}: install Slurm's commands" in caplog.text

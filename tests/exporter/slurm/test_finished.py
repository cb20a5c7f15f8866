"""Every job that ended within the window is known, or the window is told to be shorter."""

from __future__ import annotations

import pytest

from gpumon_exporter.slurm import finished
from gpumon_exporter.slurm.finished import FILLED_SECONDS, Finished
from gpumon_exporter.slurm.records import FinishedJob

HOUR = 3600.0


def job(number: int, ended_at: float | None, state: str = "completed") -> FinishedJob:
    """A job that ended."""
    return FinishedJob(str(number), "alice", "physics", "h100", state, "0:0", ended_at)


def ids(known: Finished) -> list[str]:
    """The jobs that are told, the newest first."""
    return [job.job_id for job in known.newest()]


def test_at_first_only_what_slurmctld_remembers_is_known() -> None:
    known = Finished(HOUR)
    known.add([job(1, 9000.0), job(2, 9800.0)])
    known.saw(10000.0, 300.0)
    assert known.window(10000.0) == 300.0
    assert ids(known) == ["2"]
    assert known.has_gap


def test_the_window_grows_while_nothing_is_missed() -> None:
    known = Finished(HOUR)
    for now, window in ((10000.0, 300.0), (10300.0, 600.0), (10600.0, 900.0)):
        known.add([job(int(now), now - 1)])
        known.saw(now, 300.0)
        assert known.window(now) == window
    assert ids(known) == ["10600", "10300", "10000"]


def test_what_ended_before_the_window_is_forgotten() -> None:
    known = Finished(HOUR)
    known.saw(10000.0, HOUR)
    known.add([job(1, 9000.0), job(2, 9500.0)])
    known.saw(12800.0, HOUR)
    assert known.window(12800.0) == HOUR
    assert ids(known) == ["2"]


def test_a_pause_longer_than_slurmctld_remembers_is_a_gap() -> None:
    known = Finished(HOUR)
    known.saw(10000.0, HOUR)
    known.filled(10000.0)
    assert not known.has_gap
    known.saw(10300.0, 300.0)
    assert not known.has_gap
    known.saw(10601.0, 300.0)
    assert known.has_gap
    assert known.window(10601.0) == 300.0


def test_the_accounting_fills_a_gap() -> None:
    known = Finished(HOUR)
    known.saw(10000.0, 300.0)
    known.add([job(1, 7000.0), job(2, 5000.0)])
    known.filled(10000.0)
    assert not known.has_gap
    assert known.window(10000.0) == HOUR
    assert ids(known) == ["1"]


def test_where_slurmctld_forgets_at_once_the_window_does_not_flicker_between_two_fillings() -> None:
    known = Finished(HOUR)
    known.saw(10000.0, 2.0)
    known.filled(10000.0)
    for now in (10015.0, 10030.0, 10045.0):
        known.saw(now, 2.0)
        assert known.has_gap
        assert known.window(now) == HOUR
    known.saw(10000.0 + FILLED_SECONDS + 15, 2.0)
    assert known.window(10000.0 + FILLED_SECONDS + 15) == 2.0


def test_a_job_that_ended_again_counts_once() -> None:
    known = Finished(HOUR)
    known.saw(10000.0, HOUR)
    known.add([job(1, 9000.0, "failed"), job(1, 9900.0), job(1, 9500.0, "timeout"), job(2, None)])
    known.window(10000.0)
    assert known.counts() == (("h100", "completed", 1),)


def test_too_many_jobs_make_the_window_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "MOST", 3)
    known = Finished(HOUR)
    known.saw(10000.0, HOUR)
    known.add(job(number, 9000.0 + number) for number in range(10))
    assert known.window(10000.0) == 10000.0 - 9006.0
    assert known.counts() == (("h100", "completed", 3),)
    known.add(job(number, 9000.0 + number) for number in range(10))
    known.saw(10015.0, HOUR)
    assert known.window(10015.0) == 10015.0 - 9006.0
    assert ids(known) == ["9", "8", "7"]


def test_only_the_newest_are_told_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finished, "NEWEST", 2)
    known = Finished(HOUR)
    known.saw(10000.0, HOUR)
    known.add(job(number, 9000.0 + number, "failed" if number % 2 else "completed") for number in range(5))
    known.window(10000.0)
    assert ids(known) == ["4", "3"]
    assert known.counts() == (("h100", "completed", 3), ("h100", "failed", 2))

"""Slurm in trouble under a running exporter: its numbers vanish, nothing is invented, and all comes back by itself."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from real.daemons import Daemon, until
from real.slurm import expected_jobs, expected_queue
from real.slurm.compared import at_rest, differences
from real.slurm.scenario import Scenario
from real.slurm.told import Told, exporter, told, value
from slurm_site.site import SlurmSite

pytestmark = pytest.mark.xdist_group("slurm")
RELEASES = ("system", "newest")

OF_THE_EXPORTER = ("gpumon_exporter_", "process_", "slurm_up")
Trouble = Callable[[SlurmSite], "Generator[None]"]


def a_dead_slurmctld(site: SlurmSite) -> Generator[None]:
    site.slurmctld.end(signal.SIGKILL)
    yield
    site.slurmctld.start()
    site.slurmctld.ready(site.is_up)
    # Until its nodes report again, it tells less of what is in use than it gave out.
    until(lambda: "(IDX:" in site.run("sinfo", "-h", "-n", "h01", "-O", "GresUsed:100"), "nodes that report")


def a_frozen_slurmctld(site: SlurmSite) -> Generator[None]:
    site.slurmctld.freeze()
    yield
    site.slurmctld.thaw()


def a_dead_munged(site: SlurmSite) -> Generator[None]:
    site.munged.end(signal.SIGKILL)
    yield
    site.munged.start()
    site.munged.ready(site.is_up)


@pytest.fixture
def impatient(site: SlurmSite, scenario: Scenario, tmp_path: Path) -> Iterator[Daemon]:
    """An exporter that gives each command two seconds."""
    daemon = exporter(site, tmp_path / "log", "--timeout=2")
    daemon.start()
    try:
        until(lambda: value(told(daemon), "slurm_up") == 1, "a first reading")
        yield daemon
    finally:
        daemon.stop()


def others(found: Told) -> set[str]:
    """The families that only Slurm can fill."""
    return {name for name in found if not name.startswith(OF_THE_EXPORTER)}


@pytest.mark.parametrize("trouble", [a_dead_slurmctld, a_frozen_slurmctld, a_dead_munged])
def test_what_slurm_said_vanishes_and_comes_back(scenario: Scenario, impatient: Daemon, trouble: Trouble) -> None:
    with contextmanager(trouble)(scenario.site):
        until(lambda: value(told(impatient), "slurm_up") == 0, f"slurm_up 0\n{impatient.told()}")
        found = told(impatient)
        assert not others(found)
        assert not told(impatient, "/metrics/jobs")
        assert value(found, "gpumon_exporter_command_up", command="squeue") == 0
        age = value(found, "gpumon_exporter_reading_age_seconds")
        until(lambda: (value(told(impatient), "gpumon_exporter_reading_age_seconds") or 0) > (age or 0), "a higher age")
    until(lambda: value(told(impatient), "slurm_up") == 1, f"slurm_up 1\n{impatient.told()}")
    again = at_rest(scenario, impatient)
    assert not differences(again.exporter, expected_jobs.jobs(again.slurm.live))
    assert not differences(again.exporter, expected_queue.machines(again.slurm))


def test_missing_commands_are_named_and_found_when_they_come(
    site: SlurmSite, scenario: Scenario, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    daemon = exporter(site, tmp_path / "log", f"--slurm-bin={folder}")
    daemon.start()
    try:
        until(lambda: value(told(daemon), "slurm_up") == 0, "slurm_up 0")
        assert not others(told(daemon))
        assert "--slurm-bin" in daemon.told(), "what helps"
        assert str(folder) in daemon.told()
        for program in ("squeue", "sinfo", "scontrol", "sdiag", "sshare", "sacct", "sacctmgr"):
            (folder / program).symlink_to(site.commands / program)
        until(lambda: value(told(daemon), "slurm_up") == 1, "slurm_up 1")
        assert told(daemon)["gpumon_job_info"]
    finally:
        daemon.stop()

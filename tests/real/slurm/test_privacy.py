"""The exporter as one file, run by a user who has no rights: what Slurm keeps from him is said, not guessed."""

from __future__ import annotations

import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from needs import skipped_or_failed
from real.daemons import Daemon, until
from real.slurm.scenario import Scenario
from real.slurm.told import told, value
from slurm_site.layout import STRANGER
from slurm_site.programs import NOBODY
from slurm_site.site import SlurmSite

pytestmark = pytest.mark.xdist_group("slurm")

PACK = Path(__file__).parents[3] / "ci" / "exporter_zipapp.py"
PRIVATE = "PrivateData=jobs\n"


def restart(site: SlurmSite) -> None:
    """Lets slurmctld read its configuration again."""
    site.slurmctld.end()
    site.slurmctld.start()
    site.slurmctld.ready(site.is_up)


@pytest.fixture
def private(scenario: Scenario) -> Iterator[SlurmSite]:
    """The cluster with jobs that only their users see."""
    site, file = scenario.site, scenario.site.folder / "slurm.conf"
    before = file.read_text()
    file.write_text(before + PRIVATE)
    try:
        restart(site)
        yield site
    finally:
        file.write_text(before)
        restart(site)


@pytest.fixture
def of_a_stranger(private: SlurmSite) -> Iterator[Daemon]:
    """The packed exporter under the system's python3 and a user without rights."""
    packed = private.folder / "gpumon-slurm-exporter.pyz"
    subprocess.run([sys.executable, PACK, packed], check=True)
    python = shutil.which("python3", path="/usr/bin:/bin")
    if python is None:
        skipped_or_failed("There is no python3 that everybody may run.")
    user = f"--userspec={pwd.getpwnam(STRANGER).pw_uid}:{NOBODY}"
    environment = [f"{key}={word}" for key, word in private.environment.items()]
    daemon = Daemon(
        lambda port: [
            *("env", *environment, "chroot", user, "--groups=", "/", python, str(packed)),
            *(f"--listen=127.0.0.1:{port}", "--interval=1"),
        ],
        "/healthz",
        private.folder / "log" / "exporter-of-a-stranger",
    )
    daemon.start()
    yield daemon
    daemon.stop()


def test_hidden_jobs_are_said_to_be_hidden_until_the_right_is_given(
    private: SlurmSite, of_a_stranger: Daemon, exporter_of_site: Daemon
) -> None:
    until(lambda: value(told(of_a_stranger), "slurm_up") == 1, f"a reading\n{of_a_stranger.told()}")
    found = told(of_a_stranger)
    assert value(found, "gpumon_exporter_hidden", what="jobs") == 1
    assert not found.get("gpumon_job_info")
    assert found["gpumon_node_info"]

    private.run("sacctmgr", "-i", "add", "user", STRANGER, "account=physics", "adminlevel=operator")
    until(lambda: bool(told(of_a_stranger).get("gpumon_job_info")), "the jobs of others")
    until(lambda: not told(of_a_stranger).get("gpumon_exporter_hidden"), "nothing that is hidden")
    until(lambda: told(of_a_stranger)["gpumon_job_info"] == told(exporter_of_site)["gpumon_job_info"], "the same jobs")

"""A job on its way through a real Slurm, the exporter and a real Prometheus to whoever asks gpumon."""

from __future__ import annotations

from pathlib import Path

import pytest

from real.daemons import Daemon, Engine, until
from real.slurm import gpumon, truth
from real.slurm.cards import MIG_NODE
from real.slurm.scenario import Scenario
from real.slurm.told import told, value
from slurm_site.layout import ADA
from slurm_site.site import SlurmSite

pytestmark = pytest.mark.xdist_group("slurm")
RELEASES = ("system", "newest")


def state(daemon: Daemon, job: str) -> str | None:
    """The state that the exporter tells of a job."""
    found = (dict(labels) for labels in told(daemon).get("gpumon_job_info", {}))
    return next((labels["state"] for labels in found if labels["job_id"] == job), None)


def wait_for_one_scrape(engine: Engine, daemon: Daemon, job: str, wanted: str | None) -> None:
    """Returns once the exporter says so, and Prometheus has scraped it one time since."""
    until(lambda: state(daemon, job) == wanted, f"job {job} to be {wanted}")
    said = value(told(daemon), "gpumon_exporter_last_reading_time_seconds")
    until(lambda: engine.query("gpumon_exporter_last_reading_time_seconds")[0].value >= (said or 0), "one scrape")


def test_a_job_is_followed_from_waiting_to_running_to_gone(
    site: SlurmSite, scenario: Scenario, exporter_of_site: Daemon, engine: Engine, tmp_path: Path
) -> None:
    number = site.submit(ADA, "--job-name=followed", "--partition=short", "--gres=gpu:2", "--hold")
    scenario.names[number] = "followed"
    wait_for_one_scrape(engine, exporter_of_site, number, "pending")
    job = gpumon.jobs(engine, tmp_path)[number]
    assert (job["state"], job["reason"], job["reason_words"]) == ("pending", "JobHeldUser", "held by its user")
    assert (job["user"], job["gpus"], job["held_gpus"], job["started_at"]) == (ADA, 2, [], None)

    site.run("scontrol", "release", number)
    wait_for_one_scrape(engine, exporter_of_site, number, "running")
    job = gpumon.jobs(engine, tmp_path)[number]
    (said,) = truth.jobs(site, scenario.names, number)
    held = {(one.node, index) for one in said.held for index in one.indices}
    assert len(held) == 2
    assert {(gpu["node"], gpu["index"]) for gpu in job["held_gpus"]} == held
    assert (job["state"], job["user"], job["account"]) == ("running", ADA, "physics")
    assert (job["nodes"], job["started_at"]) == (said["NodeList"], float(said["StartTime"]))

    site.run("scancel", number)
    wait_for_one_scrape(engine, exporter_of_site, number, None)
    assert number not in gpumon.jobs(engine, tmp_path)


def test_every_job_holds_the_gpus_that_scontrol_says(
    site: SlurmSite, scenario: Scenario, engine: Engine, tmp_path: Path
) -> None:
    found = gpumon.jobs(engine, tmp_path)
    known = [job for job in truth.jobs(site, scenario.names) if job.held and job["NodeList"] != MIG_NODE]
    assert len(known) > 10
    for said in known:
        held = {(one.node, index) for one in said.held for index in one.indices}
        assert {(gpu["node"], gpu["index"]) for gpu in found[said["JobId"]]["held_gpus"]} == held, said.name

"""What an earlier run left at work on a machine is not disturbed: one waits for it, or says whose it is."""

from __future__ import annotations

import pytest

from gpumon_setup.facts import read_facts
from gpumon_setup.failures import ConnectionBroke
from gpumon_setup.host import Outcome, RunCommand
from setup.deployments import Cluster
from setup.fake_host import FakeHost

WHO = "ann on laptop, since 2026-11-25 10:00:00 UTC"


def working(host: FakeHost, code: int) -> None:
    """Somebody works there, until one has waited."""

    def wait(_: RunCommand) -> Outcome:
        if code == 0:
            del host.sections["work"]
        return Outcome(code)

    host.sections["work"] = f"{WHO}\n"
    host.commands["flock",] = wait


def test_a_run_waits_for_what_an_earlier_one_left_at_work(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    working(cluster["gpu1"], 0)
    assert cluster.run("--yes") == 0
    assert f"gpu1: another run of gpumon setup is at work there: by {WHO}. Waiting up to" in capsys.readouterr().err
    assert cluster.run("--check") == 0


def test_who_waited_in_vain_goes_on_without_that_machine(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    working(cluster["gpu1"], 1)
    before = cluster["gpu1"].picture()
    assert cluster.run("--yes") == 1
    assert f"gpu1: another run of gpumon setup is still at work there: by {WHO}." in capsys.readouterr().out
    assert cluster["gpu1"].picture() == before
    assert "gpumon-node-exporter" in cluster["gpu2"].containers


def test_who_only_looks_waits_for_nobody(cluster: Cluster) -> None:
    working(cluster["gpu1"], 1)
    assert cluster.run("plan") == 0
    assert "work" in cluster["gpu1"].sections


def test_the_controller_is_asked_whatever_a_run_is_about(cluster: Cluster) -> None:
    cluster.hosts["ctl"] = FakeHost("ctl", "10.77.0.9", sections={"slurm.nodes": "NodeName=gpu1 Gres=gpu:2\n"})
    cluster.configure('[setup]\nmaster = "head"\ncontroller = "ctl"\nnodes = ["gpu[1-2]"]\n')
    assert read_facts(cluster["ctl"]).slurm.node_gpus == {"gpu1": 2}
    assert cluster.run("plan", "--limit", "gpu1") == 1  # it has four GPUs, and Slurm counts two
    assert sorted(cluster.dialled) == ["ctl", "gpu1", "head"]


def test_a_controller_that_is_off_is_no_failure_of_a_run_about_others(cluster: Cluster) -> None:
    cluster.configure('[setup]\nmaster = "head"\ncontroller = "ctl"\nnodes = ["gpu[1-2]"]\n')
    cluster.unreachable["ctl"] = ConnectionBroke("ctl", "it is off.")
    assert cluster.run("plan", "--limit", "gpu1") == 0


def test_of_a_machine_that_goes_away_before_the_second_look_nothing_is_claimed(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    class Leaving(FakeHost):
        def perform(self, *args: object, **more: object) -> None:
            super().perform(*args, **more)  # type: ignore[arg-type]  # as they came
            self.faults[""] = ConnectionBroke("gpu1", "the connection broke.")

    cluster.hosts["gpu1"] = Leaving("gpu1", "10.77.0.3", gpus=4)
    cluster.prometheus.attach()
    assert cluster.run("--yes") == 1
    said = capsys.readouterr()
    assert "still to be done" not in said.err
    assert "gpu1 went away after the work: the connection broke." in said.err
    assert "node_exporter is scraped: head,gpu2" in said.out

"""With --json standard output holds one object, whatever happens, and people read standard error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gpumon_setup.failures import ConnectionBroke, Unreachable
from setup.deployments import CONFIG, Cluster
from setup.fake_host import FakeHost

UPGRADED = f'{CONFIG}[setup.node_exporter]\nimage = "mirror/ne:2"\n'


@pytest.fixture
def deployed(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> Cluster:
    assert cluster.run("--yes") == 0
    capsys.readouterr()
    return cluster


def object_of(cluster: Cluster, capsys: pytest.CaptureFixture[str], code: int, *typed: str) -> Any:
    """The one object on standard output."""
    assert cluster.run(*typed, "--json") == code
    return json.loads(capsys.readouterr().out)


def hosts(plan: Any) -> list[str]:
    """Machines that a plan changes."""
    return [host["host"] for host in plan["hosts"] if host["changes"]]


def test_a_first_run_tells_its_plan(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert hosts(object_of(cluster, capsys, 0, "--yes")) == ["head", "gpu1", "gpu2"]


def test_a_run_that_fails_in_the_middle_tells_its_plan(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster["gpu1"].faults["pull the image"] = ConnectionBroke("gpu1", "the connection broke.")
    assert hosts(object_of(cluster, capsys, 1, "--yes")) == ["head", "gpu1", "gpu2"]


def test_a_run_whose_work_is_undone_meanwhile_tells_its_plan(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    class Forgetful(FakeHost):
        def perform(self, *steps: object, **heard: object) -> None:
            del steps, heard

    cluster.hosts["gpu1"] = Forgetful("gpu1", "10.77.0.3")
    assert hosts(object_of(cluster, capsys, 1, "--yes")) == ["head", "gpu1", "gpu2"]


def test_an_upgrade_tells_its_plan(deployed: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.configure(UPGRADED)
    assert hosts(object_of(deployed, capsys, 0, "upgrade", "--yes")) == ["head", "gpu1", "gpu2"]


def test_an_upgrade_that_goes_back_tells_its_plan(deployed: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.configure(UPGRADED)
    deployed.prometheus.broken_images.add("mirror/ne:2")
    assert hosts(object_of(deployed, capsys, 1, "upgrade", "--yes")) == ["head", "gpu1", "gpu2"]


def test_a_node_that_comes_and_goes_is_told_with_the_rest(
    deployed: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.hosts["gpu3"] = FakeHost("gpu3", "10.77.0.5", gpus=4)
    deployed.prometheus.attach()
    assert hosts(object_of(deployed, capsys, 0, "add-node", "gpu3", "--yes")) == ["head", "gpu1", "gpu2", "gpu3"]
    assert hosts(object_of(deployed, capsys, 0, "remove-node", "gpu3", "--yes")) == ["gpu3", "head", "gpu1", "gpu2"]


def test_a_node_that_cannot_be_cleared_is_told(deployed: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.unreachable["gpu2"] = Unreachable("gpu2", "it is off.")
    told = object_of(deployed, capsys, 1, "remove-node", "gpu2", "--yes")
    assert (hosts(told), told["failures"]) == ([], {"gpu2": "it is off."})
    told = object_of(deployed, capsys, 1, "remove-node", "gpu2", "--yes", "--force")
    assert (hosts(told), told["failures"]) == (["head", "gpu1"], {"gpu2": "it is off."})


@pytest.mark.parametrize("typed", [["uninstall", "--yes"], ["plan"], ["status"], ["verify"], ["--check"]])
def test_every_other_verb_tells_one_object(
    deployed: Cluster, capsys: pytest.CaptureFixture[str], typed: list[str]
) -> None:
    assert object_of(deployed, capsys, 0, *typed)["schema"].startswith("gpumon.setup.")


def test_one_machine_is_no_machines(deployed: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert deployed.run("plan", "--limit", "gpu1") == 0
    assert "Looking at 1 machine …" in capsys.readouterr().err
    assert deployed.run("plan") == 0
    assert "Looking at 3 machines …" in capsys.readouterr().err

"""Gives each module of lab tests a fresh cluster, and this process a place on its network.

Several processes of pytest-xdist have a lab each, under names of their own.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import cast

import pytest

from lab import access
from lab.ability import require_a_lab
from lab.cluster import Cluster
from lab.deploying import AtSeat
from lab.ground import room_for_several
from lab.hosts import Lab
from lab.places import places
from lab.plan import Plan


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known wherever this folder is collected."""
    config.addinivalue_line("markers", "lab(plan): needs a cluster of real machines, made by root; see tests/lab")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker:
        os.environ["GPUMON_LAB_NAME"] = f"{places().name}{worker}"
    elif config.getoption("numprocesses", None) and config.getoption("markexpr", "") == "lab":
        config.add_cleanup(room_for_several())


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest) -> Generator[Lab]:
    """A cluster by the plan in the module's marker, `pytestmark = pytest.mark.lab(Plan(...))`, new for each module.

    While it is up, everything in this process that speaks to a network speaks to the lab's.
    """
    node = cast("pytest.Module", request.node)
    plans: list[Plan] = [marker.args[0] for marker in node.iter_markers("lab") if marker.args]
    plan = plans[0] if plans else Plan()
    here = places()
    require_a_lab(here)
    cluster = Cluster(here)
    cluster.down()
    cluster.up(plan)
    try:
        with access.seated(here):
            yield Lab(cluster)
    finally:
        cluster.down()


@pytest.fixture(scope="module")
def seat(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> AtSeat:
    """The administrator, who needs no password anywhere."""
    return AtSeat(lab, tmp_path_factory.mktemp("administrator"))

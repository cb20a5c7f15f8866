"""The whole stack on the oldest release that is promised: Debian 12 with docker 20.10, Slurm 22.05 and Python 3.11."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.archive import OLDEST
from lab.deploying import AtSeat, by_node, targets, told
from lab.hosts import Lab
from lab.plan import Plan

pytestmark = pytest.mark.lab(Plan(machines=3, suite=OLDEST, gpus=2, flavor="slurm", is_slurm_on=True))

NOW = "docker --version; scontrol --version; systemctl --version; python3 --version"
UNITS = "systemctl list-unit-files --no-legend --no-pager"
IMAGES = "docker images --format '{{.Repository}}:{{.Tag}}'"


def test_debian_12_is_set_up_looked_at_and_left_as_it_was(lab: Lab, tmp_path: Path) -> None:
    seat = AtSeat(lab, tmp_path)
    seat.configure("[setup.prometheus]\nscrape_interval = 5")
    versions = lab.master.root(NOW)
    assert all(version in versions for version in ("20.10.", "slurm-wlm 22.05.", "systemd 252 ", "Python 3.11."))
    before = {name: (host.traces(), host.root(UNITS), host.root(IMAGES)) for name, host in lab.hosts.items()}
    assert "checks are ok." in told(seat.setup("--yes", "--no-diff"))
    assert "Nothing to do." in told(seat.setup("--check"))
    assert {health for _, _, health in targets(lab.master)} == {"up"}
    assert by_node(lab.master, "count by (node) (DCGM_FI_DEV_GPU_TEMP)") == {"node1": 2, "node2": 2}
    assert by_node(lab.master, "count by (node) (gpumon_slurm_gpu_info)") == {"node1": 2, "node2": 2}
    told(seat.setup("uninstall", "--yes", "--no-diff"))
    for name, host in lab.hosts.items():
        traces, *others = before[name]
        assert host.traces().since(traces) == []
        assert [host.root(UNITS), host.root(IMAGES)] == others
        assert host.containers() == {}

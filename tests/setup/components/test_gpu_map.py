"""The service that tells at every boot which card each of Slurm's numbers means."""

from __future__ import annotations

import pytest

from gpumon_setup.components import CannotHave
from gpumon_setup.components.gpu_map import GpuMap
from gpumon_setup.resources import Unit
from setup.components.places import place, text_of, the
from setup.deployments import Cluster

MAP = GpuMap()
UNIT = "/etc/systemd/system/gpumon-gpu-map.service"


def test_it_writes_under_slurms_name_into_node_exporters_folder(cluster: Cluster) -> None:
    unit = text_of(MAP, place(cluster, "gpu1"), UNIT)
    assert (
        "ExecStart=/usr/bin/env python3 /usr/local/lib/gpumon/slurm-exporter.pyz gpu-map "
        "--node=gpu1 --output=/var/lib/gpumon/textfile/gpumon_gpu_map.prom\n"
    ) in unit
    assert "Type=oneshot\nRemainAfterExit=yes\n" in unit


def test_the_map_goes_with_the_service(cluster: Cluster) -> None:
    unit = text_of(MAP, place(cluster, "gpu1"), UNIT)
    assert "ExecStopPost=/usr/bin/env rm -f /var/lib/gpumon/textfile/gpumon_gpu_map.prom\n" in unit


def test_a_node_without_gpus_or_without_slurm_has_none(cluster: Cluster) -> None:
    cluster["gpu1"].gpus = 0
    cluster["gpu2"].sections["slurm"] = ""
    for name in ("head", "gpu1", "gpu2"):
        assert MAP.wanted(place(cluster, name)) == ()


def test_options_are_passed_on(cluster: Cluster) -> None:
    section = '[setup.gpu_map]\npartial = true\nslurmd = "/opt/slurm/sbin/slurmd"\nslurm_conf = "/opt/slurm/slurm.conf"'
    unit = text_of(MAP, place(cluster, "gpu1", f'{section}\npython = "/usr/bin/python3.11"'), UNIT)
    assert "ExecStart=/usr/bin/python3.11 /usr/local" in unit
    assert " --partial --slurmd=/opt/slurm/sbin/slurmd --slurm-conf=/opt/slurm/slurm.conf\n" in unit


def test_an_old_python_is_refused_with_the_way_around(cluster: Cluster) -> None:
    cluster["gpu1"].sections["python"] = "Python 3.6.8\n"
    with pytest.raises(CannotHave, match=r"its python3 is 3\.6\.8; .* \[setup\.gpu_map\] python ="):
        MAP.wanted(place(cluster, "gpu1"))


def test_the_map_is_made_at_once_and_only_once(cluster: Cluster) -> None:
    cluster.run("--yes")
    unit = cluster["gpu1"].units["gpumon-gpu-map.service"]
    assert (unit.starts, unit.is_enabled) == (1, True)
    assert cluster.run("--check") == 0
    assert unit.starts == 1
    assert the(Unit, MAP.wanted(place(cluster, "gpu1"))).file is not None

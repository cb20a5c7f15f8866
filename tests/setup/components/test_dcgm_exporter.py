"""Which dcgm-exporter a node with GPUs gets, with which rights, and why one cannot have it."""

from __future__ import annotations

import re

import pytest

from gpumon.errors import ConfigError
from gpumon.prometheus.queries import GPU_METRIC_BY_NAME
from gpumon_setup.components import CannotHave, images
from gpumon_setup.components.dcgm_exporter import DcgmExporter, counters_file
from gpumon_setup.resources import Container, File, Unit
from setup.components.places import container_of, place, text_of, the
from setup.deployments import Cluster
from setup.fake_host import FakeHost

DCGM = DcgmExporter()
SPELT_OTHERWISE = {"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"}
"""Elder names of what is read by its newer one."""


def fields(content: bytes) -> dict[str, str]:
    """Type by field, read as the exporter reads the file."""
    rows = [line.split(",") for line in content.decode().splitlines() if line and not line.startswith("#")]
    assert {len(row) for row in rows} == {3}
    return {row[0].strip(): row[1].strip() for row in rows}


def test_a_node_gets_all_its_gpus_the_right_to_profile_and_our_counters(cluster: Cluster) -> None:
    container = container_of(DCGM, place(cluster, "gpu1"))
    assert container.image == images.DCGM_EXPORTER
    assert container.options == ("--gpus=all",)
    assert container.capabilities == ("SYS_ADMIN",)
    assert container.command == (
        "--collectors=/etc/gpumon/dcgm-exporter/counters.csv",
        "--address=10.77.0.3:9400",
        "--collect-interval=15000",
    )
    assert "/etc/gpumon/dcgm-exporter:/etc/gpumon/dcgm-exporter:ro" in container.volumes


def test_only_nodes_with_gpus_have_it(cluster: Cluster) -> None:
    cluster["gpu2"].gpus = 0
    cluster["head"].gpus = 1
    assert DCGM.wanted(place(cluster, "gpu2")) == ()
    assert DCGM.wanted(place(cluster, "head")) == ()


def test_all_that_gpumon_reads_is_told() -> None:
    told = fields(counters_file(profiles=True))
    assert set(GPU_METRIC_BY_NAME) - SPELT_OTHERWISE <= told.keys()
    assert set(told.values()) == {"gauge", "counter", "label"}


def test_without_profiling_no_field_and_no_right_is_left_of_it(cluster: Cluster) -> None:
    without = place(cluster, "gpu1", "[setup.dcgm_exporter]\nprofiling = false")
    assert container_of(DCGM, without).capabilities == ()
    told = fields(text_of(DCGM, without, "counters.csv").encode())
    assert not [name for name in told if name.startswith("DCGM_FI_PROF")]
    assert told.keys() == {name for name in fields(counters_file(profiles=True)) if "_PROF_" not in name}


def test_cards_that_cannot_be_profiled_get_no_right_for_it_unless_told(cluster: Cluster) -> None:
    cluster["gpu1"].sections["gpus"] = "0, GPU-1, NVIDIA GeForce RTX 4090, 570.1, Disabled\n"
    assert container_of(DCGM, place(cluster, "gpu1")).capabilities == ()
    told = place(cluster, "gpu1", "[setup.dcgm_exporter]\nprofiling = true")
    assert container_of(DCGM, told).capabilities == ("SYS_ADMIN",)


def test_a_host_engine_does_the_work_where_one_runs(cluster: Cluster) -> None:
    cluster["gpu1"].sections["hostengine"] = "yes\n"
    container = container_of(DCGM, place(cluster, "gpu1"))
    assert "--remote-hostengine-info=localhost:5555" in container.command
    assert container.capabilities == ()
    alone = container_of(DCGM, place(cluster, "gpu1", '[setup.dcgm_exporter]\nhost_engine = "embedded"'))
    assert not [word for word in alone.command if "hostengine" in word]
    assert alone.capabilities == ("SYS_ADMIN",)
    named = container_of(DCGM, place(cluster, "gpu2", '[setup.dcgm_exporter]\nhost_engine = "localhost:5556"'))
    assert "--remote-hostengine-info=localhost:5556" in named.command


def test_a_specification_that_docker_found_is_used(cluster: Cluster) -> None:
    cluster["gpu1"].sections["docker"] = (
        '{"ServerVersion":"28.5.2","Runtimes":{"nvidia":{}},"DiscoveredDevices":[{"Source":"cdi","ID":"nvidia.com/gpu=all"}]}\n'
    )
    assert container_of(DCGM, place(cluster, "gpu1")).options == ("--device=nvidia.com/gpu=all",)
    told = place(cluster, "gpu1", '[setup.dcgm_exporter]\ngpu_access = "gpus"')
    assert container_of(DCGM, told).options == ("--gpus=all",)


def test_docker_29_gets_the_image_that_it_can_pull(cluster: Cluster) -> None:
    cluster["gpu1"].sections["docker"] = '{"ServerVersion":"29.5.0"}\n'
    assert container_of(DCGM, place(cluster, "gpu1")).image == images.DCGM_EXPORTER_FOR_DOCKER_29


def test_podman_runs_it_as_a_unit_with_a_specification(cluster: Cluster) -> None:
    host = cluster["gpu1"]
    host.has_docker, host.has_podman = False, True
    resources = DCGM.wanted(place(cluster, "gpu1"))
    assert "--device=nvidia.com/gpu=all" in the(File, resources, ".service").content.decode()
    assert the(Unit, resources).name == "gpumon-dcgm-exporter.service"
    assert not [one for one in resources if isinstance(one, Container)]


def test_where_natives_are_wanted_it_still_is_a_container(cluster: Cluster) -> None:
    assert container_of(DCGM, place(cluster, "gpu1", setup='engine = "native"')).name == "gpumon-dcgm-exporter"


@pytest.mark.parametrize(
    ("sections", "engine", "reason"),
    [
        ({"toolkit": "", "cdi": ""}, "docker", "docker cannot give GPUs to containers; install"),
        ({"cdi": ""}, "podman", "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"),
        ({"toolkit": "", "cdi": ""}, "podman", "install nvidia-container-toolkit .*, then nvidia-ctk cdi generate"),
        ({}, "native", "install docker or podman here, or do without"),
        ({"gpus": "", "gpus.code": "127\n"}, "docker", "4 GPUs are on the PCI bus, and no NVIDIA driver"),
        (
            {"gpus": "Driver/library version mismatch\x1b[2J\n", "gpus.code": "18\n"},
            "docker",
            r"nvidia-smi says: Driver/library version mismatch\\e\[2J",
        ),
    ],
)  # fmt: skip
def test_a_node_that_cannot_have_it_is_told_why_and_what_to_do(
    cluster: Cluster, sections: dict[str, str], engine: str, reason: str
) -> None:
    host = cluster["gpu1"]
    host.sections.update(sections)
    host.has_docker, host.has_podman = engine == "docker", engine == "podman"
    with pytest.raises(CannotHave, match=reason):
        DCGM.wanted(place(cluster, "gpu1"))


def test_a_node_whose_gpus_only_slurm_sees_is_told(cluster: Cluster) -> None:
    cluster["gpu1"].gpus = 0
    cluster["head"].sections["slurm.nodes"] = "NodeName=gpu1 Gres=gpu:h100:4\n"
    with pytest.raises(CannotHave, match="Slurm counts GPUs here, and none is on the PCI bus"):
        DCGM.wanted(place(cluster, "gpu1"))


def test_a_job_map_is_read_where_one_is_written(cluster: Cluster) -> None:
    told = place(cluster, "gpu1", '[setup.dcgm_exporter]\njob_map = "/var/lib/gpumon/job-map"')
    container = container_of(DCGM, told)
    assert "--hpc-job-mapping-dir=/var/lib/gpumon/job-map" in container.command
    assert "/var/lib/gpumon/job-map:/var/lib/gpumon/job-map:ro" in container.volumes


@pytest.mark.parametrize(
    "line",
    [
        'image = "-v/:/host"',
        'image = "a b"',
        'image = "x:$(id)"',
        'job_map = "/a b"',
        'job_map = "/a:/b"',
        'job_map = "relative"',
        "port = 0",
        'profiling = "yes"',
        'host_engine = "localhost;id:1"',
        'gpu_access = "all"',
        "prot = 1",
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_machine_is_asked(cluster: Cluster, line: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"setup.dcgm_exporter.{line.partition(' ')[0]}")):
        place(cluster, "gpu1", f"[setup.dcgm_exporter]\n{line}")


def test_another_list_of_counters_makes_the_container_anew(cluster: Cluster) -> None:
    cluster.run("--yes")
    before = cluster["gpu1"].containers["gpumon-dcgm-exporter"].argv
    cluster.configure('[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\n[setup.dcgm_exporter]\nprofiling = false\n')
    assert cluster.run("--yes") == 0
    assert cluster["gpu1"].containers["gpumon-dcgm-exporter"].argv != before
    assert "_PROF_" not in cluster["gpu1"].text("/etc/gpumon/dcgm-exporter/counters.csv")
    assert cluster.run("--check") == 0


def test_a_missing_toolkit_stops_this_node_alone(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    host: FakeHost = cluster["gpu1"]
    host.sections.update({"toolkit": "", "cdi": ""})
    assert cluster.run("--yes") == 1
    assert "CANNOT: dcgm_exporter: docker cannot give GPUs" in capsys.readouterr().out
    assert host.containers == {}
    assert cluster["gpu2"].containers["gpumon-dcgm-exporter"].is_running

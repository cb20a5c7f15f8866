"""The lab's GPUs look like GPUs to whoever sets up, and reach containers only in the ways that reach real ones."""

from __future__ import annotations

import pytest

from lab.gpus import DRIVER, MODEL, StandInGpu
from lab.hosts import Lab, LabHost
from lab.plan import Plan
from real.daemons import until

pytestmark = pytest.mark.lab(Plan(machines=2, gpus=2, has_host_engine=True))

EXPORTER = "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless"
MINE = """\
DCGM_FI_DEV_GPU_UTIL, gauge, Busy.
DCGM_FI_PROF_SM_ACTIVE, gauge, Busy too.
DCGM_FI_DRIVER_VERSION, label, Driver.
"""


@pytest.fixture
def node(lab: Lab) -> LabHost:
    """The node with GPUs, with a counters file and without an exporter."""
    host = lab.nodes[0]
    host.write("/opt/counters.csv", MINE.encode())
    host.ssh("sudo docker rm -f exporter")
    return host


def exported(node: LabHost, options: str, flags: str = "") -> str:
    """What an exporter says that is run with `options` by docker and with `flags` of its own."""
    run = "sudo docker run -d --name exporter --network host -v /opt/counters.csv:/counters.csv:ro"
    node.sh(f"{run} {options} {EXPORTER} -f /counters.csv -a {node.address}:9400 {flags}")
    page = f"curl -sf http://{node.address}:9400/metrics"
    until(lambda: node.ssh(f'{page} || test -z "$(sudo docker ps -q)"').returncode == 0, "it answers or has ended")
    return node.sh(f"{page} || {{ sudo docker logs exporter >&2; false; }}")


def refusal(node: LabHost, options: str, flags: str = "") -> str:
    """What an exporter says that does not start."""
    ran = node.ssh(f"sudo docker run --rm {options} {EXPORTER} {flags}")
    assert ran.returncode != 0
    return ran.stderr


def test_nvidia_smi_and_the_drivers_pages_agree(node: LabHost) -> None:
    uuids = [StandInGpu(node.name, index).uuid for index in (0, 1)]
    assert node.sh("nvidia-smi --query-gpu=uuid --format=csv,noheader").split() == uuids
    assert all(uuid in node.sh("cat /proc/driver/nvidia/gpus/*/information") for uuid in uuids)
    assert node.sh("nvidia-ctk cdi list").split() == ["nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=all"]


def test_an_exporter_tells_its_counters_of_each_gpu(node: LabHost) -> None:
    text = exported(node, "--gpus all --cap-add SYS_ADMIN")
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert families == ["DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_SM_ACTIVE"]
    first = StandInGpu(node.name, 0)
    labels = f'gpu="0",UUID="{first.uuid}",pci_bus_id="0000{first.bus.upper()}",device="nvidia0",modelName="{MODEL}"'
    assert f'DCGM_FI_DEV_GPU_UTIL{{{labels},Hostname="{node.name}",DCGM_FI_DRIVER_VERSION="{DRIVER}"}} ' in text
    assert text.count("DCGM_FI_DEV_GPU_UTIL{") == 2


def test_without_the_right_nothing_is_profiled(node: LabHost) -> None:
    assert "PROF" not in exported(node, "--gpus all")


def test_cdi_and_single_gpus_work_too(node: LabHost) -> None:
    text = exported(node, "--device nvidia.com/gpu=1 --cap-add SYS_ADMIN")
    assert text.count("DCGM_FI_PROF_SM_ACTIVE{") == 1
    assert StandInGpu(node.name, 1).uuid in text


def test_jobs_of_a_mapping_folder_are_labels(node: LabHost) -> None:
    node.write("/opt/jobs/0", b"4711\n")
    text = exported(node, "--gpus all -v /opt/jobs:/jobs:ro", "--hpc-job-mapping-dir /jobs")
    assert text.count(',hpc_job="4711"} ') == 1


def test_an_exporter_refuses_what_the_real_one_refuses(node: LabHost) -> None:
    assert "flag provided but not defined: -addres" in refusal(node, "--gpus all", "--addres :9400")
    assert "Could not read metrics file" in refusal(node, "--gpus all", "-f /etc/missing.csv")
    node.write("/opt/wrong.csv", b"DCGM_FI_DEV_GPU_UTILL, gauge, Busy.\n")
    assert "could not find DCGM field" in refusal(node, "--gpus all -v /opt/wrong.csv:/wrong.csv", "-f /wrong.csv")
    assert "remote hostengine" in refusal(node, "--gpus all --network host", "-r localhost:5556")
    assert "Failed to initialize NVML" in refusal(node, "")


def test_an_exporter_of_the_host_engine_is_at_that_host(node: LabHost) -> None:
    assert node.sh("systemctl is-active nvidia-dcgm").strip() == "active"
    assert 'Hostname="localhost"' in exported(node, "--gpus all", "-r localhost:5555")


def test_the_master_has_no_gpu_to_hand_on(lab: Lab) -> None:
    assert 'could not select device driver "" with capabilities: [[gpu]]' in refusal(lab.master, "--gpus all")
    assert lab.master.ssh("nvidia-smi").returncode != 0

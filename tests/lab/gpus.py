"""GPUs that are not there: device files, what the driver shows below /proc/driver, NVIDIA's programs around them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Toolkit = Literal["both", "hook", "cdi", "none"]
"""How a container gets GPUs: by docker's --gpus, by a CDI specification, by either, or not at all."""
MODEL = "NVIDIA H100 80GB HBM3"
DRIVER = "570.124.06"
STANDINS = Path(__file__).parent / "standins"
PROGRAMS = {
    "usr/bin/nvidia-smi": "nvidia_smi.py",
    "usr/bin/nvidia-ctk": "nvidia_ctk.py",
    "usr/bin/nvidia-container-runtime-hook": "nvidia_hook.py",
    "usr/libexec/lab/cdi-hook": "nvidia_hook.py",
}
"""Where they are on a node, and what stands in for them."""
HOST_ENGINE = "usr/bin/nv-hostengine"
HOST_ENGINE_UNIT = """\
[Unit]
Description=NVIDIA DCGM service

[Service]
ExecStart=/usr/bin/nv-hostengine -n --service-account nvidia-dcgm
Restart=on-abort

[Install]
WantedBy=multi-user.target
"""
LEFT_OUT = {
    "both": (),
    "hook": ("usr/libexec/lab/cdi-hook",),
    "cdi": ("usr/bin/nvidia-container-runtime-hook",),
    "none": ("usr/bin/nvidia-ctk", "usr/bin/nvidia-container-runtime-hook", "usr/libexec/lab/cdi-hook"),
}
"""By how much of the toolkit a node has."""
CDI = Path("etc/cdi/nvidia.yaml")

VERSION = f"""\
NVRM version: NVIDIA UNIX x86_64 Kernel Module  {DRIVER}  Wed Feb 26 01:46:40 UTC 2025
GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
"""
INFORMATION = """\
Model: \t\t {model}
IRQ:   \t\t {irq}
GPU UUID: \t {uuid}
Video BIOS: \t 96.00.74.00.01
Bus Type: \t PCIe
DMA Size: \t 52 bits
DMA Mask: \t 0xfffffffffffff
Bus Location: \t {bus}
Device Minor: \t {minor}
GPU Firmware: \t {driver}
GPU Excluded:\t No
"""


@dataclass(frozen=True)
class StandInGpu:
    """One GPU of one node."""

    node: str
    index: int

    @property
    def uuid(self) -> str:
        """The same for the same node and index, in every lab."""
        return f"GPU-{uuid.uuid5(uuid.NAMESPACE_DNS, f'{self.index}.{self.node}.lab')}"

    @property
    def bus(self) -> str:
        """Its PCI address as the kernel writes it."""
        return f"0000:{0x1B + 0x10 * self.index:02x}:00.0"

    @property
    def information(self) -> str:
        """The driver's page on it."""
        return INFORMATION.format(
            model=MODEL, irq=100 + self.index, uuid=self.uuid, bus=self.bus, minor=self.index, driver=DRIVER
        )


def devices(count: int) -> list[str]:
    """Names below /dev."""
    return [*(f"nvidia{index}" for index in range(count)), "nvidiactl", "nvidia-uvm"] if count else []


def write_driver(folder: Path, node: str, count: int) -> None:
    """The tree that the driver shows at /proc/driver."""
    (folder / "nvidia").mkdir(parents=True)
    (folder / "nvidia" / "version").write_text(VERSION)
    for index in range(count):
        gpu = StandInGpu(node, index)
        page = folder / "nvidia" / "gpus" / gpu.bus / "information"
        page.parent.mkdir(parents=True)
        page.write_text(gpu.information)


def write_programs(root: Path, count: int, toolkit: Toolkit) -> None:
    """NVIDIA's programs and, with CDI, the specification by which engines hand GPUs on."""
    for target, standin in PROGRAMS.items():
        if target not in LEFT_OUT[toolkit]:
            (root / target).parent.mkdir(parents=True, exist_ok=True)
            (root / target).write_bytes((STANDINS / standin).read_bytes())
            (root / target).chmod(0o755)
    if toolkit in ("cdi", "both"):
        (root / CDI).parent.mkdir(parents=True, exist_ok=True)
        (root / CDI).write_text(cdi_specification(count))


def write_host_engine(root: Path) -> None:
    """NVIDIA's host engine as a unit that starts at boot."""
    (root / HOST_ENGINE).parent.mkdir(parents=True, exist_ok=True)
    (root / HOST_ENGINE).write_bytes((STANDINS / "nv_hostengine.py").read_bytes())
    (root / HOST_ENGINE).chmod(0o755)
    unit = root / "usr/lib/systemd/system/nvidia-dcgm.service"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text(HOST_ENGINE_UNIT)
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / unit.name).symlink_to(f"/{unit.relative_to(root)}")


def cdi_specification(count: int) -> str:
    """JSON, which is YAML too."""
    shared = [{"path": f"/dev/{name}"} for name in ("nvidiactl", "nvidia-uvm")]
    single = [{"name": str(i), "containerEdits": {"deviceNodes": [{"path": f"/dev/nvidia{i}"}]}} for i in range(count)]
    every = {"deviceNodes": [{"path": f"/dev/nvidia{index}"} for index in range(count)]}
    # What a device file cannot bring, nvidia-smi and the driver's pages, is handed in as docker's --gpus does it.
    hook = {"hookName": "createRuntime", "path": "/usr/libexec/lab/cdi-hook", "args": ["cdi-hook", "createRuntime"]}
    specification = {
        "cdiVersion": "0.5.0",
        "kind": "nvidia.com/gpu",
        "devices": [*single, {"name": "all", "containerEdits": every}],
        "containerEdits": {"env": ["NVIDIA_VISIBLE_DEVICES=void"], "deviceNodes": shared, "hooks": [hook]},
    }
    return json.dumps(specification, indent=1) + "\n"

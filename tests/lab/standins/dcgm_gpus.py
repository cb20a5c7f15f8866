"""The GPUs that a container was given, and what they measure: made up, but as steadily moving as real ones."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DRIVER_PAGES = Path("/proc/driver/nvidia")
DEVICES = Path("/dev")


class NoGpus(Exception):
    """The container has none, or only parts of them; the message says what is missing."""


@dataclass(frozen=True)
class Gpu:
    """One GPU of the node."""

    index: int
    uuid: str
    model: str
    bus: str
    """As DCGM writes it."""


def given(environment: Mapping[str, str]) -> Sequence[Gpu]:
    """What the container may use, numbered anew from 0 as NVIDIA's libraries do.

    Raises:
        NoGpus: that is nothing.
    """
    if not (DEVICES / "nvidiactl").exists():
        asked = environment.get("NVIDIA_VISIBLE_DEVICES")
        raise NoGpus(
            f"Failed to initialize NVML: no /dev/nvidiactl, with NVIDIA_VISIBLE_DEVICES={asked}; was it --gpus?"
        )
    pages = [page.read_text() for page in sorted(DRIVER_PAGES.glob("gpus/*/information"))]
    visible = [page for minor, page in enumerate(pages) if (DEVICES / f"nvidia{minor}").exists()]
    if not visible:
        raise NoGpus(f"Failed to initialize NVML: of {len(pages)} GPUs none has its device file in the container")
    return [_gpu(index, page) for index, page in enumerate(visible)]


def driver_version() -> str:
    """Of the driver below."""
    return (DRIVER_PAGES / "version").read_text().split("Kernel Module")[1].split()[0]


def _gpu(index: int, page: str) -> Gpu:
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in page.splitlines())}
    domain, _, rest = facts["Bus Location"].partition(":")
    return Gpu(index, facts["GPU UUID"], facts["Model"], f"{domain.zfill(8)}:{rest}".upper())


def _wave(second: float, index: int, low: float, high: float) -> float:
    """Between two bounds, once in four minutes, each GPU a little later than the one before."""
    return low + (high - low) * (0.5 + 0.5 * math.sin(2 * math.pi * second / 240 + index))


MEASURES: Mapping[str, Callable[[float, int], float | int]] = {
    "DCGM_FI_DEV_SM_CLOCK": lambda second, index: int(_wave(second, index, 345, 1980)),
    "DCGM_FI_DEV_MEM_CLOCK": lambda second, index: 2619,
    "DCGM_FI_DEV_MEMORY_TEMP": lambda second, index: int(_wave(second, index, 40, 80)),
    "DCGM_FI_DEV_GPU_TEMP": lambda second, index: int(_wave(second, index, 32, 68)),
    "DCGM_FI_DEV_POWER_USAGE": lambda second, index: _wave(second, index, 70, 640),
    "DCGM_FI_DEV_POWER_MGMT_LIMIT": lambda second, index: 700.0,
    "DCGM_FI_DEV_ENFORCED_POWER_LIMIT": lambda second, index: 700.0,
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": lambda second, index: int(second * 350_000),
    "DCGM_FI_DEV_GPU_UTIL": lambda second, index: int(_wave(second, index, 0, 100)),
    "DCGM_FI_DEV_MEM_COPY_UTIL": lambda second, index: int(_wave(second, index, 0, 60)),
    "DCGM_FI_DEV_FB_FREE": lambda second, index: 81089 - int(_wave(second, index, 500, 70000)),
    "DCGM_FI_DEV_FB_USED": lambda second, index: int(_wave(second, index, 500, 70000)),
    "DCGM_FI_DEV_FB_RESERVED": lambda second, index: 470,
    "DCGM_FI_DEV_FB_TOTAL": lambda second, index: 81559,
    "DCGM_FI_DEV_SLOWDOWN_TEMP": lambda second, index: 87,
    "DCGM_FI_DEV_SHUTDOWN_TEMP": lambda second, index: 92,
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": lambda second, index: _wave(second, index, 0, 1),
    "DCGM_FI_PROF_SM_ACTIVE": lambda second, index: _wave(second, index, 0, 0.9),
    "DCGM_FI_PROF_SM_OCCUPANCY": lambda second, index: _wave(second, index, 0, 0.5),
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": lambda second, index: _wave(second, index, 0, 0.6),
    "DCGM_FI_PROF_DRAM_ACTIVE": lambda second, index: _wave(second, index, 0, 0.7),
    "DCGM_FI_PROF_PCIE_TX_BYTES": lambda second, index: int(_wave(second, index, 0, 9e9)),
    "DCGM_FI_PROF_PCIE_RX_BYTES": lambda second, index: int(_wave(second, index, 0, 9e9)),
}
"""What GPUs measure of a field; a whole number is one for DCGM too."""


def measured(field: str, gpu: Gpu, second: float) -> str:
    """A field's value as the exporter writes it; 0 for what nothing ever happens to here."""
    value = MEASURES[field](second, gpu.index) if field in MEASURES else 0
    return f"{value:f}" if isinstance(value, float) else str(value)

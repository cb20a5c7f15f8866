"""GPUs, from what the driver, the PCI bus and NVIDIA's tools say."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gpumon.text import shown
from gpumon_setup.facts.model import Gpu, Gpus

_GPU_LINE = re.compile(r"GPU [0-9]+: .*\(UUID: (GPU-[^)]+)\)")
_MIG_LINE = re.compile(r"\s+MIG .*\(UUID: MIG-")


def gpus(sections: Mapping[str, str]) -> Gpus:
    """What of NVIDIA is in the machine."""
    divided = _mig_devices(sections.get("mig", ""))
    found: list[Gpu] = []
    driver = re.search(r"(?:Kernel Module|NVRM version:.*?)\s+([0-9]+(?:\.[0-9]+)+)", sections.get("driver", ""))
    version = driver[1] if driver else None
    complaint = ""
    is_answer = sections.get("gpus.code", "").strip() == "0"
    for line in sections.get("gpus", "").splitlines():
        words = [word.strip() for word in line.split(",")]
        if is_answer and len(words) == 5 and words[0].isdigit():
            found.append(Gpu(int(words[0]), words[1], words[2], divided.get(words[1], 0)))
            version = words[3]
        elif not is_answer and line.strip() and not complaint:
            complaint = shown(line.strip(), 200)
    return Gpus(
        found=tuple(found),
        driver=version,
        on_bus=len(sections["pci"].split()) if "pci" in sections else None,
        problem=complaint,
        has_toolkit=bool(sections.get("toolkit", "").strip()),
        cdi_files=tuple(sections.get("cdi", "").split()),
        has_host_engine=bool(sections.get("hostengine", "").strip()),
    )


def _mig_devices(listing: str) -> dict[str, int]:
    """How many MIG devices each GPU has, from nvidia-smi -L."""
    found: dict[str, int] = {}
    current = ""
    for line in listing.splitlines():
        if match := _GPU_LINE.match(line):
            current = match[1]
        elif current and _MIG_LINE.match(line):
            found[current] = found.get(current, 0) + 1
    return found

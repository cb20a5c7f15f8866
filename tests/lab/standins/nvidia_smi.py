#!/usr/bin/python3
"""Stands in for nvidia-smi: lists the node's GPUs and answers queries about them; whatever it cannot know is [N/A]."""

from __future__ import annotations

import sys
from pathlib import Path

DRIVER_PAGES = Path("/proc/driver/nvidia")
NO_DRIVER = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running."
)
UNITS = {
    "memory.total": "MiB",
    "memory.used": "MiB",
    "memory.free": "MiB",
    "utilization.gpu": "%",
    "utilization.memory": "%",
    "power.draw": "W",
    "power.limit": "W",
    "clocks.sm": "MHz",
}


def gpus() -> list[dict[str, str]]:
    """What can be asked about each GPU, by the names of `--query-gpu`."""
    version = (DRIVER_PAGES / "version").read_text().split("Kernel Module")[1].split()[0]
    pages = [page.read_text() for page in sorted(DRIVER_PAGES.glob("gpus/*/information"))]
    visible = [page for minor, page in enumerate(pages) if Path(f"/dev/nvidia{minor}").exists()]
    return [_facts(index, page, version, len(visible)) for index, page in enumerate(visible)]


def _facts(index: int, page: str, version: str, count: int) -> dict[str, str]:
    shown = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in page.splitlines())}
    domain, _, rest = shown["Bus Location"].partition(":")
    bus = f"{domain.zfill(8)}:{rest}".upper()
    return {
        "index": str(index),
        "count": str(count),
        "name": shown["Model"],
        "gpu_name": shown["Model"],
        "uuid": shown["GPU UUID"],
        "gpu_uuid": shown["GPU UUID"],
        "pci.bus_id": bus,
        "gpu_bus_id": bus,
        "driver_version": version,
        "vbios_version": shown["Video BIOS"],
        "serial": f"16500230000{index:02}",
        "compute_cap": "9.0",
        "mig.mode.current": "Disabled",
        "mig.mode.pending": "Disabled",
        "persistence_mode": "Enabled",
        "compute_mode": "Default",
        "ecc.mode.current": "Enabled",
        "memory.total": "81559",
        "memory.used": "0",
        "memory.free": "81089",
        "utilization.gpu": "0",
        "utilization.memory": "0",
        "temperature.gpu": "34",
        "power.draw": "71.50",
        "power.limit": "700.00",
        "clocks.sm": "345",
    }


def queried(keys: list[str], options: list[str]) -> list[str]:
    """Lines of CSV."""
    has_units = "nounits" not in options

    def value(facts: dict[str, str], key: str) -> str:
        unit = f" {UNITS[key]}" if has_units and key in UNITS else ""
        return facts[key] + unit if key in facts else "[N/A]"

    heading = [f"{key} [{UNITS[key]}]" if has_units and key in UNITS else key for key in keys]
    lines = [] if "noheader" in options else [", ".join(heading)]
    return lines + [", ".join(value(facts, key) for key in keys) for facts in gpus()]


def main() -> None:
    """As far as setup tools ask."""
    if not DRIVER_PAGES.is_dir():
        print(NO_DRIVER)
        sys.exit(9)
    words = sys.argv[1:]
    long = {name: value for name, _, value in (word.partition("=") for word in words if word.startswith("--"))}
    if "-L" in words or "--list-gpus" in words:
        print("".join(f"GPU {gpu['index']}: {gpu['name']} (UUID: {gpu['uuid']})\n" for gpu in gpus()), end="")
    elif "--query-gpu" in long:
        options = long.get("--format", "csv").split(",")
        print("\n".join(queried(long["--query-gpu"].split(","), options)))
    elif "--query-compute-apps" in long:
        if "noheader" not in long.get("--format", ""):
            print(long["--query-compute-apps"].replace(",", ", "))
    elif words and words[0] not in ("--version", "-q"):
        print(f"Invalid combination of input arguments: {' '.join(words)}. The stand-in does not know them.")
        sys.exit(6)
    else:
        first = gpus()[0]
        print(f"NVIDIA-SMI {first['driver_version']}   Driver Version: {first['driver_version']}   CUDA Version: 12.8")
        print("\n".join(f"| {gpu['index']}  {gpu['name']}  {gpu['pci.bus_id']} |" for gpu in gpus()))


if __name__ == "__main__":
    main()

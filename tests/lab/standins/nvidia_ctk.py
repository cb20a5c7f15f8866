#!/usr/bin/python3
"""Stands in for nvidia-ctk: its version, and the CDI specification of the node."""

from __future__ import annotations

import json
import sys
from pathlib import Path

SPECIFICATION = Path("/etc/cdi/nvidia.yaml")
VERSION = "NVIDIA Container Toolkit CLI version 1.17.8\ncommit: f202b80a9b9d0db00d9b1d73c0128c8962c55f4d"


def main() -> None:
    """`--version`, `cdi list` and `cdi generate`."""
    words = sys.argv[1:]
    if words in (["--version"], ["-v"]):
        print(VERSION)
    elif not SPECIFICATION.exists():
        sys.exit("The stand-in was set up without CDI.")
    elif words[:2] == ["cdi", "list"]:
        devices = json.loads(SPECIFICATION.read_text())["devices"]
        print(f"Found {len(devices)} CDI devices", file=sys.stderr)
        print("\n".join(f"nvidia.com/gpu={device['name']}" for device in devices))
    elif words[:2] == ["cdi", "generate"]:
        target = next((word.partition("=")[2] for word in words[2:] if word.startswith("--output=")), "")
        if target:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            Path(target).write_text(SPECIFICATION.read_text())
        else:
            print(SPECIFICATION.read_text(), end="")
    else:
        sys.exit(f"The stand-in does not know `nvidia-ctk {' '.join(words)}`.")


if __name__ == "__main__":
    main()

#!/usr/bin/python3
"""Stands in for nvidia-container-runtime-hook: hands the GPUs that a container asked for into it, before it starts.

A runtime calls it with the container's state on standard input, when the container's mounts are made and its root is
not yet switched to. GPUs are asked for by NVIDIA_VISIBLE_DEVICES, which `docker run --gpus` sets. With CDI the engine
hands device files in itself, and calls this for what is left.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

DRIVER_PAGES = Path("/proc/driver/nvidia")
CDI = "createRuntime"
"""The stage at which engines call the hooks of a CDI specification."""
NOTHING = ("", "void", "none")
HAND_IN = r"""
# $1 the container's root, $2 ... device names; from within its mount namespace.
root=$1
shift
for device in "$@"; do
    [ -e "$root/dev/$device" ] || mknod -m 666 "$root/dev/$device" c 1 3
done
mount --bind /proc/driver "$root/proc/driver"
mkdir -p "$root/usr/bin"
[ -e "$root/usr/bin/nvidia-smi" ] || : >"$root/usr/bin/nvidia-smi"
mount --bind -o ro /usr/bin/nvidia-smi "$root/usr/bin/nvidia-smi"
"""


def devices(wanted: str) -> Sequence[str]:
    """Names below /dev of what was asked for, by number, by UUID, or as "all"."""
    pages = sorted(DRIVER_PAGES.glob("gpus/*/information"))
    words = {*wanted.split(",")}
    chosen = [
        f"nvidia{index}"
        for index, page in enumerate(pages)
        if wanted == "all" or str(index) in words or any(word in page.read_text() for word in words if "GPU-" in word)
    ]
    if not chosen:
        sys.exit(f"nvidia-container-cli: device error: {wanted}: unknown device")
    return [*chosen, "nvidiactl", "nvidia-uvm"]


def main() -> None:
    """Does it."""
    if sys.argv[1:] not in (["prestart"], [CDI]):
        return
    state = json.load(sys.stdin)
    bundle = Path(state["bundle"])
    container = json.loads((bundle / "config.json").read_text())
    environment = {name: value for name, _, value in (word.partition("=") for word in container["process"]["env"])}
    wanted = environment.get("NVIDIA_VISIBLE_DEVICES", "")
    if wanted in NOTHING and sys.argv[1:] != [CDI]:
        return
    if not DRIVER_PAGES.is_dir():
        sys.exit("nvidia-container-cli: initialization error: nvml error: driver not loaded")
    root = str(bundle / container["root"]["path"])
    enter = ["nsenter", f"--mount=/proc/{state['pid']}/ns/mnt", "sh", "-euc", HAND_IN, "hook"]
    handed: Sequence[str] = () if sys.argv[1:] == [CDI] else devices(wanted)
    done = subprocess.run([*enter, root, *handed], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"nvidia-container-cli: mount error: {done.stderr}")


if __name__ == "__main__":
    main()

"""Lays out a machine's folder before its first boot: the settings it boots by, and the files that are its own."""

from __future__ import annotations

import shlex
import uuid
from pathlib import Path

from lab import cgroups, gpumon_layer, gpus, keys, slurm
from lab.layers import Layers
from lab.network import SEATS, port
from lab.places import Places
from lab.plan import Plan
from lab.shell import script

ENGINE_DATA = ("/var/lib/docker", "/var/lib/containerd", "/var/lib/containers")
"""Where container engines put overlays of their own."""
DOCKER_DATA = "/var/lib/docker"
COPY_STORE = r"""
# Layers are never written to, so links do; databases are copied.
mkdir -p $2
cd $1
find . -mindepth 1 -maxdepth 1 ! -name overlay2 -exec cp -a {} $2/ \;
cp -al overlay2 $2/
"""


class Seeds:
    """Lays out the machines of one plan."""

    def __init__(self, lab: Places, plan: Plan, layers: Layers) -> None:
        self._lab = lab
        self._plan = plan
        self._layers = layers

    def lay_out(self, name: str) -> None:
        """Everything of one machine."""
        here = self._lab.node(name)
        for folder in ("upper", "work", "root", "data", "seed/etc/ssh"):
            (here / folder).mkdir(parents=True)
        self._write_settings(here, name)
        self._write_identity(here / "seed" / "etc", name)
        count = self._plan.gpus_of(name)
        if count:
            gpus.write_driver(here / "driver", name, count)
            gpus.write_programs(here / "seed", count, self._plan.toolkit)
        if count and self._plan.has_host_engine:
            gpus.write_host_engine(here / "seed")
        if self._plan.is_slurm_on:
            slurm.write(here / "seed", self._plan, name)
        if self._plan.is_preloaded:
            script(COPY_STORE, self._layers.folder / "docker-store", here / f"data{DOCKER_DATA}")

    def _write_settings(self, here: Path, name: str) -> None:
        plan, lab = self._plan, self._lab
        machine = plan.machine(name)
        joined = [cgroups.make(lab, name), *(cgroups.make_v1(lab, name) if plan.cgroups == "v1" else [])]
        disk = here / "disk.img" if plan.has_disks else None
        if disk:
            script("cp --sparse=always $1 $2", self._layers.folder / f"{machine.flavor}.img", disk)
        data = [DOCKER_DATA] if disk and plan.is_preloaded else [] if disk else ENGINE_DATA
        layers = self._layers.lower_directories(machine.flavor)
        if plan.has_gpumon and name == "master":
            gpumon_layer.copy_sources(here / "gpumon")
            layers = f"{here / 'gpumon'}:{gpumon_layer.layer(self._layers)}:{layers}"
        (here / "layers").write_text(layers)
        settings = {
            "NAME": name,
            "ADDRESS": machine.address,
            "PORT": port(name),
            "SWITCH": lab.namespace("sw"),
            "HERE": here,
            "LAYERS": layers,
            "OVERLAY": f"{lab.group}-{name}",
            "DISK": disk or "",
            "DATA": " ".join(data),
            "CGROUPS": plan.cgroups,
            "GROUPS_TO_JOIN": " ".join(map(str, joined)),
            "GPU_DEVICES": " ".join(gpus.devices(plan.gpus_of(name))),
        }
        lines = [f"{key}={shlex.quote(str(value))}\n" for key, value in settings.items()]
        (here / "settings.sh").write_text("".join(lines))

    def _write_identity(self, etc: Path, name: str) -> None:
        (etc / "hostname").write_text(f"{name}\n")
        (etc / "machine-id").write_text(f"{uuid.uuid4().hex}\n")
        # As Debian's installer writes it: other machines' names are nobody's business before gpumon enters them.
        local = f"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n::1\tlocalhost ip6-localhost ip6-loopback\n"
        (etc / "hosts").write_text(local)
        (etc / "resolv.conf").write_text(f"nameserver {SEATS['svc']}\n")
        keys.put_host_keys(self._lab, name, etc / "ssh")
        # Says that what a new release must do at its first boot was done.
        (etc / ".updated").touch()
        (etc.parent / "var").mkdir()
        (etc.parent / "var" / ".updated").touch()

"""Which card each of Slurm's GPU numbers means, found out at every boot of a GPU node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from gpumon.config.keys import Key
from gpumon_setup.components import values
from gpumon_setup.components.component import Place
from gpumon_setup.components.exporter_program import FOLDER, PROGRAM, packed, python_for
from gpumon_setup.components.node_exporter import TEXTFILES
from gpumon_setup.components.scraping import has_gpus
from gpumon_setup.inventory import Role
from gpumon_setup.inventory.keys import yes_or_no
from gpumon_setup.resources import Directory, File, Resource, Unit
from gpumon_setup.resources.engine import systemd_quoted

UNIT = "gpumon-gpu-map.service"
MAP = f"{TEXTFILES}/gpumon_gpu_map.prom"
"""What it writes."""
_UNIT = """\
# Written by gpumon setup; changes are lost.
[Unit]
Description=Which GPU Slurm's numbers mean, for Prometheus
After=slurmd.service nvidia-persistenced.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={start}
# A map goes with what made it.
ExecStopPost=/usr/bin/env rm -f {output}

[Install]
WantedBy=multi-user.target
"""


class GpuMap:
    """A service that writes the map into node_exporter's folder and ends."""

    name: ClassVar[str] = "gpu_map"
    purpose: ClassVar[str] = "which card each of Slurm's GPU numbers means"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("partial", yes_or_no, "partial"),
        Key("slurmd", values.program, "slurmd"),
        Key("slurm_conf", values.program, "slurm_conf"),
        Key("python", values.program, "python"),
    )

    def wanted(self, place: Place) -> Sequence[Resource]:
        """On nodes that have GPUs and Slurm."""
        slurm = place.facts.slurm
        has_slurm = slurm.version is not None or "slurmd" in slurm.daemons
        if Role.NODE not in place.machine.roles or not has_slurm or not has_gpus(place.site, place.machine):
            return ()
        program = File(PROGRAM, packed(), 0o755)
        start = (*python_for(place, self.name).split(), PROGRAM, "gpu-map", *self._options(place))
        text = _UNIT.format(start=" ".join(map(systemd_quoted, start)), output=MAP)
        unit = File(f"/etc/systemd/system/{UNIT}", text.encode())
        return Directory(TEXTFILES), Directory(FOLDER), program, unit, Unit(UNIT, unit, (program.digest,))

    def _options(self, place: Place) -> Sequence[str]:
        """Slurm's name of the node is the inventory's."""
        slurmd, conf = (cast("str | None", place.option(self.name, key)) for key in ("slurmd", "slurm_conf"))
        return (
            f"--node={place.machine.name}",
            f"--output={MAP}",
            *(("--partial",) if place.option(self.name, "partial") else ()),
            *((f"--slurmd={slurmd}",) if slurmd else ()),
            *((f"--slurm-conf={conf}",) if conf else ()),
        )

"""gpumon's own Slurm exporter, as a service that may do nothing but ask Slurm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, cast

from gpumon.config.keys import Key
from gpumon.config.values import seconds
from gpumon_setup.components import values
from gpumon_setup.components.component import CannotHave, Place, at
from gpumon_setup.components.exporter_program import FOLDER, PROGRAM, packed, python_for
from gpumon_setup.components.scraping import SLURM_PORT, port_of, scrape_seconds
from gpumon_setup.inventory import Role
from gpumon_setup.inventory.keys import matching, port, yes_or_no
from gpumon_setup.resources import Directory, File, Resource, Unit
from gpumon_setup.resources.engine import systemd_quoted

UNIT = "gpumon-slurm-exporter.service"
_IN_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where a service of systemd finds programs by itself."""
_UNIT = """\
# Written by gpumon setup; changes are lost.
[Unit]
Description=Slurm exporter of gpumon
Wants=network-online.target
After=network-online.target munge.service
StartLimitIntervalSec=0

[Service]
ExecStart={start}
{user}
{environment}Restart=always
RestartSec=5
# It takes 40 MB itself, a squeue --json before Slurm 24.05 up to 250 MB.
MemoryMax=512M
OOMPolicy=continue
TasksMax=200
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
# Slurm's commands speak to munge through its socket.
BindReadOnlyPaths=-/run/munge

[Install]
WantedBy=multi-user.target
"""


class SlurmExporter:
    """One file that the machine's own python3 runs."""

    name: ClassVar[str] = "slurm_exporter"
    purpose: ClassVar[str] = "jobs, queue and nodes as Slurm sees them"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("port", port, "port"),
        Key("interval", seconds(1, 3600, "15"), "interval_seconds"),
        Key("max_pending", values.count(0, 1_000_000, "a number of jobs"), "max_pending"),
        Key("job_names", yes_or_no, "job_names"),
        Key("vpenso_names", yes_or_no, "vpenso_names"),
        Key("user", matching(re.compile(r"[a-z_][a-z0-9_-]{0,31}"), "a user of the machine"), "user"),
        Key("slurm_bin", values.folder, "slurm_bin"),
        Key("slurm_conf", values.program, "slurm_conf"),
        Key("python", values.program, "python"),
    )

    def wanted(self, place: Place) -> Sequence[Resource]:
        """Where slurmctld runs: Slurm's commands and munge are there in any case."""
        if Role.CONTROLLER not in place.machine.roles:
            return ()
        program = File(PROGRAM, packed(), 0o755)
        start = (*python_for(place, self.name).split(), PROGRAM, *self._flags(place))
        user = cast("str | None", place.option(self.name, "user"))
        conf = cast("str | None", place.option(self.name, "slurm_conf"))
        text = _UNIT.format(
            start=" ".join(map(systemd_quoted, start)),
            user=f"User={user}" if user else "DynamicUser=yes",
            environment=f"Environment=SLURM_CONF={conf}\n" if conf else "",
        )
        unit = File(f"/etc/systemd/system/{UNIT}", text.encode())
        return Directory(FOLDER), program, unit, Unit(UNIT, unit, (program.digest,))

    def _flags(self, place: Place) -> Iterator[str]:
        yield f"--listen={at(place.listening, port_of(place.site, self.name, SLURM_PORT))}"
        interval = cast("float | None", place.option(self.name, "interval_seconds")) or scrape_seconds(place.site)
        yield f"--interval={interval:g}"
        programs = self._programs(place)
        if programs:
            yield f"--slurm-bin={programs}"
        most = cast("int | None", place.option(self.name, "max_pending"))
        if most is not None:
            yield f"--max-pending={most}"
        if place.option(self.name, "job_names") is False:
            yield "--no-job-names"
        if place.option(self.name, "vpenso_names") is False:
            yield "--no-vpenso-names"

    def _programs(self, place: Place) -> str:
        """The folder of Slurm's commands; "" when a service finds them by itself."""
        named = cast("str | None", place.option(self.name, "slurm_bin"))
        if named:
            return named
        found = place.facts.commands.get("sinfo", "").rpartition("/")[0]
        if not found:
            raise CannotHave(
                "slurm_exporter: there is no sinfo in the PATH of root here. Say where Slurm's commands are: "
                '[setup.slurm_exporter] slurm_bin = "/opt/slurm/bin"; name the machine where slurmctld runs: [setup] '
                'controller = "..."; or do without: [setup] without = ["slurm_exporter"].'
            )
        return "" if found in _IN_PATH else found

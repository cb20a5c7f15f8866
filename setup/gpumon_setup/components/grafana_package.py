"""Grafana as its makers' package, run by a unit of ours beside the package's own, whose files stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon_setup.components.component import CannotHave, Place
from gpumon_setup.components.grafana_files import FOLDERS, PASSWORD
from gpumon_setup.components.grafana_settings import data_of, settings
from gpumon_setup.resources import Directory, File, Package, Resource, Secret, Unit

PACKAGE = "grafana"
UNIT = "gpumon-grafana.service"
HOME = "/usr/share/grafana"
PROGRAM = f"{HOME}/bin/grafana"
RESET = ("cli", f"--homepath={HOME}", "admin", "reset-admin-password", "--password-from-stdin")
"""The words behind the program that tell its database another password."""
_USER = "grafana"
"""Whom the package makes."""
_OWNER = f"{_USER}:{_USER}"
_CURE = (
    "grafana: apt finds no such package here. Bring in its makers' archive: mkdir -p /etc/apt/keyrings && "
    "curl -fsSo /etc/apt/keyrings/grafana.asc https://apt.grafana.com/gpg.key && "
    "echo 'deb [signed-by=/etc/apt/keyrings/grafana.asc] https://apt.grafana.com stable main' "
    '>/etc/apt/sources.list.d/grafana.list && apt-get update. Or let it be a container: [setup] engine = "docker"; '
    'or do without: [setup] without = ["grafana"].'
)
_UNIT = """\
# Written by gpumon setup; changes are lost.
[Unit]
Description=Grafana, a part of gpumon's monitoring
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
User={user}
Group={user}
WorkingDirectory={home}
{environment}
ExecStart={program} server --homepath={home}
Restart=always
RestartSec=5
CapabilityBoundingSet=
NoNewPrivileges=yes
PrivateDevices=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectSystem=strict
ReadWritePaths={data}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
UMask=0027

[Install]
WantedBy=multi-user.target
"""


def package_resources(place: Place, read: Sequence[File], digests: Sequence[str]) -> Sequence[Resource]:
    """The package, what it reads and its unit; of `digests` another one means a restart.

    Raises:
        CannotHave: there is nothing that installs packages.
    """
    tool = next((tool for tool in ("apt-get", "dnf", "zypper") if tool in place.facts.commands), None)
    if tool is None:
        raise CannotHave(
            f"grafana needs docker or podman here: {place.facts.os_name} is not one whose package is known. Or do "
            'without: [setup] without = ["grafana"].'
        )
    data = data_of(place)
    telling = ("runuser", "-u", _USER, "--", "env", f"GF_PATHS_DATA={data}", PROGRAM, *RESET)
    # Its own program reads a file this way; the variables that end in __FILE are the image's alone.
    variables = (*settings(place), ("GF_SECURITY_ADMIN_PASSWORD", f"$__file{{{PASSWORD}}}"))
    environment = "\n".join(f'Environment="{name}={value}"' for name, value in variables)
    text = _UNIT.format(user=_USER, home=HOME, program=PROGRAM, environment=environment, data=data)
    unit = File(f"/etc/systemd/system/{UNIT}", text.encode())
    return (
        Package(PACKAGE, tool, _CURE),
        *FOLDERS,
        *read,
        Directory(data, 0o750, _OWNER, holds_data=True),
        Secret(PASSWORD, _OWNER, f"{data}/grafana.db", telling),
        unit,
        Unit(UNIT, unit, tuple(digests)),
    )

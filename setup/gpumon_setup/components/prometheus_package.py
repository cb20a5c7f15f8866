"""Prometheus as the distribution's package, started as gpumon needs it by a file beside the package's own unit."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon_setup.components.component import CannotHave, Place
from gpumon_setup.components.prometheus_files import FOLDERS, digests, read_files
from gpumon_setup.components.prometheus_places import FOLDER
from gpumon_setup.facts import Facts
from gpumon_setup.resources import Directory, File, Package, Resource, Unit
from gpumon_setup.resources.engine import systemd_quoted

PACKAGE = "prometheus"
UNIT = "prometheus.service"
USER = "prometheus:prometheus"
"""Whom the package makes."""
_BESIDE = f"/etc/systemd/system/{UNIT}.d"
_DROP_IN = """\
# Written by gpumon setup; changes are lost.
[Unit]
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0
# The package starts it as soon as it is installed: not before it is told what to do.
ConditionPathExists={folder}/prometheus.yml

[Service]
ExecStart=
ExecStart={start}
Restart=always
RestartSec=5
"""
_FIRST_DEBIAN_WITH_PROMTOOL_APART = 14


def package_resources(place: Place, reached: str, flags: Sequence[str], data: str) -> Sequence[Resource]:
    """The package, what it reads, and its unit; `flags` are Prometheus'.

    Raises:
        CannotHave: there is no package, or one that is somebody else's.
    """
    facts = place.facts
    if "apt-get" not in facts.commands:
        raise CannotHave(f"prometheus needs docker or podman here: {facts.os_name} is not one whose package is known.")
    if facts.state.packages.get(PACKAGE) and ("package", PACKAGE) not in facts.state.made:
        raise CannotHave(
            "prometheus: its package is installed here already, and not by gpumon, which leaves its configuration and "
            "history alone. Remove it (apt-get purge prometheus), let gpumon have a container beside it on another "
            'port ([setup] engine = "docker"), or do without: [setup] without = ["prometheus"].'
        )
    start = " ".join(map(systemd_quoted, ("/usr/bin/prometheus", *flags)))
    beside = File(f"{_BESIDE}/gpumon.conf", _DROP_IN.format(folder=FOLDER, start=start).encode())
    read = read_files(place, reached, ("promtool",), USER)
    return (
        *(Directory(_BESIDE), beside, Package(PACKAGE)),
        *((Package("promtool"),) if _has_promtool_apart(facts) else ()),
        *(*FOLDERS, Directory(data, 0o750, USER, holds_data=True)),
        *(*read, Unit(UNIT, beside, digests(read), ("systemctl", "reload", UNIT))),
    )


def _has_promtool_apart(facts: Facts) -> bool:
    """True on a Debian that packs promtool by itself; its testing release names no version."""
    major = facts.os_version.partition(".")[0]
    return facts.os_id == "debian" and (not major.isdecimal() or int(major) >= _FIRST_DEBIAN_WITH_PROMTOOL_APART)

"""One description of a container for every engine: docker keeps it by itself, for podman systemd does."""

from __future__ import annotations

from gpumon_setup.resources.container import Container
from gpumon_setup.resources.file import File
from gpumon_setup.resources.image import Image
from gpumon_setup.resources.resource import Resource
from gpumon_setup.resources.unit import Unit

_UNIT = """\
# Written by gpumon setup; changes are lost.
[Unit]
Description={name}, a part of gpumon's monitoring
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart={start}
ExecStop=/usr/bin/env podman stop -t 10 {name}
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
"""


def in_engine(container: Container, engine: str) -> tuple[Resource, ...]:
    """What makes `engine` run a container now and after every reboot, without a pull at any start."""
    image = Image(container.image, engine)
    if engine == "docker":
        return image, container
    start = ("/usr/bin/env", "podman", "run", "--rm", "--replace", "--pull=never", f"--name={container.name}",
             "--label=io.gpumon.managed=1", *container.flags(), container.image, *container.command)  # fmt: skip
    text = _UNIT.format(name=container.name, start=" ".join(map(systemd_quoted, start)))
    file = File(f"/etc/systemd/system/{container.name}.service", text.encode())
    again = ("podman", "kill", f"--signal={container.signal}", container.name) if container.signal else ()
    return image, file, Unit(f"{container.name}.service", file, container.reads, again)


def systemd_quoted(word: str) -> str:
    """A word of a unit's command line, in which nothing is a specifier or a variable."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return plain if plain and not set(plain) & set(" '\";") else f'"{plain}"'

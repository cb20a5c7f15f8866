"""node_exporter: load, memory, disks and network of every machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from gpumon.config.keys import Key
from gpumon_setup.components import images, values
from gpumon_setup.components.component import CannotHave, Place, at
from gpumon_setup.inventory.keys import port
from gpumon_setup.resources import Container, Directory, File, Package, Resource, Unit, in_engine

TEXTFILES = "/var/lib/gpumon/textfile"
"""What others write there as *.prom is served too."""
PORT = 9100
_SKIPPED = "^/(sys|proc|dev|run/docker|run/user|var/lib/docker|var/lib/containers)($|/)"


class NodeExporter:
    """A container, or the distribution's package where there is no engine."""

    name: ClassVar[str] = "node_exporter"
    purpose: ClassVar[str] = "load, memory, disks and network of every machine"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("port", port, "port"),
        Key("image", values.image, "image"),
    )

    def wanted(self, place: Place) -> Sequence[Resource]:
        """It listens at the one address by which the master reaches the machine."""
        listen = at(place.listening, cast("int | None", place.option(self.name, "port")) or PORT)
        textfiles = Directory(TEXTFILES)
        if place.engine == "native":
            return textfiles, *self._package(place, listen)
        container = Container(
            name="gpumon-node-exporter",
            image=cast("str | None", place.option(self.name, "image")) or images.NODE_EXPORTER,
            command=("--path.rootfs=/host", *_flags(listen, root="/host")),
            volumes=("/:/host:ro,rslave",),
            options=("--pid=host",),
        )
        return textfiles, *in_engine(container, place.engine)

    def _package(self, place: Place, listen: str) -> Sequence[Resource]:
        if "apt-get" not in place.facts.commands:
            raise CannotHave(
                f"node_exporter needs docker or podman here: {place.facts.os_name} is not one whose package is known."
            )
        # The file comes first, so that the package's own start reads it already.
        flags = f"# Written by gpumon setup; changes are lost.\nARGS='{' '.join(_flags(listen))}'\n"
        file = File("/etc/default/prometheus-node-exporter", flags.encode())
        return file, Package("prometheus-node-exporter"), Unit("prometheus-node-exporter.service", reads=(file.digest,))


def _flags(listen: str, root: str = "") -> tuple[str, ...]:
    return (
        f"--web.listen-address={listen}",
        f"--collector.filesystem.mount-points-exclude={_SKIPPED}",
        f"--collector.textfile.directory={root}{TEXTFILES}",
    )

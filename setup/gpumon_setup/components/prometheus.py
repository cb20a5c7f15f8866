"""Prometheus on the master: it asks every exporter, keeps what they said, and raises alerts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, cast

from gpumon.config.keys import Key
from gpumon.config.values import or_word, seconds
from gpumon_setup.components import images, values
from gpumon_setup.components.component import Place, at
from gpumon_setup.components.prometheus_files import FOLDERS, digests, read_files
from gpumon_setup.components.prometheus_package import package_resources
from gpumon_setup.components.prometheus_places import FOLDER
from gpumon_setup.components.remote_write import receivers
from gpumon_setup.inventory import Role
from gpumon_setup.inventory.keys import matching, port, yes_or_no
from gpumon_setup.resources import Container, Directory, Resource, in_engine

PORT = 9090
LOCAL = "127.0.0.1"
DATA = "/var/lib/gpumon/prometheus"
NOBODY = "65534:65534"
"""The user of the image, by number."""
_RETENTION = "30d"
_SHARE_OF_DISK = 0.4
"""What the history may take of the disk under /var/lib unless something else is said."""
_DURATION = matching(re.compile(r"[1-9][0-9]{0,5}[hdwy]"), 'a length of time like "30d" or "1y"')
_SIZE = matching(re.compile(r"[1-9][0-9]{0,5}(MB|GB|TB)"), 'a size like "50GB"')


class Prometheus:
    """A container, or the distribution's package where there is no engine."""

    name: ClassVar[str] = "prometheus"
    purpose: ClassVar[str] = "gathers and keeps everything, and raises alerts"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("port", port, "port"),
        Key("listen", or_word("all", "", values.ip_address), "listen"),
        Key("image", values.image, "image"),
        Key("data", values.folder, "data"),
        Key("scrape_interval", seconds(1, 3600, "15"), "interval_seconds"),
        Key("retention_time", _DURATION, "retention_time"),
        Key("retention_size", _SIZE, "retention_size"),
        Key("slurm_metrics", or_word("auto", None, yes_or_no), "slurm_metrics"),
        Key("slurm_metrics_port", port, "slurm_metrics_port"),
        Key("alertmanagers", values.strings(values.host_and_port), "alertmanagers"),
        Key("remote_write", receivers, "remote_write", may_be_secret=True),
    )

    def wanted(self, place: Place) -> Sequence[Resource]:
        """Only the master asks and keeps."""
        if Role.MASTER not in place.machine.roles:
            return ()
        data = cast("str | None", place.option(self.name, "data")) or DATA
        if place.engine == "native":
            return package_resources(place, reached(place), _flags(place, data), data)
        image = cast("str | None", place.option(self.name, "image")) or images.PROMETHEUS
        read = read_files(place, reached(place), _promtool(place.engine, image), NOBODY)
        container = Container(
            name="gpumon-prometheus",
            image=image,
            command=_flags(place, "/prometheus"),
            # At the image's own place, where it would make a volume without a name otherwise.
            volumes=(f"{FOLDER}:{FOLDER}:ro", f"{data}:/prometheus"),
            options=("--stop-timeout=60",),
            user=NOBODY,
            reads=digests(read),
            signal="HUP",
        )
        pulled, *running = in_engine(container, place.engine)
        return *FOLDERS, Directory(data, 0o750, NOBODY, holds_data=True), pulled, *read, *running


def listening(place: Place) -> str:
    """Where Prometheus listens: the master alone may ask it unless something else is said."""
    chosen = cast("str | None", place.option(Prometheus.name, "listen"))
    return at(LOCAL if chosen is None else chosen, cast("int | None", place.option(Prometheus.name, "port")) or PORT)


def reached(place: Place) -> str:
    """Where it is reached on the master itself."""
    own = listening(place)
    return f"{LOCAL}{own}" if own.startswith(":") else own


def _flags(place: Place, data: str) -> tuple[str, ...]:
    time = cast("str | None", place.option(Prometheus.name, "retention_time")) or _RETENTION
    size = cast("str | None", place.option(Prometheus.name, "retention_size")) or _size(place)
    return (
        f"--config.file={FOLDER}/prometheus.yml",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={time}",
        *((f"--storage.tsdb.retention.size={size}",) if size else ()),
        f"--web.listen-address={listening(place)}",
    )


def _size(place: Place) -> str:
    """A share of the disk under /var/lib; "" when the history lies elsewhere."""
    if place.option(Prometheus.name, "data"):
        return ""
    under = [disk for disk in place.facts.disks if DATA.startswith(disk.path.rstrip("/") + "/")]
    if not under:
        return ""
    disk = max(under, key=lambda one: len(one.path))
    return f"{max(1, int(disk.total_bytes * _SHARE_OF_DISK) >> 30)}GB"


def _promtool(engine: str, image: str) -> tuple[str, ...]:
    """What checks a file before Prometheus sees it: the image's own promtool, as the same user."""
    return (
        *(engine, "run", "--rm", "--pull=never", "--network=none", "--cap-drop=ALL", "--read-only", f"--user={NOBODY}"),
        *(f"--volume={FOLDER}:{FOLDER}:ro", "--volume={}:{}:ro", "--entrypoint=/bin/promtool", image),
    )

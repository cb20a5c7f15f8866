"""Which images the lab's registry has: their real names, who runs what in them, and what they are put together from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lab.archive import NEWEST, OLDEST
from lab.images.programs import GRAFANA

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """One program as its makers ship it, so that wrong users, paths and ports show here too."""

    names: Sequence[str]
    """With the registry in front."""
    tags: Sequence[str]
    """{version} stands for what the archive has."""
    program: str
    """The layer on top: one of `PROGRAMS` of a suite, or one of `STANDINS`."""
    suite: str
    """Where the program, or the Python of a stand-in, comes from."""
    entrypoint: Sequence[str]
    command: Sequence[str] = ()
    user: str = ""
    folder: str = "/"
    volumes: Sequence[str] = ()
    ports: Sequence[int] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


def _prometheus(tags: Sequence[str], suite: str) -> Image:
    return Image(
        ("docker.io/prom/prometheus", "quay.io/prometheus/prometheus"),
        tags,
        "prometheus",
        suite,
        ("/bin/prometheus",),
        ("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
        user="nobody",
        folder="/prometheus",
        volumes=("/prometheus",),
        ports=(9090,),
    )


def _node_exporter(tags: Sequence[str], suite: str) -> Image:
    return Image(
        ("docker.io/prom/node-exporter", "quay.io/prometheus/node-exporter"),
        tags,
        "node-exporter",
        suite,
        ("/bin/node_exporter",),
        user="nobody",
        ports=(9100,),
    )


def _alertmanager(tags: Sequence[str], suite: str) -> Image:
    return Image(
        ("docker.io/prom/alertmanager", "quay.io/prometheus/alertmanager"),
        tags,
        "alertmanager",
        suite,
        ("/bin/alertmanager",),
        ("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
        user="nobody",
        folder="/alertmanager",
        volumes=("/alertmanager",),
        ports=(9093,),
    )


def _victoria_metrics(tags: Sequence[str], suite: str) -> Image:
    return Image(
        ("docker.io/victoriametrics/victoria-metrics",),
        tags,
        "victoria-metrics",
        suite,
        ("/victoria-metrics-prod",),
        ports=(8428,),
    )


def _grafana(version: str) -> Image:
    return Image(
        ("docker.io/grafana/grafana",),
        (version,),
        "grafana",
        NEWEST,
        ("/run.sh",),
        user=str(GRAFANA),
        folder="/usr/share/grafana",
        ports=(3000,),
        environment={
            "GF_PATHS_CONFIG": "/etc/grafana/grafana.ini",
            "GF_PATHS_DATA": "/var/lib/grafana",
            "GF_PATHS_HOME": "/usr/share/grafana",
            "GF_PATHS_LOGS": "/var/log/grafana",
            "GF_PATHS_PLUGINS": "/var/lib/grafana/plugins",
            "GF_PATHS_PROVISIONING": "/etc/grafana/provisioning",
            "STANDIN_VERSION": version,
            "PATH": f"/usr/share/grafana/bin:{PATH}",
        },
    )


def _dcgm_exporter(version: str) -> Image:
    return Image(
        ("nvcr.io/nvidia/k8s/dcgm-exporter",),
        (version,),
        "dcgm-exporter",
        NEWEST,
        ("/usr/bin/dcgm-exporter-entrypoint.sh",),
        user="root:root",
        ports=(9400,),
        environment={
            "NVIDIA_DRIVER_CAPABILITIES": "compute,utility,compat32",
            "NVIDIA_DISABLE_REQUIRE": "true",
            "NVIDIA_VISIBLE_DEVICES": "all",
            "STANDIN_VERSION": version,
        },
    )


IMAGES = (
    _prometheus(("v{version}", "v3.5.3"), NEWEST),
    _prometheus(("v{version}", "v2.42.0"), OLDEST),
    _node_exporter(("v{version}", "v1.11.1"), NEWEST),
    _node_exporter(("v{version}", "v1.5.0"), OLDEST),
    _alertmanager(("v{version}", "v0.33.1"), NEWEST),
    _alertmanager(("v{version}", "v0.25.0"), OLDEST),
    _victoria_metrics(("v{version}", "v1.145.0"), NEWEST),
    *map(_grafana, ("13.1.4", "13.1.0", "12.4.2", "11.2.0")),
    *map(_dcgm_exporter, ("4.5.3-4.8.2-distroless", "4.4.2-4.7.0-distroless", "4.2.0-4.1.0-ubuntu22.04")),
)
"""Where a tag names a version, it goes on to exist when the archive has a later one of the same series."""

"""What runs in images: real programs out of the archive, and our stand-ins where none can be had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lab.archive import NEWEST

NOBODY = 65534
GRAFANA = 472
"""User numbers that the makers' images have."""


@dataclass(frozen=True)
class Program:
    """A real program out of the archive."""

    packages: Sequence[str]
    """The first one's version is the program's."""
    files: Mapping[str, str]
    """Where the packages have them, and where the image does."""
    folders: Mapping[str, int]
    """Empty folders that it writes to, and whose they are."""
    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    """Files that the makers put beside it."""


@dataclass(frozen=True)
class StandIn:
    """A program of ours in place of one that cannot be had here."""

    files: Mapping[str, str]
    """In `standins`, and where the image has them."""
    folders: Mapping[str, int] = field(default_factory=dict[str, int])


PROMETHEUS_YML = """\
global:
  scrape_interval: 15s
scrape_configs:
  - job_name: prometheus
    static_configs:
      - targets: ["localhost:9090"]
"""
ALERTMANAGER_YML = """\
route:
  receiver: nobody
receivers:
  - name: nobody
"""
PROGRAMS = {
    "prometheus": Program(
        ("prometheus",),
        {"usr/bin/prometheus": "usr/bin/prometheus", "usr/bin/promtool": "usr/bin/promtool"},
        {"prometheus": NOBODY},
        {"etc/prometheus/prometheus.yml": PROMETHEUS_YML},
    ),
    "node-exporter": Program(
        ("prometheus-node-exporter",), {"usr/bin/prometheus-node-exporter": "usr/bin/node_exporter"}, {}
    ),
    "alertmanager": Program(
        ("prometheus-alertmanager",),
        {"usr/bin/prometheus-alertmanager": "usr/bin/alertmanager", "usr/bin/amtool": "usr/bin/amtool"},
        {"alertmanager": NOBODY},
        {"etc/alertmanager/alertmanager.yml": ALERTMANAGER_YML},
    ),
    "victoria-metrics": Program(
        ("victoria-metrics",), {"usr/bin/victoria-metrics": "victoria-metrics-prod"}, {"victoria-metrics-data": 0}
    ),
}
APART = {NEWEST: {"prometheus": ("promtool",)}}
"""Packages that a program needs in one suite and that another one's package includes."""

STANDIN_MODULES = "usr/lib/standin/lab/standins"
"""Where stand-ins import each other from, by the names they have here."""


def _modules(*names: str) -> dict[str, str]:
    return {name: f"{STANDIN_MODULES}/{name}" for name in names}


STANDINS = {
    "dcgm-exporter": StandIn(
        {
            "dcgm_exporter.py": "usr/bin/dcgm-exporter",
            "dcgm_entrypoint.sh": "usr/bin/dcgm-exporter-entrypoint.sh",
            "dcgm_default_counters.csv": "etc/dcgm-exporter/default-counters.csv",
            **_modules("dcgm_counters.py", "dcgm_exposition.py", "dcgm_fields.txt", "dcgm_flags.py", "dcgm_gpus.py"),
            **_modules("structures.py", "leaving.py"),
        }
    ),
    "grafana": StandIn(
        {
            "grafana.py": "usr/share/grafana/bin/grafana",
            "grafana_run.sh": "run.sh",
            **_modules("grafana_settings.py", "grafana_provisioning.py", "grafana_dashboards.py"),
            **_modules("grafana_database.py", "grafana_server.py", "structures.py", "leaving.py"),
        },
        {"var/lib/grafana": GRAFANA, "var/log/grafana": GRAFANA, "etc/grafana/provisioning": 0},
    ),
}

"""What Grafana reads when it starts and while it runs: its data source, where dashboards are, and these themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gpumon_setup.resources import Directory, File

FOLDER = "/etc/gpumon/grafana"
PROVISIONING = f"{FOLDER}/provisioning"
DASHBOARDS = f"{FOLDER}/dashboards"
PASSWORD = f"{FOLDER}/admin-password"
"""The administrator's, known to this machine alone."""
_HEAD = "# Written by gpumon setup; changes are lost.\n"
_KINDS = ("datasources", "dashboards", "alerting", "plugins")
"""Grafana complains of each that is not there."""

FOLDERS = tuple(map(Directory, (FOLDER, PROVISIONING, *(f"{PROVISIONING}/{kind}" for kind in _KINDS), DASHBOARDS)))


def data_source(url: str, interval_seconds: float) -> File:
    """Prometheus, asked by Grafana itself and not by browsers, as often at most as it has something new."""
    from gpumon_setup.dashboards import SOURCE_UID  # for the one machine with Grafana, as below

    source = {
        "name": "gpumon",
        "uid": SOURCE_UID,
        "orgId": 1,
        "type": "prometheus",
        "access": "proxy",
        # Grafana puts variables in.
        "url": url.replace("$", "$$"),
        "isDefault": True,
        "editable": False,
        "jsonData": {"timeInterval": f"{interval_seconds * 1000:.0f}ms", "httpMethod": "POST"},
    }
    return _provisioning("datasources", {"datasources": [source]})


def provider() -> File:
    """Where the dashboards are; Grafana looks at them again and again, so another one needs no restart."""
    own = {
        "name": "gpumon",
        "orgId": 1,
        "folder": "gpumon",
        "folderUid": "gpumon",
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": DASHBOARDS},
    }
    return _provisioning("dashboards", {"providers": [own]})


def dashboards() -> tuple[File, ...]:
    """All dashboards; the first is the page that Grafana opens with."""
    from gpumon_setup.dashboards import dashboard_files

    return tuple(File(f"{DASHBOARDS}/{name}", content) for name, content in dashboard_files().items())


def _provisioning(kind: str, content: Mapping[str, object]) -> File:
    """JSON, which is YAML too."""
    document = {"apiVersion": 1, **content}
    return File(f"{PROVISIONING}/{kind}/gpumon.yaml", f"{_HEAD}{json.dumps(document, indent=2)}\n".encode())

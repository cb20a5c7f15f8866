"""Whether Grafana is well and reaches its data source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gpumon.text import shown
from gpumon_setup.dashboards import SOURCE_UID
from gpumon_setup.host import Host
from gpumon_setup.verify.check import Check
from gpumon_setup.verify.fetching import NotFetched, fetched

_LOGS = "docker logs gpumon-grafana says why."


def grafana(master: Host, address: str, password_file: str) -> Iterator[Check]:
    """Its own health, and that of the data source; the latter only admin may ask."""
    yield _asked(master, "Grafana is healthy", f"http://{address}/api/health", "database", "ok")
    url = f"http://{address}/api/datasources/uid/{SOURCE_UID}/health"
    yield _asked(master, "Grafana reaches Prometheus", url, "status", "OK", password_file)


def _asked(master: Host, claim: str, url: str, key: str, wanted: str, password_file: str = "") -> Check:
    try:
        answer = fetched(master, url, password_file=password_file)
    except NotFetched as reason:
        return Check(claim, master.name, str(reason), _LOGS)
    if answer.status in (401, 403):
        return Check(
            claim, master.name, "it does not take admin's password", f"It should be the one in {password_file}."
        )
    try:
        told: Any = json.loads(answer.body)
        found = str(told.get(key) or told.get("message") or "")
    except (ValueError, AttributeError):
        found = ""
    if answer.status == 200 and found == wanted:
        return Check(claim, master.name)
    return Check(claim, master.name, shown(found, 200) or f"it answered with HTTP status {answer.status}", _LOGS)

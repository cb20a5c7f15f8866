"""The pages of Grafana's HTTP API that an installation is verified by."""

from __future__ import annotations

import base64
import binascii
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import quote

from lab.standins.grafana_dashboards import Dashboard, dashboards
from lab.standins.grafana_database import Database
from lab.standins.grafana_provisioning import DataSource, providers
from lab.standins.grafana_settings import Refused

Answer = tuple[int, object]
QUERY_SECONDS = 10.0
NOT_FOUND: Answer = (404, {"message": "Not found"})
DENIED: Answer = (401, {"message": "Unauthorized", "messageId": "session.token.missing", "statusCode": 401})


class Grafana:
    """What is served."""

    def __init__(self, settings: Mapping[str, str], database: Database, sources: Sequence[DataSource]) -> None:
        self.settings = settings
        self.database = database
        self.sources = sources

    def dashboards(self) -> Sequence[Dashboard]:
        """As the files are now, since Grafana reads them again and again."""
        return dashboards(providers(Path(self.settings["paths.provisioning"])), self.sources)

    def user(self, header: str) -> str | None:
        """Whose basic authentication a request has; None when it is nobody's."""
        kind, _, encoded = header.partition(" ")
        try:
            login, _, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        is_on = self.settings["auth.basic.enabled"] == "true"
        return login if kind == "Basic" and is_on and self.database.accepts(login, password) else None

    def answer(self, path: str, user: str | None, has_credentials: bool) -> Answer:
        """One page."""
        if path == "/api/health":
            version = os.environ.get("STANDIN_VERSION", "13.1.4")
            return 200, {"database": "ok", "version": version, "commit": "standin"}
        is_anonymous = self.settings["auth.anonymous.enabled"] == "true" and not has_credentials
        if user is None and not is_anonymous:
            return DENIED
        if path == "/api/search":
            return self._search()
        if path.startswith("/api/dashboards/uid/"):
            found = [each for each in self.dashboards() if each.uid == path.rpartition("/")[2]]
            return (200, {"dashboard": found[0].model, "meta": {"provisioned": True}}) if found else NOT_FOUND
        if path == "/api/org":
            return 200, {"id": 1, "name": "Main Org."}
        if user is None:
            return 403, {"message": "You'll need additional permissions to perform this action"}
        return self._for_users(path, user)

    def _search(self) -> Answer:
        try:
            found = self.dashboards()
        except Refused as refused:
            return 500, {"message": str(refused)}
        rows = [
            {
                "uid": each.uid,
                "title": each.title,
                "type": "dash-db",
                "folderTitle": each.folder,
                "tags": each.tags,
                "url": f"/d/{each.uid}/",
            }
            for each in found
        ]
        return 200, rows

    def _for_users(self, path: str, user: str) -> Answer:
        if path == "/api/user":
            return 200, {"id": 1, "login": user, "orgId": 1, "isGrafanaAdmin": True}
        if path == "/api/datasources":
            return 200, [_shown(number, source) for number, source in enumerate(self.sources, 1)]
        if path == "/api/plugins/prometheus/settings":
            return 200, {"id": "prometheus", "type": "datasource", "enabled": True}
        for number, source in enumerate(self.sources, 1):
            if path in (f"/api/datasources/uid/{source.uid}", f"/api/datasources/name/{quote(source.name)}"):
                return 200, _shown(number, source)
            if path == f"/api/datasources/uid/{source.uid}/health":
                return _health(source)
        return NOT_FOUND


def _shown(number: int, source: DataSource) -> dict[str, object]:
    return {
        "id": number,
        "uid": source.uid,
        "orgId": 1,
        "name": source.name,
        "type": source.type,
        "access": "proxy",
        "url": source.url,
        "isDefault": source.is_default,
        "jsonData": source.json_data,
        "readOnly": True,
    }


def _health(source: DataSource) -> Answer:
    """Asks the data source the question that Grafana asks."""
    try:
        with urllib.request.urlopen(f"{source.url}/api/v1/query?query=1%2B1", timeout=QUERY_SECONDS) as reply:
            is_well = json.load(reply)["status"] == "success"
    except (urllib.error.URLError, OSError, ValueError, KeyError) as failed:
        return 400, {"status": "ERROR", "message": f"{source.url}: {failed}"}
    return (200, {"status": "OK", "message": "Successfully queried the Prometheus API."}) if is_well else NOT_FOUND


class Pages(BaseHTTPRequestHandler):
    """Speaks HTTP for it."""

    grafana: Grafana
    server_version = "grafana"

    def do_GET(self) -> None:
        """An API page, or the front page that leads to the login."""
        path = self.path.partition("?")[0]
        if path.startswith("/api/"):
            header = self.headers.get("Authorization", "")
            code, content = self.grafana.answer(path, self.grafana.user(header), bool(header))
            self._send(code, "application/json; charset=UTF-8", json.dumps(content))
        elif path == "/login":
            self._send(200, "text/html; charset=UTF-8", "<title>Grafana</title>")
        else:
            self._send(302, "text/html; charset=UTF-8", "", Location="/login")

    def _send(self, code: int, kind: str, text: str, **headers: str) -> None:
        content = text.encode()
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in the base class)
        """Requests are not logged."""

#!/usr/bin/python3
"""Stands in for Grafana: starts only when settings, provisioning, dashboards and folders would work in the real one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, "/usr/lib/standin")

from lab.standins import grafana_provisioning, grafana_settings
from lab.standins.grafana_database import Database
from lab.standins.grafana_server import Grafana, Pages
from lab.standins.grafana_settings import Refused
from lab.standins.leaving import leave_when_told

CONFIGURATION = Path(os.environ.get("GF_PATHS_CONFIG", "/etc/grafana/grafana.ini"))
OPTIONS = {"--homepath", "--config", "--packaging", "--pidfile"}


def serve(words: Sequence[str]) -> None:
    """`grafana server`."""
    options = {name: value for name, _, value in (word.partition("=") for word in words) if name.startswith("--")}
    unknown = options.keys() - OPTIONS
    if unknown:
        raise Refused(f"flag provided but not defined: {min(unknown)}")
    file = options.get("--config") or CONFIGURATION
    overrides = [word for word in words if not word.startswith("--")]
    settings = grafana_settings.read(Path(file), os.environ, overrides)
    data = Path(settings["paths.data"])
    if not os.access(data, os.W_OK):
        raise Refused(f"GF_PATHS_DATA='{data}' is not writable. You may have issues with file permissions")
    if settings["database.type"] != "sqlite3" or settings["server.protocol"] != "http":
        raise Refused("The stand-in has sqlite3 and http alone.")
    sources = grafana_provisioning.data_sources(Path(settings["paths.provisioning"]))
    database = Database(data, settings["security.admin_user"], settings["security.admin_password"])
    Pages.grafana = Grafana(settings, database, sources)
    shown = Pages.grafana.dashboards()
    address = (settings["server.http_addr"], int(settings["server.http_port"]))
    try:
        server = ThreadingHTTPServer(address, Pages)
    except OSError as failed:
        raise Refused(f"failed to open listener on address {address[0]}:{address[1]}: {failed}") from failed
    log(f'logger=http.server msg="HTTP Server Listen" address={address[0]}:{address[1]} protocol=http')
    log(f'logger=provisioning msg="provisioned" datasources={len(sources)} dashboards={len(shown)}')
    server.serve_forever()


def administer(words: Sequence[str]) -> None:
    """`grafana cli admin reset-admin-password [--password-from-stdin | PASSWORD]`."""
    words = [word for word in words if not word.startswith("--homepath")]
    if list(words[:2]) != ["admin", "reset-admin-password"] or len(words) != 3:
        raise Refused(f"The stand-in does not know `grafana cli {' '.join(words[:2])}`, or it lacks its password.")
    settings = grafana_settings.read(
        Path(os.environ.get("GF_PATHS_CONFIG", "/etc/grafana/grafana.ini")), os.environ, []
    )
    database = Database(Path(settings["paths.data"]), settings["security.admin_user"], "")
    password = sys.stdin.readline().rstrip("\n") if words[2] == "--password-from-stdin" else words[2]
    if not database.set_password(settings["security.admin_user"], password):
        raise Refused("failed to find the administrator")
    print("Admin password changed successfully ✔")


def log(text: str) -> None:
    """A line as Grafana writes them."""
    print(f"level=info {text}", flush=True)


def main() -> None:
    """The two commands that are needed."""
    leave_when_told()
    verbs = {"server": serve, "cli": administer}
    if len(sys.argv) < 2 or sys.argv[1] not in verbs:
        sys.exit(f"The stand-in knows {' and '.join(verbs)}, not {sys.argv[1:2]}")
    try:
        verbs[sys.argv[1]](sys.argv[2:])
    except Refused as refused:
        sys.exit(f"level=error {refused}")


if __name__ == "__main__":
    main()

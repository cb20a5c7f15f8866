#!/usr/bin/python3
"""Stands in for dcgm-exporter 4.8: checks flags, counters file, devices and rights, and answers as it does."""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, "/usr/lib/standin")

from lab.standins import dcgm_counters, dcgm_flags, dcgm_gpus
from lab.standins.dcgm_counters import BadCounters
from lab.standins.dcgm_exposition import Exposition
from lab.standins.dcgm_flags import BadUsage, Flags
from lab.standins.dcgm_gpus import Gpu, NoGpus
from lab.standins.leaving import leave_when_told
from lab.standins.structures import mapping

CAP_SYS_ADMIN = 21


def may_profile() -> bool:
    """Whether the capability that profiling needs is in force."""
    status = Path("/proc/self/status").read_text()
    return bool(int(status.split("CapEff:")[1].split()[0], 16) & (1 << CAP_SYS_ADMIN))


def check_host_engine(address: str) -> None:
    """Connects to an nv-hostengine, as far as a stand-in can."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=5):
            pass
    except (OSError, ValueError) as failed:
        sys.exit(f"Failed to connect to remote hostengine at {address}: {failed}. Verify nv-hostengine is running.")


def chosen_gpus(flags: Flags, gpus: Sequence[Gpu]) -> Sequence[Gpu]:
    """What `--devices` leaves of them."""
    kind, _, ids = flags.texts["devices"].partition(":")
    if kind not in ("f", "g") or (kind == "f" and ids):
        raise BadUsage(f"devices {flags.texts['devices']!r}: without MIG there are GPUs only")
    if not ids:
        return gpus
    wanted: set[int] = set()
    for part in ids.split(","):
        first, _, last = part.partition("-")
        wanted |= {*range(int(first), int(last or first) + 1)}
    if not wanted <= {gpu.index for gpu in gpus}:
        raise BadUsage(f"devices {flags.texts['devices']!r}: there are only {len(gpus)} GPUs")
    return [gpu for gpu in gpus if gpu.index in wanted]


class Answers(BaseHTTPRequestHandler):
    """The pages."""

    exposition: Exposition
    server_version = "dcgm-exporter"

    def do_GET(self) -> None:
        """/metrics, /health and a front page."""
        code, kind, text = 200, "text/plain; charset=utf-8", "KO"
        path = self.path.partition("?")[0]
        if path == "/metrics":
            try:
                text = self.exposition.text()
            except (OSError, UnicodeDecodeError) as failed:
                print(f"Failed to apply transformations on metrics: {failed}", file=sys.stderr, flush=True)
                code, text = 500, "internal server error\n"
        elif path == "/health":
            text = "KO" if not self.exposition.text().strip() else "OK"
        else:
            kind, text = "text/html; charset=utf-8", "<html><h1>GPU Exporter</h1><a href=./metrics>Metrics</a></html>"
        content = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in the base class)
        """Requests are not logged."""


def listening(address: str) -> ThreadingHTTPServer:
    """A server where the exporter was told to be."""
    host, _, port = address.rpartition(":")
    try:
        return ThreadingHTTPServer((host.strip("[]"), int(port)), Answers)
    except (OSError, ValueError, OverflowError) as failed:
        sys.exit(f"Failed to Listen and Server HTTP server: listen tcp {address}: {failed}")


def with_tls(server: ThreadingHTTPServer, path: str) -> None:
    """What a web configuration file asks for."""
    import yaml

    settings = mapping(yaml.safe_load(Path(path).read_text()))
    if settings.keys() - {"tls_server_config"}:
        sys.exit(f"The stand-in knows tls_server_config alone, and {path} has {sorted(settings)}.")
    tls = mapping(settings.get("tls_server_config"))
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls["cert_file"], tls["key_file"])
        server.socket = context.wrap_socket(server.socket, server_side=True)


def main() -> None:
    """Refuses what the real one would refuse; else serves until SIGTERM."""
    leave_when_told()
    try:
        flags = dcgm_flags.read(sys.argv[1:], os.environ)
        if flags.texts["remote-hostengine-info"]:
            check_host_engine(flags.texts["remote-hostengine-info"])
        gpus = chosen_gpus(flags, dcgm_gpus.given(os.environ))
        is_allowed = may_profile()
        counters = dcgm_counters.read(Path(flags.texts["collectors"]), may_profile=is_allowed)
    except (BadUsage, BadCounters, NoGpus) as refused:
        sys.exit(str(refused))
    if not is_allowed:
        print("dcgm-exporter doesn't have sufficient privileges to expose profiling metrics.", file=sys.stderr)
    Answers.exposition = Exposition(flags, counters, gpus)
    server = listening(flags.texts["address"])
    if flags.texts["web-config-file"]:
        with_tls(server, flags.texts["web-config-file"])
    print(f"Starting webserver on {flags.texts['address']} with {len(gpus)} GPUs", file=sys.stderr, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

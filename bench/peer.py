"""The closest peer, kempnerpulse, on the GPUs of the simulated cluster: it reads one exporter, so one tells of all."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
import venv
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from typing_extensions import override

from gpumon_demo.cluster import Simulation
from gpumon_demo.dcgm_text import dcgm
from pty_program import PtyProgram

REQUIREMENT = "kempnerpulse==0.5.0"
VENV = Path(__file__).parent.parent / ".cache" / "peer"
_NUMBER = re.compile(r'(?<=[{,]gpu=")\d+')


def install_peer() -> None:
    """Once; gpumon does not depend on it."""
    if (VENV / "bin" / "kempnerpulse").exists():
        return
    print(f"installing {REQUIREMENT} into {VENV} ...", flush=True)
    venv.create(VENV, clear=True, with_pip=True)
    free = {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")}
    pip = (VENV / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", REQUIREMENT)
    subprocess.run(pip, env=free, check=True)


class _Exporter(ThreadingHTTPServer):
    """All GPUs of a cluster as those of one machine, numbered through."""

    daemon_threads = True

    def __init__(self, nodes: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._simulation = Simulation(nodes=nodes)

    def text(self) -> bytes:
        """What it says now."""
        cluster = self._simulation.at(time.time())
        pages: list[str] = []
        first = 0
        for host in self._simulation.hosts:
            if host.machine.card is not None:
                pages.append(_numbered_from(first, dcgm(cluster, host)))
                first += len(host.gpus)
        return "".join(pages).encode()


def _numbered_from(first: int, text: str) -> str:
    return _NUMBER.sub(lambda found: str(first + int(found[0])), text)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answers a scrape."""
        assert isinstance(self.server, _Exporter)
        text = self.server.text()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def peer(nodes: int, columns: int, lines: int) -> Generator[PtyProgram]:
    """The peer at its own pace, with as many GPUs as our cluster of so many nodes has."""
    install_peer()
    with _Exporter(nodes) as exporter:
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{exporter.server_port}/metrics"
        command = [str(VENV / "bin" / "kempnerpulse"), "--backend", "prometheus", "--source", url, "--show-all"]
        try:
            with PtyProgram(command, columns, lines) as program:
                yield program
        finally:
            exporter.shutdown()

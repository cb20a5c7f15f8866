"""How long one-shot commands take, process start to exit, against a minimal httpx script with the same requests."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from installed import GPUMON, PYTHON
from results import Report, Row
from simulated_site import Site, site

ROUNDS = 11
MINIMAL = Path(__file__).parent / "minimal_httpx.py"
COMMANDS = {"smallest": (("status",), ("gpus", "--json")), "10,000": (("gpus", "--json"),)}
GOALS = {("smallest", "status"): 1.25, ("smallest", "gpus"): 1.25, ("10,000", "gpus"): 1.1}


@dataclass
class Cost:
    """What one side took, a value a round, in milliseconds."""

    wall: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def measure(self, command: Sequence[str]) -> None:
        """Runs it once; its output is read and thrown away."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.wall.append((time.perf_counter() - began) * 1000)
        self.cpu.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
        if done.returncode not in {0, 1}:
            raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr.decode()}")


@contextmanager
def noting_proxy(url: str, noted: list[tuple[str, str, str]]) -> Generator[str]:
    """A proxy before Prometheus that notes method, target and body of each request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            noted.append((self.command, self.path, body.decode()))
            kind = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
            asked = urllib.request.Request(url + self.path, body or None, kind, method=self.command)
            with urllib.request.urlopen(asked, timeout=60) as answer:
                told: bytes = answer.read()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_POST = do_GET  # noqa: N815  http.server's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's names
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def requests_of(command: Sequence[str], url: str) -> list[tuple[str, str, str]]:
    """What the command sends."""
    noted: list[tuple[str, str, str]] = []
    with noting_proxy(url, noted) as proxy:
        subprocess.run([GPUMON, *command, "--prometheus", proxy], capture_output=True, check=False)
    return noted


def report_on(place: Site, command: Sequence[str], report: Report) -> None:
    """Measures one command at one size."""
    requests = requests_of(command, place.url)
    ours, bare = Cost(), Cost()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(requests, file)
        file.flush()
        for _ in range(ROUNDS):
            ours.measure([GPUMON, *command, "--prometheus", place.url])
            bare.measure([PYTHON, str(MINIMAL), place.url, file.name])
    what, goal = f"gpumon {' '.join(command)}, {place.title}", GOALS.get((place.name, command[0]))
    report.add(Row(f"{what}: wall", "ms", ours.wall, bare.wall, goal, remark=f"{len(requests)} requests"))
    report.add(Row(f"{what}: CPU", "ms", ours.cpu, bare.cpu, None))


def main() -> int:
    """Measures both commands on the smallest and the largest cluster."""
    os.environ["HOME"] = tempfile.gettempdir()  # no configuration but the defaults
    report = Report("oneshot")
    report.head()
    for name, commands in COMMANDS.items():
        with site(name) as place:
            for command in commands:
                report_on(place, command, report)
    print(f"kept in {report.save()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

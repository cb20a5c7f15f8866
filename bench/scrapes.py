"""How long a scrape of the running Slurm exporter takes, against a server of one page, and what memory it needs."""

from __future__ import annotations

import gzip
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from pathlib import Path

from real.daemons import Daemon, until
from real.slurm.told import exporter, told, value
from real_queue import RealQueue
from results import Report, Row

ROUNDS = 11
SCRAPES = 200
"""Of one round, over one connection, as Prometheus makes them; meanwhile the exporter reads Slurm each second."""
LIMIT_MILLISECONDS = 20.0
LIMIT_MEGABYTES = 80.0
PAGE_SERVER = Path(__file__).parent / "one_page_server.py"
BARE = "import prometheus_client; print(open('/proc/self/status').read())"
"""An exporter that tells nothing."""


def report_on_scrapes(queue: RealQueue, folder: Path, report: Report) -> None:
    """Measures a running exporter at one size."""
    daemon = exporter(queue.site, folder / "log")
    daemon.start()
    try:
        until(lambda: value(told(daemon), "slurm_up") == 1, "a reading")
        _report(queue, daemon, folder, report)
    finally:
        daemon.stop()


def _report(queue: RealQueue, daemon: Daemon, folder: Path, report: Report) -> None:
    series = sum(map(len, told(daemon).values()))
    compressed = _scraped(HTTPConnection("127.0.0.1", daemon.port, timeout=60), "/metrics")
    remark = f"{series:,} series, {len(compressed):,} bytes, {len(gzip.decompress(compressed)):,} without gzip"
    page = folder / "page"
    page.write_bytes(compressed)
    pages = Daemon(_page_server(page), "/metrics", folder / "log-of-page")
    pages.start()
    try:
        ours, bare = list[float](), list[float]()
        for _ in range(ROUNDS):
            ours += [_slowest(daemon.port)]
            bare += [_slowest(pages.port)]
    finally:
        pages.stop()
    what = f"exporter, {queue.waiting:,} jobs"
    report.add(Row(f"{what}: scrape, p99", "ms", ours, bare, None, LIMIT_MILLISECONDS, remark))
    memory = [_megabytes(Path(f"/proc/{daemon.pid}/status").read_text())]
    told_of_bare = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, check=True).stdout
    report.add(Row(f"{what}: memory at most", "MB", memory, [_megabytes(told_of_bare)], None, LIMIT_MEGABYTES))


def _page_server(page: Path) -> Callable[[int], Sequence[str]]:
    return lambda port: [sys.executable, str(PAGE_SERVER), str(port), str(page)]


def _slowest(port: int) -> float:
    """The 99th percentile of many scrapes, in milliseconds."""
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    took = list[float]()
    for _ in range(SCRAPES):
        began = time.perf_counter()
        _scraped(connection, "/metrics")
        took.append((time.perf_counter() - began) * 1000)
    connection.close()
    return statistics.quantiles(took, n=100)[98]


def _scraped(connection: HTTPConnection, path: str) -> bytes:
    connection.request("GET", path, headers={"Accept-Encoding": "gzip", "Accept": "text/plain;version=0.0.4"})
    return connection.getresponse().read()


def _megabytes(status: str) -> float:
    """The most memory that a process ever had."""
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000

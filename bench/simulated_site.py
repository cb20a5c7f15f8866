"""A real Prometheus that scrapes the simulated cluster, for as long as a benchmark needs it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from real.daemons import Daemon, Engine, program, simulated_jobs, start_engine, until

INTERVAL = 15
"""Seconds between scrapes, as on most sites."""

NODES = {"smallest": 4, "64": 10, "256": 36, "1,024": 132, "2,048": 264, "10,000": 1250}
"""Nodes of the simulated cluster that come nearest to so many GPUs."""


@dataclass(frozen=True)
class Site:
    """One size of cluster behind a real Prometheus."""

    name: str
    engine: Engine
    gpus: int
    jobs: int

    @property
    def url(self) -> str:
        """Of Prometheus."""
        return self.engine.url

    @property
    def title(self) -> str:
        """Its size in words."""
        return f"{self.gpus:,} GPUs, {self.jobs:,} jobs"


def _count(engine: Engine, promql: str) -> int:
    found = engine.query(promql)
    return int(found[0].value) if found else 0


def _exporters(nodes: int, folder: Path) -> Daemon:
    gpumon = Path(sys.executable).parent / "gpumon"
    return Daemon(
        lambda port: [
            *(str(gpumon), "demo", "serve", "--port", str(port)),
            *("--demo-nodes", str(nodes), "--interval", str(INTERVAL)),
        ],
        "/prometheus.yml",
        folder / "exporters.log",
    )


@contextmanager
def site(name: str) -> Generator[Site]:
    """Starts both, waits until every exporter was scraped twice, and stops them."""
    with TemporaryDirectory() as base:
        folder = Path(base)
        exporters = _exporters(NODES[name], folder)
        exporters.start()
        try:
            engine = start_engine(
                "prometheus", "system", list(simulated_jobs(exporters.url)), folder, interval=f"{INTERVAL}s"
            )
            try:
                until(lambda: _count(engine, "count(count_over_time(up[10m]) >= 2)") == engine.targets, "scrapes", 300)
                gpus = _count(engine, "count(DCGM_FI_DEV_GPU_TEMP)")
                yield Site(name, engine, gpus, _count(engine, "count(gpumon_job_info)"))
            finally:
                engine.daemon.stop()
        finally:
            exporters.stop()


def prometheus_version() -> str:
    """Of the Prometheus that is measured."""
    told = subprocess.run([*program("prometheus", "system"), "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\S+)", told.stdout + told.stderr)
    return found[1] if found else "unknown"

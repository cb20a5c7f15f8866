"""Starts real Prometheus, VictoriaMetrics and node_exporter on free loopback ports, and stops them by their pid."""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

CACHE = Path(__file__).parents[2] / ".cache" / "daemons"
STARTS = 3
"""How often a daemon is started again when another program took its port in between."""
PATIENCE = 60.0
"""Seconds; far more than anything here needs, so that a busy machine does not fail a test."""


class Missing(Exception):
    """The program is not there; `make daemons` brings it."""


class Failed(Exception):
    """A daemon did not start or did not get as far as a test needs; the message ends with its log."""


def program(name: str, release: str) -> list[str]:
    """The command that runs a daemon: "system" is this release's version, "newest" that of the newest suite.

    Raises:
        Missing: there is none.
    """
    path = CACHE / release / "bin" / name
    loader = next((CACHE / release / "lib").glob("ld-linux*.so.*"), None)
    if path.exists():
        return [str(path)] if loader is None else [str(loader), "--library-path", str(loader.parent), str(path)]
    installed = shutil.which(name) if release == "system" else None
    if installed is None:
        raise Missing(f"There is no {name} of the {release} release in {CACHE}; `make daemons` brings it.")
    return [installed]


def version(name: str, release: str) -> str:
    """Which version a release has, for a report's heading."""
    listed = CACHE / release / "versions"
    found = [line for line in listed.read_text().split() if line.startswith(f"{name}_")] if listed.exists() else []
    return found[0].split("_")[1] if found else "not unpacked"


def free_port() -> int:
    """A port of the loopback that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(is_done: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Looks again and again until it is so.

    Raises:
        Failed: it was not so in time.
    """
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise Failed(f"After {seconds:g} s still waiting: {what}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """True when something at the URL says 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@dataclass
class Daemon:
    """One program of ours that listens on one port."""

    command: Callable[[int], Sequence[str]]
    """Its command line for a port."""
    ready_path: str
    """Answers 200 once it works."""
    log: Path
    port: int = 0
    """0 until it was started; the same after a restart."""
    _process: subprocess.Popen[bytes] | None = None
    _output: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Runs it and returns when it works; on its old port after a stop."""
        for _ in range(1 if self.port else STARTS):
            port = self.port or free_port()
            if self._runs_on(port):
                self.port = port
                return
        raise Failed(f"{' '.join(self.command(self.port))} ended at once:\n{self.told()}")

    def _runs_on(self, port: int) -> bool:
        self._output = self.log.open("ab")
        self._process = subprocess.Popen(
            self.command(port), stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT
        )
        process, ready = self._process, f"http://127.0.0.1:{port}{self.ready_path}"
        until(lambda: process.poll() is not None or answers(ready), f"{ready}\n{self.told()}")
        if process.poll() is None:
            return True
        self._forget()
        return False

    def stop(self) -> None:
        """Asks it to end, and makes it end when it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._forget()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._forget()

    def _forget(self) -> None:
        if self._process is not None:
            self._process.wait()
        if self._output is not None:
            self._output.close()
        self._process = self._output = None

    def told(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


@dataclass(frozen=True)
class ScrapeJob:
    """One entry of scrape_configs."""

    name: str
    targets: Mapping[str, str]
    """The chosen `instance` label -> what is really scraped: "127.0.0.1:40001" or "127.0.0.1:40001/some/metrics"."""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    """Put on every series of the job."""

    @property
    def places(self) -> dict[str, tuple[str, str]]:
        """Host with port, and path, of each instance."""
        parts = {instance: address.partition("/") for instance, address in self.targets.items()}
        return {instance: (host, f"/{path or 'metrics'}") for instance, (host, _, path) in parts.items()}


def simulated_jobs(url: str) -> Iterator[ScrapeJob]:
    """The exporters of `gpumon demo serve` with fixed targets, which are scraped sooner than discovered ones."""
    for kind in ("dcgm", "node", "slurm"):
        with urllib.request.urlopen(f"{url}/sd/{kind}", timeout=30) as answer:
            found = json.load(answer)
        yield ScrapeJob(
            kind,
            {one["labels"]["instance"]: one["targets"][0] + one["labels"]["__metrics_path__"] for one in found},
        )


def scrape_config(jobs: Sequence[ScrapeJob], interval: str = "1s") -> str:
    """A prometheus.yml; JSON is YAML too."""
    return json.dumps(
        {
            "global": {"scrape_interval": interval, "scrape_timeout": interval},
            "scrape_configs": [
                {
                    "job_name": job.name,
                    "static_configs": [
                        {"targets": [host], "labels": {"instance": instance, "__metrics_path__": path, **job.labels}}
                        for instance, (host, path) in job.places.items()
                    ],
                }
                for job in jobs
            ],
        },
        indent=1,
    )


@dataclass(frozen=True)
class Sample:
    """One sample of an instant query, straight from the API."""

    labels: dict[str, str]
    value: float
    at: float


@dataclass
class Engine:
    """A running Prometheus or VictoriaMetrics, asked directly and not through the product."""

    kind: str
    """"prometheus" or "victoria-metrics"."""
    release: str
    """"system" or "newest"."""
    daemon: Daemon
    targets: int
    """How many there are to scrape."""

    @property
    def url(self) -> str:
        """What a user would write into the configuration."""
        return self.daemon.url

    def get(self, path: str, **parameters: str) -> Any:
        """The `data` of an API answer."""
        with urllib.request.urlopen(f"{self.url}{path}?{urlencode(parameters)}", timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, promql: str) -> list[Sample]:
        """An instant query, without VictoriaMetrics' delay."""
        result = self.get("/api/v1/query", query=promql, nocache="1")["result"]
        return [Sample(row["metric"], float(row["value"][1]), float(row["value"][0])) for row in result]

    def wait_for_scrapes(self, number: int = 2) -> None:
        """Returns when every target was scraped that often, with or without success.

        VictoriaMetrics remembers for ten seconds that a selector found nothing, so each look has another selector.
        """
        look = itertools.count()

        def scraped() -> bool:
            found = self.query(f'count(count_over_time(up{{look!="{next(look)}"}}[10m]) >= {number})')
            return bool(found) and found[0].value >= self.targets

        until(scraped, f"{number} scrapes of {self.targets} targets\n{self.daemon.told()}")

    def wait_for(self, promql: str, what: str = "") -> None:
        """Returns when the query finds something."""
        until(lambda: bool(self.query(promql)), what or promql)


def _prometheus(command: Sequence[str], folder: Path) -> Callable[[int], Sequence[str]]:
    return lambda port: [
        *command,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]


def _victoria_metrics(command: Sequence[str], folder: Path) -> Callable[[int], Sequence[str]]:
    return lambda port: [
        *command,
        f"-promscrape.config={folder}/prometheus.yml",
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-memory.allowedBytes=256MB",
        "-loggerLevel=WARN",
    ]


_COMMANDS = {"prometheus": _prometheus, "victoria-metrics": _victoria_metrics}


def start_engine(
    kind: str, release: str, jobs: Sequence[ScrapeJob], folder: Path, *, interval: str = "1s", rules: str = ""
) -> Engine:
    """Runs one that scrapes `jobs` and keeps its data in `folder`; `rules` is a rule file for Prometheus.

    Raises:
        Missing: the program is not there.
        Failed: it does not start.
    """
    command = program(kind, release)
    config = json.loads(scrape_config(jobs, interval))
    if rules:
        (folder / "rules.yml").write_text(rules)
        config["rule_files"] = [f"{folder}/rules.yml"]
        config["global"]["evaluation_interval"] = "1s"
    (folder / "prometheus.yml").write_text(json.dumps(config, indent=1))
    daemon = Daemon(_COMMANDS[kind](command, folder), "/-/ready", folder / "log")
    daemon.start()
    return Engine(kind, release, daemon, sum(len(job.targets) for job in jobs))


def start_node_exporter(release: str, folder: Path) -> Daemon:
    """Runs a node_exporter that tells about this machine.

    Raises:
        Missing: the program is not there.
        Failed: it does not start.
    """
    command = program("prometheus-node-exporter", release)
    daemon = Daemon(
        lambda port: [*command, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
        "/metrics",
        folder / "node_exporter.log",
    )
    daemon.start()
    return daemon

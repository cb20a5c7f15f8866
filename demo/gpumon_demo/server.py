"""The simulated cluster's exporters behind one HTTP port, with service discovery and configuration for a Prometheus."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import cast

from gpumon_demo.cluster import Cluster, Simulation
from gpumon_demo.dcgm_text import dcgm
from gpumon_demo.exposition import CONTENT_TYPE
from gpumon_demo.inventory import Host
from gpumon_demo.node_text import node
from gpumon_demo.slurm_text import jobs, slurm
from gpumon_demo.source import SLURM_INSTANCE

QUIET_FOR_SECONDS = 360.0
"""After the start all exporters answer for so long, so that Prometheus hears each of them before one falls silent."""

BRIEF_FROM_NODES = 100
"""From so many nodes on, node_exporters leave out what nobody reads: a real site would drop it by relabelling."""

_PATHS = {"dcgm": ":9400", "node": ":9100"}


class Exporters:
    """Answers to paths; knows nothing of HTTP beyond them."""

    def __init__(
        self,
        simulation: Simulation,
        *,
        interval_seconds: float,
        clock: Callable[[], float],
        has_job_label: bool = False,
    ) -> None:
        self.simulation, self.interval_seconds = simulation, interval_seconds
        self._clock, self._has_job_label = clock, has_job_label
        self._lock = threading.Lock()

    def answer(self, path: str, address: str) -> tuple[int, str, str] | None:
        """Status, content type and text for a path; None for an exporter that is silent. `address`: our own."""
        parts = path.split("?", 1)[0].strip("/").split("/")
        if parts == [""]:
            return 200, "text/plain; charset=utf-8", self._welcome(address)
        if parts == ["prometheus.yml"]:
            return 200, "text/plain; charset=utf-8", self.configuration(address)
        if len(parts) == 2 and parts[0] == "sd" and parts[1] in {"dcgm", "node", "slurm"}:
            return 200, "application/json", json.dumps(self.targets(parts[1], address), indent=1)
        with self._lock:
            return self._metrics(parts)

    def _metrics(self, parts: list[str]) -> tuple[int, str, str] | None:
        cluster = self.simulation.at(self._clock())
        if parts == ["slurm", "metrics"]:
            return 200, CONTENT_TYPE, slurm(cluster)
        if parts == ["slurm", "metrics", "jobs"]:
            return 200, CONTENT_TYPE, jobs(cluster)
        host = self.simulation.host_by_name.get(parts[1]) if len(parts) == 3 and parts[2] == "metrics" else None
        if host is None or parts[0] not in _PATHS or (parts[0] == "dcgm" and host.machine.card is None):
            return 404, "text/plain; charset=utf-8", "There is no such exporter here; / lists what there is.\n"
        if self._is_silent(cluster, host, parts[0]):
            return None
        if parts[0] == "dcgm":
            return 200, CONTENT_TYPE, dcgm(cluster, host, has_job_label=self._has_job_label)
        is_brief = self.simulation.size >= BRIEF_FROM_NODES
        return 200, CONTENT_TYPE, node(cluster, host, is_brief=is_brief)

    def _is_silent(self, cluster: Cluster, host: Host, kind: str) -> bool:
        troubles = self.simulation.troubles
        if host.name == troubles.down:
            return True
        return kind == "dcgm" and troubles.last_heard(host.name, cluster.moment) != cluster.moment

    def targets(self, kind: str, address: str) -> list[dict[str, object]]:
        """Targets of one kind as Prometheus' HTTP service discovery reads them."""
        if kind == "slurm":
            names = {SLURM_INSTANCE: "/slurm/metrics"}
        else:
            hosts = [host for host in self.simulation.hosts if kind == "node" or host.machine.card is not None]
            names = {f"{host.name}{_PATHS[kind]}": f"/{kind}/{host.name}/metrics" for host in hosts}
        return [
            {"targets": [address], "labels": {"instance": instance, "__metrics_path__": path}}
            for instance, path in names.items()
        ]

    def configuration(self, address: str) -> str:
        """A whole prometheus.yml that scrapes the simulated cluster."""
        seconds = f"{round(self.interval_seconds * 1000)}ms"
        jobs = "".join(
            f"  - job_name: {kind}\n"
            f"    http_sd_configs:\n"
            f"      - url: http://{address}/sd/{kind}\n"
            f"        refresh_interval: 5s\n"
            for kind in ("dcgm", "node", "slurm")
        )
        return (
            f"# The simulated cluster ({self.simulation.label}).\n"
            f"global:\n  scrape_interval: {seconds}\n  scrape_timeout: {seconds}\n  evaluation_interval: {seconds}\n"
            f"scrape_configs:\n{jobs}"
        )

    def _welcome(self, address: str) -> str:
        return (
            f"This is a simulated cluster ({self.simulation.label}). Nothing here is real.\n\n"
            f"http://{address}/prometheus.yml      a configuration that scrapes it all\n"
            f"http://{address}/sd/dcgm             targets for http_sd_configs; likewise /sd/node and /sd/slurm\n"
            f"http://{address}/dcgm/NODE/metrics   what dcgm-exporter would say on that node\n"
            f"http://{address}/node/NODE/metrics   what node_exporter would say\n"
            f"http://{address}/slurm/metrics       what gpumon-slurm-exporter would say\n"
            f"http://{address}/slurm/metrics/jobs  its single jobs alone\n\n"
            f"Nodes: {', '.join(host.name for host in self.simulation.hosts)}\n"
        )


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    timeout = 120
    """Seconds after which a connection that nobody uses is closed, and its thread with it."""

    def do_GET(self) -> None:
        """Answers, or says nothing useful in the name of a silent exporter."""
        server = cast("_Server", self.server)
        answer = server.exporters.answer(self.path, self.headers.get("Host") or server.address)
        status, kind, text = answer or (503, "text/plain; charset=utf-8", "This exporter is silent.\n")
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name is the base class's
        """Says nothing: a scrape every few seconds is no news."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    exporters: Exporters

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the base class's
        """Stays calm when a scraper hangs up: it tells its own users. Anything else is a bug of ours."""
        failure = sys.exc_info()[1]
        if failure is not None and not isinstance(failure, ConnectionError):
            raise failure

    @property
    def address(self) -> str:
        """Host and port, as they stand in a URL."""
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class ExporterServer:
    """The exporters on a port of this machine, for as long as it is entered as a context."""

    def __init__(
        self,
        nodes: int = 12,
        seed: int = 1,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        interval_seconds: float = 5.0,
        clock: Callable[[], float] = time.time,
        simulation: Simulation | None = None,
        has_job_label: bool = False,
    ) -> None:
        """Port 0 lets the system choose. Give a `DemoSource` the same `simulation` to see the same cluster in it.

        Raises:
            OSError: nothing can listen there.
        """
        now = clock()
        self.simulation = simulation or Simulation(nodes, seed, begins_at=now, falls_silent_at=now + QUIET_FOR_SECONDS)
        self._server = _Server((host, port), _Handler)
        self._server.exporters = Exporters(
            self.simulation, interval_seconds=interval_seconds, clock=clock, has_job_label=has_job_label
        )
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that was bound."""
        return self._server.server_address[1]

    @property
    def address(self) -> str:
        """Host and port, as they stand in a URL."""
        return self._server.address

    @property
    def url(self) -> str:
        """Where its root is."""
        return f"http://{self.address}"

    @property
    def configuration(self) -> str:
        """A prometheus.yml that scrapes it."""
        return self._server.exporters.configuration(self.address)

    def serve_forever(self) -> None:
        """Answers in this thread until interrupted."""
        self._server.serve_forever()

    def close(self) -> None:
        """Stops listening."""
        self._server.server_close()

    def __enter__(self) -> ExporterServer:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        if self._thread is not None:
            self._thread.join()
        self.close()


def serve_forever(
    host: str,
    port: int,
    *,
    nodes: int,
    seed: int,
    interval_seconds: float,
    clock: Callable[[], float] = time.time,
    on_ready: Callable[[str, int], None] | None = None,
) -> None:
    """Answers scrapes until interrupted (Ctrl-C); `on_ready` is told host and port once it listens.

    Raises:
        OSError: nothing can listen there.
    """
    server = ExporterServer(nodes, seed, host=host, port=port, interval_seconds=interval_seconds, clock=clock)
    try:
        if on_ready is not None:
            on_ready(host, server.port)
        server.serve_forever()
    except KeyboardInterrupt:
        return
    finally:
        server.close()

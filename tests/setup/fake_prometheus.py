"""The master's Prometheus and Grafana in memory: they know what the machines of a test run, as far as it is asked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from gpumon_setup.host import Outcome, RunCommand
from gpumon_setup.verify.closed import TRY
from gpumon_setup.verify.fetching import FETCH

if TYPE_CHECKING:
    from setup.fake_host import FakeHost

EXPORTERS = {
    "node": ("gpumon-node-exporter", "prometheus-node-exporter"),
    "dcgm": ("gpumon-dcgm-exporter",),
    "slurm": ("gpumon-slurm-exporter",),
}
"""Jobs, and what must run for them to be up."""

NOW = "2999-12-31T23:59:59.123456789Z"
"""Later than whatever a test does."""


@dataclass
class FakePrometheus:
    """Answers the requests that the master is told to carry out."""

    hosts: dict[str, FakeHost]
    master: str = "head"
    errors: dict[str, str] = field(default_factory=dict[str, str])
    """What the last scrape complained of, by instance."""
    pages: dict[str, tuple[int, object]] = field(default_factory=dict[str, tuple[int, object]])
    """Answers by the end of a path, in the place of those that follow from the machines."""
    values: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    """Values by label, for queries that hold these words."""
    asked: list[str] = field(default_factory=list[str])
    scraped: dict[str, str] = field(default_factory=dict[str, str])
    """When instances were scraped last, as Prometheus writes it; all others just now."""
    broken_images: set[str] = field(default_factory=set[str])
    """What runs from these tells nothing."""
    open_ports: set[int] = field(default_factory=set[int])
    """What others reach on the master."""

    def attach(self) -> None:
        """Lets the machines' shells answer."""
        self.hosts[self.master].commands["sh", "-c", FETCH] = self.fetch
        for host in self.hosts.values():
            host.commands["sh", "-c", TRY] = self.connect

    def fetch(self, command: RunCommand) -> Outcome:
        """A page, as curl prints it."""
        url = command.argv[4]
        self.asked.append(url)
        parts = urlsplit(url)
        found = next((page for end, page in self.pages.items() if parts.path.endswith(end)), None)
        names = ("gpumon-grafana", "grafana-server") if "3000" in parts.netloc else ("gpumon-prometheus", "prometheus")
        if found is None and not self._runs(self.hosts[self.master], names):
            return Outcome(7, err=b"curl: (7) Failed to connect to 127.0.0.1: Connection refused")
        status, page = found or (200, self._page(parts.path, parse_qs(parts.query).get("query", [""])[0]))
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        return Outcome(0, body + f"\n{status}".encode())

    def connect(self, command: RunCommand) -> Outcome:
        """New connections to the master."""
        return Outcome(0, "".join(f"{port}\n" for port in command.argv[5:] if int(port) in self.open_ports).encode())

    def _page(self, path: str, query: str) -> object:
        if path.endswith("/targets"):
            return {"status": "success", "data": {"activeTargets": list(self._targets())}}
        if path.endswith("/rules"):
            rules = [{"name": "x", "health": "ok"}]
            groups = [{"name": name, "rules": rules} for name in ("gpumon-gpu", "gpumon-gpu-alerts")]
            return {"status": "success", "data": {"groups": groups}}
        if path.endswith("/query"):
            return {"status": "success", "data": {"resultType": "vector", "result": self._vector(query)}}
        return {"status": "OK", "database": "ok"}

    def _targets(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        for job, programs in EXPORTERS.items():
            file = self.hosts[self.master].files.get(f"/etc/gpumon/prometheus/targets/{job}.json")
            for one in json.loads((file.content if file is not None else None) or b"[]"):
                instance = one["labels"]["instance"]
                host = self.hosts.get(instance.partition(":")[0])
                is_up = host is not None and self._runs(host, programs)
                error = self.errors.get(instance, "" if is_up else "dial tcp: connect: connection refused")
                health = "down" if error else "up"
                target = {"health": health, "lastError": error, "lastScrape": self.scraped.get(instance, NOW)}
                told.append({"labels": {"job": job, **one["labels"]}, **target})
        return told

    def _vector(self, query: str) -> list[dict[str, object]]:
        label = (re.findall(r"by \((\w+)\)", query) or ["job"])[0]
        given = next((values for words, values in self.values.items() if words in query), None)
        values = given if given is not None else dict(self._values(query))
        return [{"metric": {label: name}, "value": [1.0, str(value)]} for name, value in values.items()]

    def _values(self, query: str) -> list[tuple[str, float]]:
        up = [name for name, host in self.hosts.items() if self._runs(host, EXPORTERS["node"])]
        if "slurm_up" in query:
            return [(one["labels"]["instance"], 1.0) for one in self._targets() if one["labels"]["job"] == "slurm"]
        if "UUID" in query:
            return [(name, float(self.hosts[name].gpus)) for name in up if self.hosts[name].gpus]
        if "reload" in query:
            return [("prometheus", 1.0)]
        return [(name, 3.0) for name in up]

    def _runs(self, host: FakeHost, names: tuple[str, ...]) -> bool:
        there = [host.containers[name] for name in names if name in host.containers]
        containers = [one.is_running and one.image not in self.broken_images for one in there]
        units = [unit.is_active for name, unit in host.units.items() if name.removesuffix(".service") in names]
        return any((*containers, *units))

"""What the exporter tells: a running one, and its text as numbers by series."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from real.daemons import Daemon, until
from slurm_site.site import SlurmSite

EXPORTER = str(Path(sys.executable).parent / "gpumon-slurm-exporter")
Series = Mapping[tuple[tuple[str, str], ...], float]
"""Labels in order -> value."""
Told = Mapping[str, Series]
"""Name -> series."""


def series(*entries: tuple[Mapping[str, str], float | None]) -> Series:
    """Series with these labels and values; those without a value are none."""
    return {tuple(sorted(labels.items())): value for labels, value in entries if value is not None}


def exporter(site: SlurmSite, log: Path, *options: str) -> Daemon:
    """An exporter that reads the cluster each second; it is not started yet."""
    environment = [f"{key}={value}" for key, value in site.environment.items()]
    return Daemon(
        lambda port: ["env", *environment, EXPORTER, f"--listen=127.0.0.1:{port}", "--interval=1", *options],
        "/healthz",
        log,
    )


def told(daemon: Daemon, page: str = "/metrics") -> Told:
    """Everything on a page."""
    with urllib.request.urlopen(daemon.url + page, timeout=30) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def value(found: Told, name: str, **labels: str) -> float | None:
    """The value of one series; None when it is not there."""
    return found.get(name, {}).get(tuple(sorted(labels.items())))


def read_at(daemon: Daemon) -> float:
    """When the exporter last had an answer of Slurm; 0 before."""
    return value(told(daemon), "gpumon_exporter_last_reading_time_seconds") or 0.0


def wait_for_reading(daemon: Daemon) -> None:
    """Returns after a reading that began later than this call."""
    before = read_at(daemon)
    until(lambda: read_at(daemon) > before, "a reading")
    before = read_at(daemon)
    until(lambda: read_at(daemon) > before, "another reading")

"""Prometheus' own tool finds nothing wrong with the simulated exporters' text."""

from __future__ import annotations

import re
import subprocess

import pytest

from gpumon_demo.cluster import BEGIN, Simulation
from gpumon_demo.dcgm_text import dcgm
from gpumon_demo.node_text import node
from gpumon_demo.slurm_text import jobs, slurm
from needs import skipped_or_failed
from real.daemons import Missing, program

USUAL = r"_total|_count|camelCase|snake_case|abbreviated|metric name|no help|non-counter|unit"
"""It finds DCGM's capitals and vpenso's `_total` gauges unusual, in the real exporters as well."""


@pytest.fixture
def promtool() -> list[str]:
    """The command that checks expositions."""
    try:
        return program("promtool", "system")
    except Missing as missing:
        skipped_or_failed(missing)
        raise


def test_promtool_has_nothing_to_say_but_what_it_says_of_the_real_exporters(promtool: list[str]) -> None:
    cluster = Simulation(33, 1).at(BEGIN + 90_000.0)
    hosts = {host.machine.prefix: host for host in cluster.simulation.hosts if host.units}.values()
    pages = [text for host in hosts for text in (node(cluster, host), dcgm(cluster, host))]
    for text in (slurm(cluster), jobs(cluster), *pages):
        done = subprocess.run([*promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False)
        assert done.returncode in {0, 3}, "broken text is exit code 1"
        assert not [line for line in done.stderr.splitlines() if line and not re.search(USUAL, line)]

"""Every question of every dashboard, put to real engines that have scraped the simulated cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gpumon_demo.cluster import Simulation
from gpumon_demo.server import ExporterServer
from gpumon_setup.dashboards import dashboard_files
from real.conftest import StartEngine
from real.daemons import Engine, ScrapeJob, simulated_jobs
from setup.dashboards_read import models, queries, variables

MAY_BE_EMPTY = {
    "Alerts that fire": "no rules are loaded",
    "Slowed down": "the simulated cards do not tell it",
    "XID errors": "most of the time no card has any",
    "XID errors lately": "most of the time no card has any",
}
"""Panels that may say nothing here, and why."""
CHOSEN = {"cluster": ".*", "node": ".*", "gpu": ".*", "partition": ".*"}
BUILT_IN = {"__rate_interval": "10s", "__range": "1m"}


def filled(promql: str, chosen: Mapping[str, str] = CHOSEN) -> str:
    """A question as Grafana sends it."""
    values = {**chosen, **BUILT_IN}
    return re.sub(r"\$(\w+)", lambda name: values[name[1]], promql)


def labelled_jobs(url: str) -> Iterator[ScrapeJob]:
    """The simulated exporters with the labels that gpumon's own Prometheus gives their series."""
    for job in simulated_jobs(url):
        for instance, address in job.targets.items():
            node = {} if job.name == "slurm" else {"node": instance.rpartition(":")[0]}
            labels = {"job": job.name, "cluster": "simulated", **node}
            yield ScrapeJob(f"{job.name} {instance}", {instance: address}, labels)


def answers(engine: Engine, model: Mapping[str, Any], chosen: Mapping[str, str] = CHOSEN) -> dict[str, int]:
    """How many lines or rows each panel has."""
    found: dict[str, int] = {}
    for title, promql in queries(model):
        found[title] = found.get(title, 0) + len(engine.query(filled(promql, chosen)))
    return found


def test_every_panel_shows_the_simulated_cluster(start_engine: StartEngine) -> None:
    with ExporterServer(nodes=12, interval_seconds=1) as exporters:
        engine = start_engine(*labelled_jobs(exporters.url), scrapes=3)
        for model in models(dashboard_files()):
            empty = [title for title, lines in answers(engine, model).items() if not lines]
            assert set(empty) <= MAY_BE_EMPTY.keys(), (model["title"], empty)


def test_what_can_be_chosen_is_there_and_leaves_something_to_show(start_prometheus: StartEngine) -> None:
    with ExporterServer(nodes=12, interval_seconds=1) as exporters:
        engine = start_prometheus(*labelled_jobs(exporters.url), scrapes=3)
        host = next(host for host in Simulation(12).hosts if host.machine.card is not None)
        chosen = {"cluster": "simulated", "node": host.name, "gpu": "0", "partition": "h100"}
        for model in models(dashboard_files()):
            for name, series in variables(model).items():
                assert chosen[name] in {sample.labels.get(name) for sample in engine.query(filled(series))}, name
            lines = answers(engine, model, chosen)
            assert lines["GPUs in jobs" if "GPUs in jobs" in lines else "Mean load"]


def test_another_cluster_shows_nothing(start_prometheus: StartEngine) -> None:
    with ExporterServer(nodes=4, interval_seconds=1) as exporters:
        engine = start_prometheus(*labelled_jobs(exporters.url))
        for model in models(dashboard_files()):
            lines = answers(engine, model, {**CHOSEN, "cluster": "other"})
            assert not {title: count for title, count in lines.items() if count}, model["title"]

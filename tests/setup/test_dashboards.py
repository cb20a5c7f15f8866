"""Dashboards are ones that Grafana takes, and ask for nothing that the stack does not tell."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gpumon_setup.components.dcgm_exporter import counters_file
from gpumon_setup.dashboards import DASHBOARDS, SOURCE_UID, dashboard_files
from lab.standins.grafana_dashboards import dashboards
from lab.standins.grafana_provisioning import DataSource, Provider
from setup.dashboards_read import models, queries, variables

ROOT = Path(__file__).parents[2]
MODELS = list(models(dashboard_files()))
BY_UID = pytest.mark.parametrize("model", MODELS, ids=[model["uid"] for model in MODELS])
OF_PROMETHEUS = {"up", "ALERTS"}
_NOT_NAMES = re.compile(r'"[^"]*"|\[[^]]*\]|\b(?:by|on|group_left|group_right|without) ?\([^)]*\)')


def metrics(promql: str) -> set[str]:
    """The names of series in a question."""
    bare = _NOT_NAMES.sub("", promql)
    return set(re.findall(r"\b(?:DCGM|node|gpumon|slurm)_[A-Za-z0-9_]+|\b(?:up|ALERTS)\b", bare))


def panels(model: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Those that ask something."""
    return (panel for panel in model["panels"] if panel["type"] != "row")


def told() -> set[str]:
    """Every series that gpumon's own exporters and the others' are said to have."""
    pages = "".join((ROOT / f"docs/{page}.md").read_text() for page in ("exporter", "gpu-map"))
    of_nodes = "".join(path.read_text() for path in sorted((ROOT / "tests/data/exporters").glob("*node*.prom")))
    cards = re.findall(r"^DCGM_\w+", counters_file(profiles=True).decode(), re.MULTILINE)
    return {
        *re.findall(r"\b(?:gpumon|slurm)_[a-z0-9_]+", pages),
        *re.findall(r"^node_\w+", of_nodes, re.MULTILINE),
        *cards,
        *OF_PROMETHEUS,
    }


def test_grafana_takes_them_all(tmp_path: Path) -> None:
    for name, content in dashboard_files().items():
        (tmp_path / name).write_bytes(content)
    source = DataSource("gpumon", SOURCE_UID, "prometheus", "http://127.0.0.1:9090", True, {})
    shown = dashboards([Provider("gpumon", "gpumon", tmp_path)], [source])
    assert {each.uid for each in shown} == {"gpumon-cluster", "gpumon-node", "gpumon-gpu", "gpumon-slurm"}


def test_their_files_are_named_by_their_uids() -> None:
    assert {name: json.loads(content)["uid"] + ".json" for name, content in dashboard_files().items()} == {
        name: name for name in dashboard_files()
    }
    assert len({dashboard.uid for dashboard in DASHBOARDS}) == len(DASHBOARDS)


def test_a_file_has_a_panel_a_line() -> None:
    for content, model in zip(dashboard_files().values(), MODELS, strict=True):
        assert len(content.splitlines()) == len(model["panels"]) + 2


@BY_UID
def test_every_panel_has_a_number_and_a_title_of_its_own(model: Mapping[str, Any]) -> None:
    ids = [panel["id"] for panel in model["panels"]]
    assert len(set(ids)) == len(ids)
    titles = [(panel["type"], panel["title"]) for panel in model["panels"]]
    assert all(title for _, title in titles)
    assert len(set(titles)) == len(titles)


@BY_UID
def test_no_panel_lies_over_another(model: Mapping[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in model["panels"]:
        grid = panel["gridPos"]
        cells = {
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@BY_UID
def test_everything_is_asked_of_the_one_data_source(model: Mapping[str, Any]) -> None:
    source = {"type": "prometheus", "uid": SOURCE_UID}
    assert all(panel["datasource"] == source for panel in panels(model))
    assert all(target["datasource"] == source for panel in panels(model) for target in panel["targets"])
    assert all(variable["datasource"] == source for variable in model["templating"]["list"])


@BY_UID
def test_every_number_has_a_unit(model: Mapping[str, Any]) -> None:
    for panel in panels(model):
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        if panel["type"] == "table":
            units = [
                each["value"]
                for override in panel["fieldConfig"]["overrides"]
                for each in override["properties"]
                if each["id"] == "unit"
            ]
            hidden = sum(name.startswith("Value") for name in panel["transformations"][1]["options"]["excludeByName"])
            assert len(units) == len(panel["targets"]) - hidden


@BY_UID
def test_what_is_named_now_is_asked_for_now(model: Mapping[str, Any]) -> None:
    for panel in panels(model):
        at_once = {target["instant"] for target in panel["targets"]}
        assert at_once == {panel["type"] != "timeseries"}, panel["title"]


@BY_UID
def test_only_what_the_stack_tells_is_asked_for(model: Mapping[str, Any]) -> None:
    asked = {name for _, promql in queries(model) for name in metrics(promql)}
    asked |= {name for series in variables(model).values() for name in metrics(series)}
    assert asked
    assert asked <= told()


@BY_UID
def test_every_question_is_about_the_chosen_cluster(model: Mapping[str, Any]) -> None:
    assert next(iter(variables(model))) == "cluster"
    for title, promql in queries(model):
        matchers = re.findall(r"\b(?:(?:DCGM|node|gpumon|slurm)_\w+|up|ALERTS)(?=\W)(\{[^}]*)?", promql)
        assert matchers, title
        assert all('cluster=~"$cluster"' in matcher for matcher in matchers), title


@BY_UID
def test_links_lead_to_dashboards_that_are_there(model: Mapping[str, Any]) -> None:
    known = {each["uid"] for each in MODELS}
    linked = re.findall(r"/d/([\w-]+)", json.dumps(model))
    assert set(linked) <= known

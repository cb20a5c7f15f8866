"""Reads dashboards and refuses what would show nothing: wrong references, doubled uids, panels without queries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from lab.standins.grafana_provisioning import UID, DataSource, Provider
from lab.standins.grafana_settings import Refused
from lab.standins.structures import entries, mapping

PANEL_TYPES = {
    *("alertlist", "annolist", "barchart", "bargauge", "candlestick", "canvas", "dashlist", "datagrid", "gauge"),
    *("geomap", "heatmap", "histogram", "logs", "news", "nodeGraph", "piechart", "row", "stat", "state-timeline"),
    *("status-history", "table", "text", "timeseries", "trend", "xychart"),
}
WITHOUT_QUERIES = {"row", "text", "news", "dashlist", "alertlist", "annolist"}
BUILT_IN = ("grafana", "-- Grafana --", "-- Mixed --", "-- Dashboard --")
COLUMNS = 24
"""A dashboard's width in Grafana's grid."""


@dataclass(frozen=True)
class Dashboard:
    """One dashboard that can be shown."""

    uid: str
    title: str
    folder: str
    tags: Sequence[str]
    model: Mapping[str, Any]


def dashboards(providers: Sequence[Provider], sources: Sequence[DataSource]) -> Sequence[Dashboard]:
    """Those of every provider.

    Raises:
        Refused: one of them would not show what it should.
    """
    found = [dashboard for provider in providers for dashboard in _of(provider, sources)]
    uids = [dashboard.uid for dashboard in found]
    twice = sorted({uid for uid in uids if uids.count(uid) > 1})
    if twice:
        raise Refused(f"the same UID is used more than once: {twice[0]}; nothing would be provisioned any more")
    return found


def _of(provider: Provider, sources: Sequence[DataSource]) -> Iterator[Dashboard]:
    for path in sorted(provider.path.rglob("*.json")):
        try:
            model = mapping(json.loads(path.read_text()))
        except (OSError, ValueError) as failed:
            raise Refused(f"{path} cannot be read: {failed}") from failed
        try:
            yield _checked(model, provider.folder, sources)
        except Refused as refused:
            raise Refused(f"{path}: {refused}") from refused


def _checked(model: Mapping[str, Any], folder: str, sources: Sequence[DataSource]) -> Dashboard:
    uid, title = str(model.get("uid") or ""), str(model.get("title") or "")
    if not title or not UID.fullmatch(uid):
        raise Refused(
            f"a dashboard needs a title and a uid of up to 40 letters, digits, - and _, not {title!r} and {uid!r}"
        )
    if model.get("id") is not None:
        raise Refused("its id is another Grafana's; it must be null")
    if model.get("__inputs") or "${DS_" in json.dumps(model):
        raise Refused("it is an export with inputs, which provisioning does not ask for")
    if not isinstance(model.get("schemaVersion"), int):
        raise Refused("it has no schemaVersion")
    templating = entries(mapping(model.get("templating")).get("list"))
    variables = {str(variable["name"]) for variable in templating}
    known = {source.uid for source in sources} | {*BUILT_IN}
    for variable in templating:
        if variable.get("type") == "query":
            _check_source(f"variable {variable['name']}", variable.get("datasource"), known, variables)
    panels = list(_panels(entries(model.get("panels"))))
    if not panels:
        raise Refused("it has no panels")
    for panel in panels:
        _check_panel(panel, known, variables)
    return Dashboard(uid, title, folder, _words(model.get("tags")), model)


def _words(value: object) -> list[str]:
    return [str(word) for word in cast("list[object]", value)] if isinstance(value, list) else []


def _panels(panels: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for panel in panels:
        yield panel
        yield from _panels(entries(panel.get("panels")))


def _check_panel(panel: Mapping[str, Any], known: set[str], variables: set[str]) -> None:
    name = f"panel {panel.get('title') or panel.get('id')!r}"
    if panel.get("type") not in PANEL_TYPES:
        raise Refused(f"{name} has the type {panel.get('type')!r}, which Grafana does not bring along")
    grid = mapping(panel.get("gridPos"))
    if not {"h", "w", "x", "y"} <= grid.keys() or not 0 < grid["w"] <= COLUMNS - grid["x"]:
        raise Refused(f"{name} has no place on the grid: {grid}")
    if panel["type"] in WITHOUT_QUERIES:
        return
    targets = entries(panel.get("targets"))
    if not any(str(target.get("expr") or "").strip() for target in targets):
        raise Refused(f"{name} asks nothing")
    references = {str(target.get("refId") or "") for target in targets}
    if "" in references or len(references) < len(targets):
        raise Refused(f"{name} has queries without refIds of their own")
    for target in targets:
        _check_source(name, target.get("datasource") or panel.get("datasource"), known, variables)
        _check_variables(name, str(target.get("expr") or ""), variables)


def _check_source(name: str, given: object, known: set[str], variables: set[str]) -> None:
    source = mapping(given)
    if source.get("type") and source.get("uid"):
        uid = str(source["uid"])
        variable = re.fullmatch(r"\$\{?(\w+)\}?", uid)
        if uid in known or (variable and variable[1] in variables):
            return
    raise Refused(f"{name} has the data source {given!r}, and there are {', '.join(sorted(known - {*BUILT_IN}))}")


def _check_variables(name: str, expression: str, variables: set[str]) -> None:
    used = {found[1] or found[2] for found in re.finditer(r"\$(?:\{(\w+)(?::\w+)?\}|(\w+))", expression)}
    unknown = sorted(word for word in used - variables if not word.startswith("__"))
    if unknown:
        raise Refused(f"{name} uses the variable {unknown[0]}, which the dashboard does not have")

"""One thing that a dashboard shows, and the questions behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Json: TypeAlias = Mapping[str, object]

SOURCE_UID = "gpumon-prom"
"""The data source, by a name that is the same in every Grafana that gpumon sets up."""
SOURCE: Json = {"type": "prometheus", "uid": SOURCE_UID}
WIDTH = 24
"""Of a whole dashboard, in Grafana's columns."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question to Prometheus."""

    promql: str
    legend: str = ""
    """With {{label}} for what tells its lines apart."""

    def target(self, number: int, *, at_once: bool, is_table: bool = False) -> Json:
        """As Grafana has it; `at_once` asks for now alone."""
        return {
            "refId": chr(ord("A") + number),
            "datasource": SOURCE,
            "expr": self.promql,
            "legendFormat": self.legend or "__auto",
            "instant": at_once,
            "range": not at_once,
            **({"format": "table"} if is_table else {}),
        }


@dataclass(frozen=True)
class Panel:
    """A picture, a number, a table, or the heading of those below it."""

    kind: str
    """As Grafana calls it: "timeseries", "stat", "table", "row"."""
    title: str
    width: int
    height: int
    model: Json = field(default_factory=dict[str, object])
    """All that Grafana knows of it besides."""

    def placed(self, number: int, x: int, y: int) -> Json:
        """On its dashboard."""
        place = {"h": self.height, "w": self.width, "x": x, "y": y}
        return {"id": number, "type": self.kind, "title": self.title, "gridPos": place, **self.model}


def heading(title: str) -> Panel:
    """What the panels below are about."""
    return Panel("row", title, WIDTH, 1, {"collapsed": False, "panels": []})


def lines(
    title: str,
    unit: str,
    *queries: Query,
    about: str = "",
    width: int = 12,
    is_stacked: bool = False,
    most: float | None = None,
) -> Panel:
    """Numbers over time. Where one was not known its line is cut."""
    custom = {
        "lineWidth": 1,
        "fillOpacity": 30 if is_stacked else 0,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"mode": "normal" if is_stacked else "none", "group": "A"},
    }
    model = {
        **_asking(queries, about),
        "fieldConfig": _fields(unit, {"min": 0, **({} if most is None else {"max": most}), "custom": custom}),
        "options": {
            "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["mean", "max"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }
    return Panel("timeseries", title, width, 8, model)


def number(
    title: str,
    unit: str,
    query: Query,
    *,
    about: str = "",
    width: int = 4,
    warns_from: float | None = None,
    words: Mapping[str, str] | None = None,
) -> Panel:
    """One number as it is now, never as it was last; `words` stand in the place of some numbers."""
    steps: list[Json] = [{"color": "green", "value": None}]
    steps += [] if warns_from is None else [{"color": "red", "value": warns_from}]
    mappings = [] if words is None else [{"type": "value", "options": {key: {"text": words[key]} for key in words}}]
    model = {
        **_asking((query,), about, at_once=True),
        "fieldConfig": _fields(unit, {"thresholds": {"mode": "absolute", "steps": steps}, "mappings": mappings}),
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "none" if warns_from is None else "value",
            "graphMode": "none",
        },
    }
    return Panel("stat", title, width, 4, model)


def _asking(queries: Sequence[Query], about: str, *, at_once: bool = False) -> Json:
    return {
        "datasource": SOURCE,
        "description": about,
        "targets": [query.target(position, at_once=at_once) for position, query in enumerate(queries)],
    }


def _fields(unit: str, defaults: Json) -> Json:
    return {"defaults": {"unit": unit, **defaults}, "overrides": []}

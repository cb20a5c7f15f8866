"""A dashboard: its variables, and its panels from left to right and from top to bottom."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gpumon_setup.dashboards.panel import SOURCE, WIDTH, Json, Panel

TAG = "gpumon"
EVERYTHING = ".*"
"""What "All" stands for: it fits what has no such label, too, as a cluster without a name."""
_LABEL_VALUES = 1
"""Grafana's number for a question after the values of a label."""
_VARIABLE = "PrometheusVariableQueryEditor-VariableQuery"
_SCHEMA = 39
"""Grafana's number for this shape; later ones read it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """Something that can be chosen above a dashboard."""

    name: str
    """The label that it chooses by."""
    title: str
    metric: str
    """The series whose labels are offered, with its matchers."""
    has_all: bool = True
    """True when all may be chosen at once, and several."""

    def model(self) -> Json:
        """As Grafana has it."""
        query = f"label_values({self.metric}, {self.name})"
        everything = {"allValue": EVERYTHING, "current": {"text": ["All"], "value": ["$__all"]}}
        return {
            "type": "query",
            "name": self.name,
            "label": self.title,
            "datasource": SOURCE,
            "query": {"qryType": _LABEL_VALUES, "query": query, "refId": _VARIABLE},
            "definition": query,
            "refresh": 2,
            "sort": 7,
            "multi": self.has_all,
            "includeAll": self.has_all,
            **(everything if self.has_all else {}),
        }


CLUSTER = Variable("cluster", "Cluster", "up")


@dataclass(frozen=True)
class Dashboard:
    """One page."""

    uid: str
    """Its address in every Grafana: /d/UID."""
    title: str
    about: str
    variables: Sequence[Variable]
    panels: Sequence[Panel]

    def model(self) -> Json:
        """As Grafana has it, a frame around `panels`."""
        return {
            "id": None,
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": [TAG],
            "schemaVersion": _SCHEMA,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "browser",
            "links": [
                {"type": "dashboards", "title": TAG, "tags": [TAG], "asDropdown": False, "keepTime": True,
                 "includeVars": True}
            ],
            "templating": {"list": [variable.model() for variable in self.variables]},
            "panels": list(_placed(self.panels)),
        }  # fmt: skip

    def encoded(self) -> bytes:
        """A file with one panel a line: a plan then shows which of them changed."""
        model = dict(self.model())
        panels = ",\n".join(json.dumps(panel) for panel in _placed(self.panels))
        del model["panels"]
        frame = json.dumps(model)
        return f'{frame[:-1]}, "panels": [\n{panels}\n]}}\n'.encode()


def _placed(panels: Sequence[Panel]) -> Iterator[Json]:
    """Side by side as long as there is room."""
    x = y = tallest = 0
    for number, panel in enumerate(panels, 1):
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        yield panel.placed(number, x, y)
        x, tallest = x + panel.width, max(tallest, panel.height)

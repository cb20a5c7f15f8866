"""Dashboards taken apart: what they ask, and what can be chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any


def models(files: Mapping[str, bytes]) -> Iterator[Mapping[str, Any]]:
    """Each dashboard, as Grafana reads its file."""
    for content in files.values():
        yield json.loads(content)


def queries(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every question with its panel's title."""
    for panel in model["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def variables(model: Mapping[str, Any]) -> dict[str, str]:
    """The series whose labels each variable offers."""
    found: dict[str, str] = {}
    for variable in model["templating"]["list"]:
        asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert asked is not None
        assert asked[2] == variable["name"]
        found[variable["name"]] = asked[1]
    return found

"""Tables: several questions about the same things, one row a thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gpumon_setup.dashboards.panel import SOURCE, WIDTH, Json, Panel, Query


@dataclass(frozen=True, slots=True)
class Column:
    """What one question answers about each thing."""

    title: str
    promql: str
    unit: str = "none"
    is_share: bool = False
    """True for a number from 0 to 1 that is drawn as a bar."""
    is_hidden: bool = False
    """True when the question brings the labels alone and its number says nothing."""


def table(
    title: str,
    labels: Mapping[str, str],
    columns: Sequence[Column],
    *,
    about: str = "",
    empty: str = "",
    height: int = 10,
    width: int = WIDTH,
    links: Mapping[str, str] | None = None,
    sorted_by: str = "",
    falls: bool = False,
) -> Panel:
    """A row for each thing, told by `labels`, which have titles. What `empty` says stands where there is none.

    `links` are the addresses behind titles. Labels that are not named are not shown.
    """
    shown = [name for name in labels.values() if name]
    values = {f"Value #{chr(ord('A') + at)}" if len(columns) > 1 else "Value": column
              for at, column in enumerate(columns)}  # fmt: skip
    titles = {**labels, **{name: column.title for name, column in values.items()}}
    hidden = {"Time": True, **{name: True for name, column in values.items() if column.is_hidden}}
    overrides = [_override(column) for column in columns if not column.is_hidden]
    overrides += [_link(name, address) for name, address in (links or {}).items()]
    queries = [Query(column.promql).target(at, at_once=True, is_table=True) for at, column in enumerate(columns)]
    model: Json = {
        "datasource": SOURCE,
        "description": about,
        "targets": queries,
        "fieldConfig": {
            "defaults": {"unit": "none", "noValue": empty, "custom": {"filterable": True}},
            "overrides": overrides,
        },
        "options": {
            "showHeader": True,
            "sortBy": [{"displayName": sorted_by or shown[0], "desc": falls}],
        },
        "transformations": [
            {"id": "merge", "options": dict[str, object]()},
            {
                "id": "organize",
                "options": {
                    "excludeByName": hidden,
                    "indexByName": {name: at for at, name in enumerate(titles)},
                    "renameByName": titles,
                },
            },
        ],
    }
    return Panel("table", title, width, height, model)


def _override(column: Column) -> Json:
    properties: list[Json] = [{"id": "unit", "value": column.unit}]
    if column.is_share:
        properties += [
            {"id": "min", "value": 0},
            {"id": "max", "value": 1},
            {"id": "custom.cellOptions", "value": {"type": "gauge", "mode": "basic"}},
        ]
    return {"matcher": {"id": "byName", "options": column.title}, "properties": properties}


def _link(title: str, address: str) -> Json:
    link = {"title": title, "url": address}
    return {"matcher": {"id": "byName", "options": title}, "properties": [{"id": "links", "value": [link]}]}

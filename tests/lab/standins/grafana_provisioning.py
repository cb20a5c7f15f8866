"""Reads Grafana's provisioning files: data sources, and the folders that dashboards are in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab.standins.grafana_settings import Refused
from lab.standins.structures import entries, mapping

UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
SOURCE_TYPES = ("prometheus", "loki", "alertmanager", "grafana-testdata-datasource")
SOURCE_KEYS = {
    *("name", "type", "access", "orgId", "uid", "url", "user", "database", "basicAuth", "basicAuthUser"),
    *("withCredentials", "isDefault", "jsonData", "secureJsonData", "version", "editable", "correlations"),
}
JSON_KEYS = {
    *(
        "httpMethod",
        "timeInterval",
        "queryTimeout",
        "manageAlerts",
        "prometheusType",
        "prometheusVersion",
        "cacheLevel",
    ),
    *("disableMetricsLookup", "incrementalQuerying", "incrementalQueryOverlapWindow", "tlsAuth", "tlsAuthWithCACert"),
    *("tlsSkipVerify", "serverName", "exemplarTraceIdDestinations", "customQueryParameters", "disableRecordingRules"),
    *("cacheLevel", "handleGrafanaManagedAlerts", "implementation", "seriesEndpoint", "allowAsRecordingRulesTarget"),
}
PROVIDER_KEYS = {
    *("name", "orgId", "folder", "folderUid", "type", "disableDeletion", "editable", "updateIntervalSeconds"),
    *("allowUiUpdates", "options"),
}


@dataclass(frozen=True)
class DataSource:
    """One data source, as /api/datasources shows it."""

    name: str
    uid: str
    type: str
    url: str
    is_default: bool
    json_data: Mapping[str, object]


@dataclass(frozen=True)
class Provider:
    """A folder of dashboards."""

    name: str
    folder: str
    path: Path


def _files(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for path in sorted(folder.glob("*.y*ml")):
        try:
            content: object = yaml.safe_load(_expanded(path.read_text()))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as failed:
            raise Refused(f"{path} cannot be read by uid {os.getuid()}: {failed}") from failed
        settings = mapping(content)
        if settings.get("apiVersion") != 1:
            raise Refused(f"{path} lacks apiVersion: 1")
        yield path, settings


def _expanded(text: str) -> str:
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: os.environ.get(found[1] or found[2], ""), text)


def data_sources(folder: Path) -> Sequence[DataSource]:
    """All of them.

    Raises:
        Refused: one is incomplete, or two are in each other's way.
    """
    found = [
        _data_source(path, entry)
        for path, settings in _files(folder / "datasources")
        for entry in entries(settings.get("datasources"))
    ]
    for what in ("name", "uid"):
        values = [getattr(source, what) for source in found]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise Refused(f"Two data sources have the {what} {twice[0]}")
    if sum(source.is_default for source in found) > 1:
        raise Refused("Only one datasource per organization can be marked as default")
    return found


def _data_source(path: Path, entry: Mapping[str, Any]) -> DataSource:
    _only(path, "data source", entry, SOURCE_KEYS)
    _only(path, "jsonData of a data source", mapping(entry.get("jsonData")), JSON_KEYS)
    name, kind = str(entry.get("name", "")), entry.get("type")
    if not name or kind not in SOURCE_TYPES:
        raise Refused(f"{path}: a data source needs a name and a type out of {', '.join(SOURCE_TYPES)}")
    uid = str(entry.get("uid", ""))
    if not UID.fullmatch(uid):
        raise Refused(f"{path}: data source {name} has no fixed uid of up to 40 letters, digits, - and _, but {uid!r}")
    if entry.get("access", "proxy") not in ("proxy", "direct"):
        raise Refused(f"{path}: data source {name} has access {entry['access']!r}")
    url = str(entry.get("url", ""))
    if not re.match(r"https?://[^/]+", url):
        raise Refused(f"{path}: data source {name} has url {url!r}")
    return DataSource(name, uid, str(kind), url, entry.get("isDefault") is True, mapping(entry.get("jsonData")))


def providers(folder: Path) -> Sequence[Provider]:
    """All of them.

    Raises:
        Refused: one is incomplete, or its folder cannot be read.
    """
    found: list[Provider] = []
    for path, settings in _files(folder / "dashboards"):
        for entry in entries(settings.get("providers")):
            _only(path, "provider", entry, PROVIDER_KEYS)
            name, place = str(entry.get("name", "")), Path(str(mapping(entry.get("options")).get("path", "")))
            if not name or entry.get("type", "file") != "file":
                raise Refused(f"{path}: a provider needs a name and the type file")
            if not place.is_absolute() or not place.is_dir() or not os.access(place, os.R_OK | os.X_OK):
                raise Refused(f"{path}: provider {name} has the path {place}, which uid {os.getuid()} cannot list")
            found.append(Provider(name, str(entry.get("folder", "")), place))
    return found


def _only(path: Path, what: str, entry: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(entry.keys() - known)
    if unknown:
        raise Refused(f"{path}: a {what} has no {', '.join(unknown)}, as far as the stand-in knows")

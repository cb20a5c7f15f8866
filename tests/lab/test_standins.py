"""Stand-ins refuse what would not work with the real programs, each with its reason; no cluster is needed for that."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from lab.standins import dcgm_counters, dcgm_flags, dcgm_gpus, grafana_provisioning, grafana_settings
from lab.standins.dcgm_counters import BadCounters
from lab.standins.dcgm_exposition import Exposition
from lab.standins.dcgm_flags import BadUsage
from lab.standins.dcgm_gpus import Gpu
from lab.standins.grafana_dashboards import dashboards
from lab.standins.grafana_database import Database
from lab.standins.grafana_provisioning import DataSource, Provider
from lab.standins.grafana_settings import Refused

SOURCE = "{name: gpumon, uid: gpumon-prom, type: prometheus, url: 'http://127.0.0.1:9090', isDefault: true}"
PANEL = {
    "id": 1,
    "title": "Busy",
    "type": "timeseries",
    "gridPos": {"h": 8, "w": 12, "x": 0, "y": 0},
    "datasource": {"type": "prometheus", "uid": "gpumon-prom"},
    "targets": [{"refId": "A", "expr": "up"}],
}
DASHBOARD = {"uid": "gpumon", "title": "Cluster", "id": None, "schemaVersion": 39, "panels": [PANEL]}


@pytest.fixture
def sources(tmp_path: Path) -> list[DataSource]:
    """One data source that works."""
    (tmp_path / "datasources").mkdir()
    (tmp_path / "datasources" / "gpumon.yaml").write_text(f"apiVersion: 1\ndatasources: [{SOURCE}]\n")
    return list(grafana_provisioning.data_sources(tmp_path))


def shown(tmp_path: Path, sources: list[DataSource], *models: Mapping[str, object]) -> list[str]:
    """The titles of dashboards that are provisioned from files."""
    folder = tmp_path / "dashboards"
    folder.mkdir()
    for number, model in enumerate(models):
        (folder / f"{number}.json").write_text(json.dumps(model))
    return [each.title for each in dashboards([Provider("gpumon", "", folder)], sources)]


def test_what_is_well_is_taken(tmp_path: Path, sources: list[DataSource]) -> None:
    assert [source.uid for source in sources] == ["gpumon-prom"]
    assert shown(tmp_path, sources, DASHBOARD) == ["Cluster"]


@pytest.mark.parametrize(
    ("panel", "reason"),
    [
        ({"datasource": {"type": "prometheus", "uid": "other"}}, "has the data source"),
        ({"datasource": "Prometheus"}, "has the data source"),
        ({"targets": []}, "asks nothing"),
        ({"targets": [{"refId": "A", "expr": "up{node=~'$node'}"}]}, "uses the variable node"),
        ({"targets": [{"refId": "A", "expr": "up"}, {"refId": "A", "expr": "up"}]}, "refIds of their own"),
        ({"type": "grafana-polystat-panel"}, "does not bring along"),
        ({"gridPos": {"h": 8, "w": 12, "x": 13, "y": 0}}, "no place on the grid"),
    ],
)
def test_a_panel_that_would_show_nothing_is_refused(
    tmp_path: Path, sources: list[DataSource], panel: Mapping[str, object], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        shown(tmp_path, sources, {**DASHBOARD, "panels": [{**PANEL, **panel}]})


def test_two_dashboards_of_one_uid_are_refused(tmp_path: Path, sources: list[DataSource]) -> None:
    with pytest.raises(Refused, match="used more than once: gpumon"):
        shown(tmp_path, sources, DASHBOARD, {**DASHBOARD, "title": "Other"})


def test_an_export_with_inputs_is_refused(tmp_path: Path, sources: list[DataSource]) -> None:
    with pytest.raises(Refused, match="an export with inputs"):
        shown(tmp_path, sources, {**DASHBOARD, "__inputs": [{"name": "DS_PROMETHEUS"}]})


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{name: gpumon, type: prometheus, url: 'http://a'}", "no fixed uid"),
        ("{name: gpumon, uid: a, type: prometheus, url: 'a:9090'}", "has url"),
        ("{name: gpumon, uid: a, type: prometheus, url: 'http://a', jsonDate: {}}", "has no jsonDate"),
        (f"{SOURCE}, {SOURCE.replace('gpumon-prom', 'b').replace('gpumon,', 'b,')}", "Only one datasource"),
    ],
)
def test_a_data_source_that_would_not_answer_is_refused(tmp_path: Path, entry: str, reason: str) -> None:
    (tmp_path / "datasources").mkdir()
    (tmp_path / "datasources" / "a.yaml").write_text(f"apiVersion: 1\ndatasources: [{entry}]\n")
    with pytest.raises(Refused, match=reason):
        grafana_provisioning.data_sources(tmp_path)


def test_settings_come_from_file_environment_and_command_line_and_secrets_from_files(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    (tmp_path / "grafana.ini").write_text("[server]\nhttp_port = 3002\nhttp_addr = 127.0.0.1\n")
    settings = grafana_settings.read(
        tmp_path / "grafana.ini",
        {"GF_SECURITY_ADMIN_PASSWORD__FILE": str(tmp_path / "password"), "GF_AUTH_ANONYMOUS_ENABLED": "true"},
        ["cfg:server.http_port=3001"],
    )
    assert settings["security.admin_password"] == "geheim"
    assert settings["auth.anonymous.enabled"] == "true"
    assert (settings["server.http_addr"], settings["server.http_port"]) == ("127.0.0.1", "3001")


def test_a_setting_may_name_a_file_that_its_value_is_in(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("geheim\n")
    named = {"GF_SECURITY_ADMIN_PASSWORD": f"$__file{{{tmp_path}/password}}"}
    assert grafana_settings.read(Path("/none"), named, [])["security.admin_password"] == "geheim"
    with pytest.raises(Refused, match=r"security\.admin_password: uid"):
        grafana_settings.read(Path("/none"), {"GF_SECURITY_ADMIN_PASSWORD": "$__file{/none}"}, [])


@pytest.mark.parametrize(
    "environment",
    [
        {"GF_SERVER_HTTP_ADRR": "127.0.0.1"},
        {"GF_SECURITY_ADMIN_PASSWORD__FILE": "/none"},
        {"GF_SECURITY_ADMIN_PASSWORD__FILE": "/none", "GF_SECURITY_ADMIN_PASSWORD": "a"},
    ],
)
def test_wrong_settings_are_refused(environment: Mapping[str, str]) -> None:
    with pytest.raises(Refused):
        grafana_settings.read(Path("/none"), environment, [])


def test_a_password_stays_with_its_database(tmp_path: Path) -> None:
    Database(tmp_path, "admin", "first")
    again = Database(tmp_path, "admin", "second")
    assert again.accepts("admin", "first")
    assert not again.accepts("admin", "second")
    assert again.set_password("admin", "third")
    assert again.accepts("admin", "third")


def test_flags_are_read_as_the_exporter_reads_them() -> None:
    flags = dcgm_flags.read(["-f", "/a.csv", "--address=:9401", "-c=1000", "-n"], {"DCGM_EXPORTER_LISTEN": ":9500"})
    assert flags.texts["collectors"] == "/a.csv"
    assert flags.texts["address"] == ":9401"
    assert flags.switches["no-hostname"]


def test_job_files_are_read_as_the_exporter_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcgm_gpus, "driver_version", lambda: "570")
    (tmp_path / "counters.csv").write_text("DCGM_FI_DEV_GPU_TEMP, gauge, heat\n")
    counters = dcgm_counters.read(tmp_path / "counters.csv", may_profile=False)
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    for name, content in {"0": "17\n18\n", "1": "", ".1.new": "19\n", ".lock": "", "1.txt": "20\n"}.items():
        (jobs / name).write_text(content)
    flags = dcgm_flags.read([f"--hpc-job-mapping-dir={jobs}"], {})
    gpus = [Gpu(index, f"GPU-{index}", "NVIDIA H100", "00000000:1B:00.0") for index in (0, 1, 2)]
    exposition = Exposition(flags, counters, gpus)
    rows = [line for line in exposition.text().splitlines() if not line.startswith("#")]
    assert [re.findall(r'gpu="(\d)".*?(?:hpc_job="(\d+)")?}', row)[0] for row in rows] == [
        *(("0", "17"), ("0", "18")),
        *(("1", ""), ("2", "")),
    ]
    (jobs / "7").write_bytes(b"\xff")
    with pytest.raises(UnicodeDecodeError):
        exposition.text()


@pytest.mark.parametrize("arguments", [["--adress", "a"], ["-f"], ["-c", "15s"], ["start"], ["-n=ja"]])
def test_wrong_flags_are_refused(arguments: list[str]) -> None:
    with pytest.raises(BadUsage):
        dcgm_flags.read(arguments, {})


@pytest.mark.parametrize(
    "text",
    ["DCGM_FI_DEV_GPU_UTIL, gauge\n", "DCGM_FI_DEV_NONE, gauge, a\n", "DCGM_FI_DEV_GPU_UTIL, gage, a\n", "# a\n"],
)
def test_a_wrong_counters_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "counters.csv").write_text(text)
    with pytest.raises(BadCounters):
        dcgm_counters.read(tmp_path / "counters.csv", may_profile=True)


def test_the_exporters_own_counters_file_is_taken() -> None:
    own = Path(dcgm_counters.__file__).parent / "dcgm_default_counters.csv"
    assert len(dcgm_counters.read(own, may_profile=True)) == 26
    assert len(dcgm_counters.read(own, may_profile=False)) == 21

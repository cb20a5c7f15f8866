"""How Prometheus is run on the master, and what it is told to scrape."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from gpumon.errors import ConfigError
from gpumon_setup.components import CannotHave, Place, images
from gpumon_setup.components.dcgm_exporter import DcgmExporter
from gpumon_setup.components.prometheus import Prometheus
from gpumon_setup.host import WriteFile
from gpumon_setup.resources import Container, Directory, File, Package, Unit
from setup.components.places import container_of, place, text_of, the
from setup.deployments import Cluster

PROMETHEUS = Prometheus()
FOLDER = "/etc/gpumon/prometheus"
PLAIN = '[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\n'


def config(where: Place) -> Any:
    """What prometheus.yml says."""
    return json.loads(text_of(PROMETHEUS, where, "prometheus.yml").partition("\n")[2])


def targets(where: Place, name: str) -> dict[str, dict[str, str]]:
    """Labels by address."""
    told = json.loads(text_of(PROMETHEUS, where, f"targets/{name}.json"))
    return {one["targets"][0]: one["labels"] for one in told}


def test_only_the_master_has_it_and_only_the_master_may_ask_it(cluster: Cluster) -> None:
    assert PROMETHEUS.wanted(place(cluster, "gpu1")) == ()
    container = container_of(PROMETHEUS, place(cluster, "head"))
    assert container.image == images.PROMETHEUS
    assert container.user == "65534:65534"
    assert container.volumes == (f"{FOLDER}:{FOLDER}:ro", "/var/lib/gpumon/prometheus:/prometheus")
    assert container.command == (
        f"--config.file={FOLDER}/prometheus.yml",
        "--storage.tsdb.path=/prometheus",
        "--storage.tsdb.retention.time=30d",
        "--storage.tsdb.retention.size=38GB",
        "--web.listen-address=127.0.0.1:9090",
    )


def test_its_history_is_its_users_own_and_outlives_the_container(cluster: Cluster) -> None:
    data = the(Directory, PROMETHEUS.wanted(place(cluster, "head")), "/var/lib")
    assert (data.path, data.owner, data.holds_data) == ("/var/lib/gpumon/prometheus", "65534:65534", True)


def test_address_history_and_interval_are_chosen(cluster: Cluster) -> None:
    section = (
        "[setup.prometheus]\nlisten = 'all'\nport = 9091\ndata = '/data/tsdb'\nretention_time = '1y'\n"
        "scrape_interval = '30s'\n"
    )
    where = place(cluster, "head", section)
    command = container_of(PROMETHEUS, where).command
    assert command[2:] == ("--storage.tsdb.retention.time=1y", "--web.listen-address=:9091")
    assert config(where)["global"]["scrape_interval"] == "30000ms"
    assert config(where)["scrape_configs"][-1]["static_configs"][0]["targets"] == ["127.0.0.1:9091"]
    assert "--collect-interval=30000" in container_of(DcgmExporter(), place(cluster, "gpu1", section)).command


def test_every_machine_is_scraped_by_address_and_told_by_slurms_name(cluster: Cluster) -> None:
    where = place(cluster, "head", setup='cluster = "west"')
    assert targets(where, "node") == {
        "10.77.0.2:9100": {"node": "head", "cluster": "west", "instance": "head:9100"},
        "10.77.0.3:9100": {"node": "gpu1", "cluster": "west", "instance": "gpu1:9100"},
        "10.77.0.4:9100": {"node": "gpu2", "cluster": "west", "instance": "gpu2:9100"},
    }
    assert targets(where, "dcgm").keys() == {"10.77.0.3:9400", "10.77.0.4:9400"}
    assert targets(where, "slurm") == {"10.77.0.2:8080": {"cluster": "west", "instance": "head:8080"}}
    assert config(where)["global"]["external_labels"] == {"cluster": "west"}


def test_ports_and_parts_that_are_not_wanted_show_in_the_targets(cluster: Cluster) -> None:
    where = place(cluster, "head", "[setup.node_exporter]\nport = 9101", setup='without = ["dcgm_exporter"]')
    assert "10.77.0.3:9101" in targets(where, "node")
    assert targets(where, "dcgm") == {}


def test_a_node_that_is_off_stays_a_target_when_slurm_counts_its_gpus_or_nobody_does(cluster: Cluster) -> None:
    where = place(cluster, "head")
    for nodes, expected in (
        ("", {"10.77.0.3:9400", "10.77.0.4:9400"}),
        ("NodeName=gpu2 Gres=gpu:4\n", {"10.77.0.3:9400", "10.77.0.4:9400"}),
        ("NodeName=gpu2 Gres=(null)\n", {"10.77.0.3:9400"}),
    ):
        cluster["head"].sections["slurm.nodes"] = nodes
        cluster["head"].resolved = {"gpu1": "10.77.0.3", "gpu2": "10.77.0.4"}
        where = place(cluster, "head")
        facts = {name: facts for name, facts in where.site.facts.items() if name != "gpu2"}
        off = Place(where.machine, where.facts, type(where.site)(where.site.inventory, facts))
        assert targets(off, "dcgm").keys() == expected


def test_labels_are_the_targets_own_but_for_slurms_series(cluster: Cluster) -> None:
    jobs = {job["job_name"]: job for job in config(place(cluster, "head"))["scrape_configs"]}
    assert jobs.keys() == {"node", "dcgm", "slurm", "prometheus"}
    assert [name for name, job in jobs.items() if job.get("honor_labels")] == ["slurm"]
    assert re.fullmatch(jobs["dcgm"]["metric_relabel_configs"][0]["regex"], "Hostname")
    assert re.fullmatch(jobs["dcgm"]["metric_relabel_configs"][0]["regex"], "hostname")
    assert jobs["node"]["file_sd_configs"] == [{"files": [f"{FOLDER}/targets/node.json"]}]


def test_slurms_own_metrics_are_asked_slowly_and_only_when_told(cluster: Cluster) -> None:
    where = place(cluster, "head", "[setup.prometheus]\nslurm_metrics = true\n")
    jobs = slurm_own(where)
    assert [job["metrics_path"] for job in jobs] == [
        f"/metrics/{page}" for page in ("jobs", "nodes", "partitions", "scheduler")
    ]
    assert {job["scrape_interval"] for job in jobs} == {"60000ms"}
    assert targets(where, "slurm-own").keys() == {"10.77.0.2:6817"}


@pytest.mark.parametrize(
    ("version", "answer", "targets_of"),
    [
        ("26.05.1", "6820 200", {"10.77.0.2:6820"}),
        ("25.11.5", "6817 200", {"10.77.0.2:6817"}),
        ("25.11.4", "6817 200", None),
        ("26.05.1", "6817 401", None),
        ("26.05.1", "6817 000", None),
        ("24.11.5", "", None),
    ],
)
def test_slurms_own_metrics_are_asked_for_where_they_answer(
    cluster: Cluster, version: str, answer: str, targets_of: set[str] | None
) -> None:
    cluster["head"].sections.update({"slurm.nodes": "NodeName=gpu1\n", "slurm-version": f"slurm {version}\n"})
    cluster["head"].sections["slurm.metrics"] = answer
    where = place(cluster, "head")
    found = targets(where, "slurm-own").keys() if targets_of else [job["job_name"] for job in slurm_own(where)]
    assert found == (targets_of or [])
    assert slurm_own(place(cluster, "head", "[setup.prometheus]\nslurm_metrics = false\n")) == []
    assert len(slurm_own(place(cluster, "head", "[setup.prometheus]\nslurm_metrics = true\n"))) == 4


def slurm_own(where: Place) -> list[dict[str, Any]]:
    """The jobs that ask slurmctld itself."""
    return [job for job in config(where)["scrape_configs"] if job["job_name"].startswith("slurm-own-")]


def test_while_slurm_is_silent_it_is_asked_as_before(cluster: Cluster) -> None:
    nodes = "NodeName=gpu1 Gres=gpu:4\nNodeName=gpu2 Gres=gpu:4\n"
    cluster["head"].sections.update({"slurm.nodes": nodes, "slurm-version": "slurm 26.05.1\n"})
    cluster["head"].sections["slurm.metrics"] = "6820 200"
    assert cluster.run("--yes") == 0
    own = f"{FOLDER}/targets/slurm-own.json"
    assert "10.77.0.2:6820" in cluster["head"].text(own)
    cluster["head"].sections.update({"slurm.nodes": "", "slurm.metrics": ""})
    assert cluster.run("--check") == 0
    cluster["head"].sections["slurm.nodes"] = nodes
    assert cluster.run("--yes") == 0
    assert own not in cluster["head"].files


def test_samples_go_on_to_others_and_no_secret_shows(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    (cluster.file.parent / "token").write_text("s3cret\n")
    section = (
        "[setup.prometheus]\nalertmanagers = 'alerts:9093'\n"
        "remote_write = [{ url = 'https://mimir/api/v1/push', username = 'u$1', password = { file = 'token' }, "
        "headers = { X-Scope-OrgID = 'lab \"q\"' } }, 'http://vm:8428/api/v1/write', "
        "{ url = 'http://t/x', bearer_token = { file = 'token' } }]\n"
    )
    where = place(cluster, "head", section)
    first, second, third = config(where)["remote_write"]
    assert first["basic_auth"] == {"username": "u$1", "password_file": f"{FOLDER}/remote-write-1.password"}
    assert first["headers"] == {"X-Scope-OrgID": 'lab "q"'}
    assert second == {"url": "http://vm:8428/api/v1/write"}
    assert third["authorization"]["credentials_file"] == f"{FOLDER}/remote-write-3.bearer_token"
    secret = the(File, PROMETHEUS.wanted(where), "remote-write-1.password")
    assert (secret.content, secret.mode, secret.owner, secret.is_secret) == (b"s3cret", 0o400, "65534:65534", True)
    assert config(where)["alerting"]["alertmanagers"][0]["static_configs"] == [{"targets": ["alerts:9093"]}]
    cluster.configure(f"{PLAIN}{section}")
    assert cluster.run("--yes") == 0
    said = capsys.readouterr()
    assert "s3cret" not in said.out + said.err
    assert cluster.run("--check") == 0


def test_a_secret_that_is_not_to_be_had_is_said_and_never_repeated(cluster: Cluster) -> None:
    section = "[setup.prometheus]\nremote_write = { url = 'http://t/x', bearer_token = { file = 'none' } }"
    with pytest.raises(CannotHave, match=r"bearer_token for http://t/x is to come from the file .*none"):
        PROMETHEUS.wanted(place(cluster, "head", section))


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_promtool_of_the_same_image_sees_each_file_before_prometheus_does(cluster: Cluster, engine: str) -> None:
    for host in cluster.hosts.values():
        host.has_docker, host.has_podman = engine == "docker", engine == "podman"
    resources = PROMETHEUS.wanted(place(cluster, "head"))
    checks = {one.path: one.check for one in resources if isinstance(one, File) and one.check}
    assert checks.keys() == {f"{FOLDER}/{name}" for name in ("recording.yml", "alerts.yml", "prometheus.yml")}
    words = checks[f"{FOLDER}/prometheus.yml"]
    assert words[:2] == (engine, "run")
    assert words[-5:] == ("--entrypoint=/bin/promtool", images.PROMETHEUS, "check", "config", "{}")
    kinds = [type(one).__name__ for one in resources]
    assert kinds.index("Image") < kinds.index("File")
    file = the(File, resources, "prometheus.yml")
    write = file.actions(place(cluster, "head").facts.state, "prometheus")[-1]
    assert isinstance(write, WriteFile)
    assert write.check == words


def test_a_new_node_is_a_target_without_a_word_to_prometheus(cluster: Cluster) -> None:
    cluster.configure('[setup]\nmaster = "head"\nnodes = ["gpu1"]\n')
    cluster.run("--yes")
    before = cluster["head"].containers["gpumon-prometheus"].argv
    cluster["head"].ran.clear()
    cluster.configure(PLAIN)
    assert cluster.run("--yes") == 0
    assert "10.77.0.4:9400" in cluster["head"].text(f"{FOLDER}/targets/dcgm.json")
    assert cluster["head"].containers["gpumon-prometheus"].argv == before
    assert cluster["head"].ran == []


def test_another_configuration_is_read_anew_without_a_gap(cluster: Cluster) -> None:
    cluster.run("--yes")
    cluster["head"].ran.clear()
    cluster.configure(f"{PLAIN}[setup.prometheus]\nalertmanagers = ['alerts:9093']\n")
    assert cluster.run("--yes") == 0
    assert cluster["head"].ran == [("docker", "kill", "--signal=HUP", "gpumon-prometheus")]
    cluster["head"].ran.clear()
    cluster.configure(f"{PLAIN}[setup.prometheus]\nalertmanagers = ['alerts:9093']\nretention_time = '1y'\n")
    assert cluster.run("--yes") == 0
    assert ("docker", "stop", "gpumon-prometheus") in cluster["head"].ran
    assert cluster.run("--check") == 0


def test_the_package_waits_for_its_configuration_and_is_reloaded_by_systemd(cluster: Cluster) -> None:
    where = place(cluster, "head", setup='engine = "native"')
    resources = PROMETHEUS.wanted(where)
    beside = the(File, resources, "prometheus.service.d")
    assert f"ConditionPathExists={FOLDER}/prometheus.yml" in beside.content.decode()
    assert "ExecStart=\nExecStart=/usr/bin/prometheus --config.file=" in beside.content.decode()
    unit = the(Unit, resources)
    assert unit.reload == ("systemctl", "reload", "prometheus.service")
    assert unit.file == beside
    kinds = [one.key for one in resources]
    assert kinds.index(beside.key) < kinds.index("prometheus") < kinds.index(f"{FOLDER}/prometheus.yml")
    assert the(File, resources, "prometheus.yml").check == ("promtool", "check", "config", "{}")
    assert the(Package, resources).name == "prometheus"
    assert not [one for one in resources if isinstance(one, Container)]


def test_a_debian_that_packs_promtool_apart_gets_it_too(cluster: Cluster) -> None:
    cluster["head"].sections["os"] = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n'
    resources = PROMETHEUS.wanted(place(cluster, "head", setup='engine = "native"'))
    assert [one.name for one in resources if isinstance(one, Package)] == ["prometheus", "promtool"]


def test_a_package_of_somebody_else_is_left_alone(cluster: Cluster) -> None:
    cluster["head"].packages["prometheus"] = "2.53"
    with pytest.raises(CannotHave, match="installed here already, and not by gpumon"):
        PROMETHEUS.wanted(place(cluster, "head", setup='engine = "native"'))
    cluster["head"].sections["commands"] = "dnf /usr/bin/dnf\n"
    with pytest.raises(CannotHave, match="needs docker or podman here"):
        PROMETHEUS.wanted(place(cluster, "head", setup='engine = "native"'))


@pytest.mark.parametrize("engine", ["docker", "podman", "native"])
def test_every_engine_ends_as_planned_and_can_be_undone(cluster: Cluster, engine: str) -> None:
    cluster.configure(f'{PLAIN}engine = "{engine}"\nwithout = ["dcgm_exporter"]\n')
    for host in cluster.hosts.values():
        host.has_docker, host.has_podman = engine == "docker", engine == "podman"
    before = cluster["head"].picture()
    assert cluster.run("--yes") == 0
    assert cluster.run("--check") == 0
    assert cluster["head"].asked == 1
    assert cluster.run("uninstall", "--yes") == 0
    cluster["head"].units = {name: unit for name, unit in cluster["head"].units.items() if unit.is_active}
    assert cluster["head"].picture() == before


@pytest.mark.parametrize(
    "line",
    [
        'listen = "head"',
        'listen = "10.0.0.5; id"',
        'data = "/data/a b"',
        'data = "/data:/x"',
        'retention_time = "30"',
        "retention_time = 30",
        'retention_size = "$(id)"',
        'retention_size = "1KB"',
        "scrape_interval = 0.5",
        'alertmanagers = ["x"]',
        'alertmanagers = ["http://x:9093"]',
        'remote_write = "ftp://x/y"',
        "remote_write = { username = 'x' }",
        "remote_write = { url = 'http://x/y', username = 'x' }",
        "remote_write = { url = 'http://x/y', bearer_token = 'plain' }",
        "remote_write = { url = 'http://x/y', headers = { 'a b' = 'c' } }",
        "remote_write = { url = 'http://x/y', nonsense = 1 }",
        "slurm_metrics = 1",
        'image = "prom/prometheus latest"',
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_machine_is_asked(cluster: Cluster, line: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"setup.prometheus.{line.partition(' ')[0]}")) as raised:
        place(cluster, "head", f"[setup.prometheus]\n{line}")
    assert "plain'" not in str(raised.value)

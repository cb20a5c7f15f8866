"""Which Grafana the master gets, what it shows and to whom, and that nobody but the master knows its password."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from gpumon.errors import ConfigError
from gpumon_setup.components import CannotHave, Place, images
from gpumon_setup.components.grafana import Grafana
from gpumon_setup.components.grafana_files import PASSWORD, provider
from gpumon_setup.dashboards import SOURCE_UID, dashboard_files
from gpumon_setup.resources import Directory, File, Image, Package, Secret, Unit
from lab.standins import grafana_provisioning, grafana_settings
from lab.standins.grafana_dashboards import dashboards
from setup.components.places import container_of, place, text_of, the
from setup.deployments import Cluster
from setup.fake_host import FakeContainer, FakeFile

GRAFANA = Grafana()
DATABASE = "/var/lib/gpumon/grafana/grafana.db"
ONLY = ("--only", "grafana")


def variables(where: Place) -> dict[str, str]:
    """The environment of its container."""
    return dict(container_of(GRAFANA, where).environment)


def source(where: Place) -> dict[str, object]:
    """The data source that it gets."""
    text = text_of(GRAFANA, where, "datasources/gpumon.yaml")
    (found,) = json.loads(text.partition("\n")[2])["datasources"]
    return dict(found)


def advice(where: Place) -> str:
    return "\n".join(GRAFANA.advice(where))


def native(cluster: Cluster) -> Place:
    cluster["head"].has_docker = False
    return place(cluster, "head", setup='engine = "native"')


def test_the_master_gets_it_and_nobody_else_reaches_it(cluster: Cluster) -> None:
    where = place(cluster, "head")
    container = container_of(GRAFANA, where)
    assert container.image == images.GRAFANA
    assert container.user == "472:0"
    assert container.capabilities == ()
    assert variables(where)["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert variables(where)["GF_SERVER_HTTP_PORT"] == "3000"
    assert GRAFANA.wanted(place(cluster, "gpu1")) == ()


def test_its_data_outlive_the_container_and_are_its_own(cluster: Cluster) -> None:
    where = place(cluster, "head")
    data = the(Directory, GRAFANA.wanted(where), "/var/lib/gpumon/grafana")
    assert (data.owner, data.mode, data.holds_data) == ("472:0", 0o750, True)
    assert f"{data.path}:{data.path}" in container_of(GRAFANA, where).volumes
    assert variables(where)["GF_PATHS_DATA"] == data.path
    elsewhere = place(cluster, "head", '[setup.grafana]\ndata = "/data/grafana"')
    assert the(Directory, GRAFANA.wanted(elsewhere), "/data/grafana").mode == 0o750
    assert variables(elsewhere)["GF_PATHS_DATA"] == "/data/grafana"
    assert the(Secret, GRAFANA.wanted(elsewhere)).database == "/data/grafana/grafana.db"


def test_its_password_is_a_file_for_it_alone(cluster: Cluster) -> None:
    where = place(cluster, "head")
    assert the(Secret, GRAFANA.wanted(where)).owner == "472:0"
    assert variables(where)["GF_SECURITY_ADMIN_PASSWORD__FILE"] == PASSWORD
    assert "GF_SECURITY_ADMIN_PASSWORD" not in variables(where)


def test_it_asks_the_prometheus_that_is_deployed_beside_it(cluster: Cluster) -> None:
    found = source(place(cluster, "head"))
    assert found["uid"] == SOURCE_UID
    assert found["url"] == "http://127.0.0.1:9090"
    assert found["jsonData"] == {"timeInterval": "15000ms", "httpMethod": "POST"}
    other = '[setup.prometheus]\nport = 9091\nlisten = "10.77.0.2"\nscrape_interval = "5s"'
    moved = source(place(cluster, "head", other))
    assert moved["url"] == "http://10.77.0.2:9091"
    assert moved["jsonData"] == {"timeInterval": "5000ms", "httpMethod": "POST"}


def test_it_can_ask_another_and_has_to_where_none_is_deployed(cluster: Cluster) -> None:
    without = 'without = ["prometheus"]'
    with pytest.raises(CannotHave, match=r"Name yours: \[setup.grafana\] prometheus"):
        GRAFANA.wanted(place(cluster, "head", setup=without))
    named = '[setup.grafana]\nprometheus = "https://metrics.site:9443/$team/prom"'
    assert source(place(cluster, "head", named, setup=without))["url"] == "https://metrics.site:9443/$$team/prom"


def test_grafana_understands_every_setting_and_file(cluster: Cluster, tmp_path: Path) -> None:
    where = place(cluster, "head", "[setup.grafana]\nanonymous = true")
    folder = tmp_path / "grafana"
    for resource in GRAFANA.wanted(where):
        here = Path(str(folder) + resource.key.removeprefix("/etc/gpumon/grafana"))
        if isinstance(resource, Directory) and resource.path.startswith("/etc/gpumon/grafana"):
            here.mkdir(parents=True)
        if isinstance(resource, File):
            here.write_bytes(resource.content.replace(b"/etc/gpumon/grafana", bytes(folder)))
    (folder / "admin-password").write_text("secret\n")
    told = {name: value.replace("/etc/gpumon/grafana", str(folder)) for name, value in variables(where).items()}
    settings = grafana_settings.read(Path("/none"), told, [])
    assert settings["security.admin_password"] == "secret"
    assert settings["paths.provisioning"] == f"{folder}/provisioning"
    sources = grafana_provisioning.data_sources(folder / "provisioning")
    assert [found.uid for found in sources] == [SOURCE_UID]
    shown = dashboards(grafana_provisioning.providers(folder / "provisioning"), sources)
    assert {f"{each.uid}.json" for each in shown} == dashboard_files().keys()
    assert Path(settings["dashboards.default_home_dashboard_path"]).is_file()


def test_strangers_see_nothing_unless_that_is_asked_for(cluster: Cluster) -> None:
    assert not [name for name in variables(place(cluster, "head")) if "ANONYMOUS" in name]
    asked = variables(place(cluster, "head", "[setup.grafana]\nanonymous = true"))
    assert asked["GF_AUTH_ANONYMOUS_ENABLED"] == "true"
    assert asked["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert asked["GF_USERS_ALLOW_SIGN_UP"] == "false"


def test_nothing_is_told_to_its_makers(cluster: Cluster) -> None:
    told = variables(place(cluster, "head"))
    assert told["GF_ANALYTICS_REPORTING_ENABLED"] == told["GF_ANALYTICS_CHECK_FOR_UPDATES"] == "false"
    assert told["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"


def test_podman_runs_it_as_a_unit(cluster: Cluster) -> None:
    cluster["head"].has_docker, cluster["head"].has_podman = False, True
    resources = GRAFANA.wanted(place(cluster, "head"))
    unit = the(File, resources, ".service").content.decode()
    assert "--env=GF_SERVER_HTTP_ADDR=127.0.0.1" in unit
    assert the(Unit, resources).name == "gpumon-grafana.service"
    assert the(Secret, resources).telling[:2] == ("podman", "run")


def test_the_package_runs_by_a_unit_of_ours(cluster: Cluster) -> None:
    resources = GRAFANA.wanted(native(cluster))
    assert the(Package, resources).name == "grafana"
    assert the(Unit, resources).name == "gpumon-grafana.service"
    unit = the(File, resources, ".service").content.decode()
    assert 'Environment="GF_SERVER_HTTP_ADDR=127.0.0.1"' in unit
    assert f'Environment="GF_SECURITY_ADMIN_PASSWORD=$__file{{{PASSWORD}}}"' in unit
    assert "__FILE" not in unit, "only the image knows these"
    assert the(Directory, resources, "/var/lib/gpumon/grafana").owner == the(Secret, resources).owner
    assert the(Secret, resources).owner == "grafana:grafana"
    order = [resource.kind for resource in resources]
    assert order.index("package") < order.index("secret"), "its user comes with the package"


def test_a_package_that_apt_does_not_find_is_told_with_its_archive_before_anything_is_begun(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    host = cluster["head"]
    native(cluster)
    host.archive = set()
    before = host.picture()
    assert cluster.run("--yes", "--limit", "head") == 1
    said = capsys.readouterr().out
    assert "CANNOT: grafana: apt finds no such package here." in said
    assert "https://apt.grafana.com stable main" in said
    assert 'without = ["grafana"]' in said
    assert host.picture() == before
    host.archive = None
    assert cluster.run("--yes", "--limit", "head") == 0
    assert cluster.run("--check", "--limit", "head") == 0


def test_a_system_whose_package_is_not_known_is_told_so(cluster: Cluster) -> None:
    cluster["head"].sections["commands"] = ""
    with pytest.raises(CannotHave, match="grafana needs docker or podman here"):
        GRAFANA.wanted(native(cluster))


@pytest.mark.parametrize(
    "line",
    [
        'image = "-v/:/host"',
        'image = "a b"',
        'data = "/a b"',
        'data = "/a:/b"',
        'data = "/a\\"b"',
        'data = "/%n"',
        'data = "relative"',
        'listen = "0.0.0.0; id"',
        'listen = "head"',
        "listen = 3000",
        "port = 0",
        'port = "3000"',
        'anonymous = "yes"',
        'prometheus = "head:9090"',
        'prometheus = "http://admin:secret@head:9090"',
        'prometheus = "http://head:9090/\\n- name: evil"',
        'password = "secret"',
    ],
)
def test_what_cannot_be_meant_is_refused_before_any_machine_is_asked(cluster: Cluster, line: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"setup.grafana.{line.partition(' ')[0]}")) as refused:
        place(cluster, "head", f"[setup.grafana]\n{line}")
    assert "secret" not in str(refused.value)


def test_another_data_source_starts_it_anew_and_other_dashboards_do_not(cluster: Cluster) -> None:
    where = place(cluster, "head")
    files = [resource for resource in GRAFANA.wanted(where) if isinstance(resource, File)]
    read = {file.digest for file in files if "/provisioning/" in file.path}
    assert set(container_of(GRAFANA, where).reads) == read
    assert provider().digest in read
    moved = place(cluster, "head", "[setup.prometheus]\nport = 9091")
    assert container_of(GRAFANA, moved).spec != container_of(GRAFANA, where).spec


def test_an_image_is_not_pulled_again_by_the_name_that_docker_gives_it(cluster: Cluster) -> None:
    where = place(cluster, "head")
    image = the(Image, GRAFANA.wanted(where))
    state = where.facts.state
    assert image.missing(state) is not None
    cluster["head"].images.add("grafana/grafana:13.1.4")
    assert image.missing(place(cluster, "head").facts.state) is None


def test_the_way_there_is_told_at_the_end(cluster: Cluster) -> None:
    assert advice(place(cluster, "gpu1")) == ""
    said = advice(place(cluster, "head"))
    assert "ssh -L 3000:127.0.0.1:3000 head\n" in said
    assert "open http://localhost:3000 as admin" in said
    assert f"ssh -t head sudo cat {PASSWORD}" in said


def test_the_way_there_is_the_configurations(cluster: Cluster) -> None:
    machine = '[setup.machines.head]\naddress = "10.0.0.1"\nuser = "ann"\nport = 2222\njump = "gate, inner"\n'
    said = advice(place(cluster, "head", f"{machine}[setup.grafana]\nport = 3001"))
    assert "ssh -L 3001:127.0.0.1:3001 -p 2222 -J gate,inner ann@10.0.0.1\n" in said


def test_one_that_is_open_needs_no_tunnel(cluster: Cluster) -> None:
    said = advice(place(cluster, "head", '[setup.grafana]\nlisten = "all"'))
    assert said.startswith("Grafana: http://10.77.0.2:3000 as admin")
    assert "-L" not in said
    assert "GF_SERVER_HTTP_ADDR" not in variables(place(cluster, "head", '[setup.grafana]\nlisten = "all"'))


def password(cluster: Cluster) -> FakeFile:
    return cluster["head"].files[PASSWORD]


@pytest.mark.parametrize("engine", ["docker", "podman", "native"])
def test_it_is_deployed_once_and_taken_away_whole(cluster: Cluster, engine: str) -> None:
    host = cluster["head"]
    for machine in cluster.hosts.values():
        machine.has_docker, machine.has_podman = engine == "docker", engine == "podman"
    cluster.configure(f'[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\nengine = "{engine}"\n')
    before = host.picture()
    assert cluster.run("--yes", *ONLY) == 0
    made = password(cluster).content
    assert password(cluster).mode == 0o600
    assert password(cluster).owner == ("grafana:grafana" if engine == "native" else "472:0")
    after = host.picture()
    assert cluster.run("--check", *ONLY) == 0
    assert cluster.run("--yes", *ONLY) == 0
    assert host.picture() == after
    assert password(cluster).content == made
    assert cluster.run("uninstall", "--yes") == 0
    host.units.clear()
    host.packages.clear()
    assert host.picture() == before


def test_a_password_is_in_no_plan_and_no_command(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    assert cluster.run("plan", *ONLY) == 0
    assert cluster.run("plan", "--json", *ONLY) == 0
    assert cluster.run("--yes", *ONLY) == 0
    assert cluster.run("plan", *ONLY) == 0
    made = (password(cluster).content or b"").decode().strip()
    said = capsys.readouterr()
    assert made not in said.out + said.err
    assert not [argv for argv in cluster["head"].ran if made in " ".join(argv)]
    assert not [path for path, file in cluster["head"].files.items()
                if path != PASSWORD and made.encode() in (file.content or b"")]  # fmt: skip
    assert "ssh -L 3000:127.0.0.1:3000 head" in said.err


def test_a_new_version_leaves_the_password(cluster: Cluster) -> None:
    cluster.run("--yes", *ONLY)
    made, old = password(cluster).content, cluster["head"].containers["gpumon-grafana"]
    cluster.configure(
        '[setup]\nmaster = "head"\nnodes = ["gpu[1-2]"]\n[setup.grafana]\nimage = "grafana/grafana:13.1.5"\n'
    )
    assert cluster.run("--yes", *ONLY) == 0
    now: FakeContainer = cluster["head"].containers["gpumon-grafana"]
    assert now.image == "grafana/grafana:13.1.5"
    assert now is not old
    assert password(cluster).content == made


def test_data_that_stay_keep_the_password_that_they_know(cluster: Cluster) -> None:
    cluster.run("--yes", *ONLY)
    made = password(cluster).content
    cluster["head"].files[DATABASE] = FakeFile(b"SQLite", 0o640, "472:0")
    assert cluster.run("uninstall", "--yes", "--keep-data") == 0
    assert password(cluster).content == made
    assert cluster["head"].containers == {}
    cluster["head"].ran.clear()
    assert cluster.run("--yes", *ONLY) == 0
    assert password(cluster).content == made
    assert not [argv for argv in cluster["head"].ran if "reset-admin-password" in argv]
    assert cluster.run("--check", *ONLY) == 0


def test_a_password_that_was_lost_is_made_anew_and_told_to_the_database(cluster: Cluster) -> None:
    cluster.run("--yes", *ONLY)
    cluster["head"].files[DATABASE] = FakeFile(b"SQLite", 0o640, "472:0")
    lost = cluster["head"].files.pop(PASSWORD).content
    cluster["head"].ran.clear()
    assert cluster.run("--yes", *ONLY) == 0
    assert password(cluster).content not in (None, lost)
    (told,) = [argv for argv in cluster["head"].ran if "reset-admin-password" in argv]
    assert told[4] == PASSWORD
    assert told[5:7] == ("docker", "run")
    assert "--password-from-stdin" in told

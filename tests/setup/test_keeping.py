"""History and people's own dashboards outlive a setup that is taken away, and go when that is asked for."""

from __future__ import annotations

import pytest

from gpumon_setup.host import Outcome
from setup.deployments import CONFIG, Cluster
from setup.fake_host import FakeFile

HISTORY = "/var/lib/gpumon/prometheus/01/chunks"
DATABASE = "/var/lib/gpumon/grafana/grafana.db"
WITHOUT = {"prometheus": HISTORY, "grafana": DATABASE}


@pytest.fixture
def before(cluster: Cluster) -> object:
    """The master as it was before a setup that then gathered data."""
    picture = cluster["head"].picture()
    assert cluster.run("--yes") == 0
    for path in (HISTORY, DATABASE):
        cluster["head"].files[path] = FakeFile(b"data", 0o640, "65534:65534")
    return picture


def test_data_that_were_kept_are_there_again_and_go_with_the_next_uninstall(cluster: Cluster, before: object) -> None:
    assert cluster.run("uninstall", "--yes", "--keep-data") == 0
    assert not cluster["head"].containers
    assert cluster.run("uninstall", "--yes", "--keep-data") == 0
    assert cluster.run("--yes") == 0
    assert cluster.run("--check") == 0
    assert (cluster["head"].text(HISTORY), cluster["head"].text(DATABASE)) == ("data", "data")
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["head"].picture() == before


def test_data_that_were_kept_go_with_a_second_uninstall_alone(cluster: Cluster, before: object) -> None:
    assert cluster.run("uninstall", "--yes", "--keep-data") == 0
    assert cluster["head"].picture() != before
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["head"].picture() == before


@pytest.mark.parametrize("component", WITHOUT)
def test_what_is_no_longer_wanted_leaves_its_data(cluster: Cluster, before: object, component: str) -> None:
    without = ["prometheus", "grafana"] if component == "prometheus" else [component]
    cluster.configure(f"{CONFIG}without = {without}\n")
    assert cluster.run("--yes") == 0
    assert f"gpumon-{component}" not in cluster["head"].containers
    assert cluster["head"].text(WITHOUT[component]) == "data"
    assert cluster.run("--check") == 0
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["head"].picture() == before


def test_another_folder_for_the_history_leaves_the_old_one(cluster: Cluster, before: object) -> None:
    cluster.configure(f'{CONFIG}[setup.prometheus]\ndata = "/srv/history"\n')
    assert cluster.run("--yes") == 0
    assert cluster["head"].text(HISTORY) == "data"
    assert cluster.run("uninstall", "--yes") == 0
    assert HISTORY not in cluster["head"].files
    assert "/srv/history" not in cluster["head"].files
    del before


def test_a_folder_that_was_there_before_is_never_removed(cluster: Cluster) -> None:
    cluster["head"].commands["chown",] = lambda _: Outcome(0)
    cluster["head"].files["/srv"] = FakeFile(mode=0o755)
    cluster["head"].files["/srv/history"] = FakeFile(mode=0o755)
    cluster["head"].files["/srv/history/mine"] = FakeFile(b"mine")
    cluster.configure(f'{CONFIG}[setup.prometheus]\ndata = "/srv/history"\n')
    assert cluster.run("--yes") == 0
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["head"].text("/srv/history/mine") == "mine"


def test_a_busy_machine_keeps_nothing_but_what_systemd_remembers(cluster: Cluster) -> None:
    before = dict(cluster["gpu1"].files)
    assert cluster.run("--yes") == 0
    cluster["gpu1"].job_steps = ("123.batch",)
    assert cluster.run("uninstall", "--yes") == 0
    assert cluster["gpu1"].files == before
    assert ("systemctl", "daemon-reload") not in cluster["gpu1"].ran


def test_what_left_its_data_is_missing_and_not_down(
    cluster: Cluster, before: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cluster.run("uninstall", "--yes", "--keep-data", "--only", "prometheus") == 0
    capsys.readouterr()
    assert cluster.run("status", "--only", "prometheus") == 1
    assert capsys.readouterr().out.split()[:2] == ["prometheus", "missing"]
    del before

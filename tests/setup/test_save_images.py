"""`gpumon setup save-images`: what the cluster needs, by whatever engine there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpumon.errors import UsageError
from gpumon_setup.components import images
from gpumon_setup.failures import SetupError
from gpumon_setup.resources import archived_images
from setup.archives import ALL, archive
from setup.deployments import CONFIG, Cluster

DOCKER = """#!/bin/sh
PATH=/usr/bin:/bin
echo "$@" >>{log}
case "$1 $2" in
"image inspect") exit 1 ;;
"save -o") cp {saved} "$3" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where programs of this machine are, and no others."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def docker(folder: Path, saved: Path) -> Path:
    """A docker that saves an archive that is there already, and notes what it was told."""
    log = folder / "log"
    program = folder / "docker"
    program.write_text(DOCKER.format(log=log, saved=saved))
    program.chmod(0o755)
    return log


def test_exactly_what_the_cluster_needs_is_pulled_saved_and_removed_again(
    cluster: Cluster, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: host.picture() for name, host in cluster.hosts.items()}
    log = docker(folder, archive(tmp_path / "saved"))
    target = tmp_path / "images.tar"
    assert cluster.run("save-images", str(target)) == 0
    assert {image.name for image in archived_images(target)} == {*ALL}
    told = log.read_text().splitlines()
    assert [line for line in told if line.startswith("pull")] == [
        f"pull -q --platform linux/amd64 {name}"
        for name in (images.NODE_EXPORTER, images.PROMETHEUS, images.GRAFANA, images.DCGM_EXPORTER)
    ]
    assert {line for line in told if line.startswith("image rm")} == {f"image rm {name}" for name in ALL}
    said = capsys.readouterr()
    assert f"{target}: 4 images" in said.out
    assert f"Next: gpumon setup --image-archive {target}" in said.err
    assert not list(tmp_path.glob("*.new"))
    assert {name: host.picture() for name, host in cluster.hosts.items()} == before


def test_an_archive_that_is_there_is_written_anew_only_after_a_yes(
    cluster: Cluster, folder: Path, tmp_path: Path
) -> None:
    docker(folder, archive(tmp_path / "saved"))
    target = tmp_path / "images.tar"
    target.write_bytes(b"mine")
    with pytest.raises(UsageError, match="anew"):
        cluster.run("save-images", str(target))
    assert target.read_bytes() == b"mine"
    assert cluster.run("save-images", str(target), "--yes") == 0
    assert archived_images(target)


def test_an_engine_that_left_something_out_writes_nothing(cluster: Cluster, folder: Path, tmp_path: Path) -> None:
    docker(folder, archive(tmp_path / "saved", ALL[:3]))
    with pytest.raises(SetupError, match=r"docker saved no image docker\.io/grafana/grafana:13\.1\.4 for amd64"):
        cluster.run("save-images", str(tmp_path / "images.tar"))
    assert not (tmp_path / "images.tar").exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_an_engine_of_the_cluster_does_it_and_keeps_nothing_that_it_did_not_have(
    cluster: Cluster, tmp_path: Path, engine: str
) -> None:
    head = cluster["head"]
    head.has_docker, head.has_podman = engine == "docker", engine == "podman"
    head.images.add(images.GRAFANA)
    before = {name: host.picture() for name, host in cluster.hosts.items()}
    target = tmp_path / "images.tar"
    assert cluster.run("save-images", str(target), "--on", "head") == 0
    assert {image.name for image in archived_images(target)} == {*ALL}
    assert {name: host.picture() for name, host in cluster.hosts.items()} == before
    with pytest.raises(UsageError, match="--on names one machine"):
        cluster.run("save-images", str(target), "--on", "gpu[1-2]")
    with pytest.raises(UsageError, match='--on: there is no machine "heat"; did you mean head'):
        cluster.run("save-images", str(target), "--on", "heat")


def test_an_engine_of_the_cluster_that_is_not_there_is_told(cluster: Cluster, tmp_path: Path) -> None:
    cluster["gpu1"].has_docker = False
    with pytest.raises(SetupError, match="No engine can be used on gpu1: neither docker nor podman is there"):
        cluster.run("save-images", str(tmp_path / "images.tar"), "--on", "gpu1", "--limit", "gpu2")


@pytest.mark.usefixtures("folder")
def test_without_an_engine_it_is_told_what_to_type_elsewhere(cluster: Cluster) -> None:
    cluster["gpu2"].sections["machine"] = "gpu2 6.1 aarch64\n"
    with pytest.raises(SetupError) as raised:
        cluster.run("save-images", "images.tar")
    said = str(raised.value)
    assert f"  docker pull --platform linux/arm64 {images.DCGM_EXPORTER}\n" in said
    assert f"  docker save -o images-arm64.tar {images.NODE_EXPORTER} {images.DCGM_EXPORTER}" in said
    assert "docker save -o images-amd64.tar " in said


@pytest.mark.usefixtures("folder")
def test_what_is_pinned_by_a_digest_cannot_be_saved(cluster: Cluster) -> None:
    cluster.configure(f'{CONFIG}[setup.grafana]\nimage = "docker.io/grafana/grafana@sha256:{"0" * 64}"\n')
    with pytest.raises(SetupError, match="no archive keeps a digest"):
        cluster.run("save-images", "images.tar")


@pytest.mark.usefixtures("folder")
def test_packages_need_no_archive(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    cluster.configure(f'{CONFIG}engine = "native"\nwithout = ["dcgm_exporter"]\n')
    assert cluster.run("save-images", "images.tar") == 0
    assert "None of these machines needs an image." in capsys.readouterr().err

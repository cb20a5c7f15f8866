"""Whole runs on machines that get their images out of an archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpumon_setup.components import images
from gpumon_setup.failures import SetupError
from gpumon_setup.resources import archived_images
from gpumon_setup.verbs import apply
from setup.archives import ALL, archive
from setup.deployments import CONFIG, Cluster
from setup.fake_host import FakeHost


@pytest.fixture
def file(cluster: Cluster) -> Path:
    """An archive with all images, which the configuration names."""
    cluster.configure(f'{CONFIG}image_archive = "images.tar"\n')
    return archive(cluster.file.parent / "images.tar")


def sizes(file: Path, *names: str) -> int:
    """What is sent for these images."""
    return sum(image.alone(image.name).size for image in archived_images(file) if image.name in names)


def pictures(cluster: Cluster) -> dict[str, object]:
    return {name: host.picture() for name, host in cluster.hosts.items()}


def test_each_machine_gets_what_it_misses_once_and_nothing_is_pulled(
    cluster: Cluster, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pictures(cluster)
    cluster["gpu2"].images.add(images.NODE_EXPORTER)
    assert cluster.run("--yes") == 0
    said = capsys.readouterr().out
    assert f"load the image {images.GRAFANA} from images.tar (1 MB)" in said
    assert cluster["gpu1"].received == sizes(file, images.NODE_EXPORTER, images.DCGM_EXPORTER)
    assert cluster["gpu2"].received == sizes(file, images.DCGM_EXPORTER)
    assert cluster["head"].received == sizes(file, images.NODE_EXPORTER, images.PROMETHEUS, images.GRAFANA)
    assert cluster["gpu1"].images == {images.NODE_EXPORTER, images.DCGM_EXPORTER}
    assert not any(argv[1:2] == ("pull",) for host in cluster.hosts.values() for argv in host.ran)
    assert cluster.run("--check") == 0
    cluster["gpu2"].images.discard(images.NODE_EXPORTER)
    assert cluster.run("uninstall", "--yes") == 0
    assert pictures(cluster) == before


def test_podman_reads_the_file_itself(cluster: Cluster, file: Path) -> None:
    cluster.configure(f'{CONFIG}engine = "podman"\nimage_archive = "{file}"\n')
    for host in cluster.hosts.values():
        host.has_docker, host.has_podman = False, True
    assert cluster.run("--yes") == 0
    assert ("podman", "load", "-q", "-i", "{}") in cluster["gpu1"].ran
    assert cluster.run("--check") == 0


def test_what_was_typed_goes_before_what_is_configured(cluster: Cluster, tmp_path: Path) -> None:
    cluster.configure(f'{CONFIG}image_archive = "none.tar"\n')
    file = archive(tmp_path / "other.tar")
    assert cluster.run("plan", "--image-archive", str(file)) == 0
    with pytest.raises(SetupError, match=r"none\.tar cannot be used"):
        cluster.run("plan")


def test_an_archive_is_not_asked_for_once_all_have_their_images(cluster: Cluster, file: Path) -> None:
    assert cluster.run("--yes") == 0
    file.unlink()
    assert cluster.run("--check") == 0


def test_how_things_stand_is_told_without_the_archive(cluster: Cluster, file: Path) -> None:
    file.unlink()
    assert cluster.run("status") == 1
    with pytest.raises(SetupError, match=r"images\.tar"):
        cluster.run("plan")


def test_what_an_archive_lacks_is_named_with_who_needs_it_before_any_machine_is_touched(
    cluster: Cluster, file: Path
) -> None:
    archive(file, ALL[:1])
    before = pictures(cluster)
    with pytest.raises(SetupError) as raised:
        cluster.run("--yes")
    said = str(raised.value)
    assert f"{images.DCGM_EXPORTER}, for gpu[1-2]" in said
    assert f"{images.GRAFANA}, for head" in said
    assert images.NODE_EXPORTER not in said
    assert "gpumon setup save-images" in said
    assert pictures(cluster) == before


def test_images_for_other_processors_are_told_from_none(cluster: Cluster, file: Path) -> None:
    cluster["gpu1"].sections["machine"] = "gpu1 6.1 aarch64\n"
    with pytest.raises(SetupError, match=r"node-exporter:v1.11.1 \(amd64 alone are there, arm64 is not\), for gpu1"):
        cluster.run("--yes")
    archive(file.with_name("more.tar"), ALL[:2], "arm64")
    cluster.configure(f'{CONFIG}image_archive = "."\n')
    assert cluster.run("--yes") == 0


def test_a_digest_is_refused_with_what_to_do(cluster: Cluster, file: Path) -> None:
    pinned = f"{images.NODE_EXPORTER}@sha256:{'0' * 64}"
    cluster.configure(f'{CONFIG}image_archive = "{file}"\n[setup.node_exporter]\nimage = "{pinned}"\n')
    with pytest.raises(SetupError, match="no archive keeps a digest: name the image by its tag alone"):
        cluster.run("--yes")


@pytest.mark.usefixtures("file")
def test_a_cable_cut_in_the_middle_of_a_transfer_is_mended_by_the_next_run(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pictures(cluster)
    cluster["gpu1"].loses_what_is_sent = True
    assert cluster.run("--yes") == 1
    said = capsys.readouterr()
    assert "gpu1: images.tar could not be sent over SFTP" in said.err
    assert "failed: load the image quay.io/prometheus/node-exporter" in said.out
    assert cluster["gpu2"].containers
    cluster["gpu1"].loses_what_is_sent = False
    assert cluster.run("--yes") == 0
    assert cluster.run("--check") == 0
    assert cluster.run("uninstall", "--yes") == 0
    assert pictures(cluster) == before


def test_a_node_that_comes_later_and_a_new_version_come_out_of_an_archive_too(cluster: Cluster, tmp_path: Path) -> None:
    archive(tmp_path / "images.tar")
    archived = ("--yes", "--image-archive", str(tmp_path / "images.tar"))
    assert cluster.run(*archived) == 0
    cluster.hosts["gpu3"] = FakeHost("gpu3", "10.77.0.5", gpus=4)
    cluster.prometheus.attach()
    assert cluster.run("add-node", "gpu3", *archived) == 0
    assert cluster["gpu3"].received
    new = "mirror/node-exporter:2"
    cluster.configure(f'{cluster.file.read_text()}[setup.node_exporter]\nimage = "{new}"\n')
    archive(tmp_path / "images.tar", (new,))
    assert cluster.run("upgrade", *archived) == 0
    for host in cluster.hosts.values():
        assert host.containers["gpumon-node-exporter"].image == new
        assert images.NODE_EXPORTER not in host.images
        assert not any(argv[1:2] == ("pull",) for argv in host.ran)


@pytest.mark.usefixtures("file")
def test_a_long_way_is_told_how_far_it_is(
    cluster: Cluster, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apply, "SILENCE_SECONDS", 0.0)
    assert cluster.run("--yes") == 0
    assert "gpu1: 3/12 0 of 0 MB sent" in capsys.readouterr().err


@pytest.mark.usefixtures("file")
def test_an_image_needs_room_where_it_waits(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    disks = "F B U A C M\n/dev/sda1 9 9 90000000 1% /\n/dev/sdb1 9 9 1 1% /var/tmp\n"
    cluster["gpu1"].sections["disks"] = disks
    assert cluster.run("--yes") == 1
    assert "CANNOT: /var/tmp has 0.0 GB left, and an image that is sent needs" in capsys.readouterr().out
    assert not cluster["gpu1"].received

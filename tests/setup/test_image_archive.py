"""Archives of images: what is read of them, what is wrong with one, and one image alone."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from gpumon_setup.failures import SetupError
from gpumon_setup.resources import archived_images, whole_name
from setup.archives import ALL, archive, packed


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("docker.io/nginx:1", "docker.io/library/nginx:1"),
        ("grafana/grafana:13", "docker.io/grafana/grafana:13"),
        ("localhost/x", "localhost/x:latest"),
        ("head:5000/x/y:1", "head:5000/x/y:1"),
        ("quay.io/x@sha256:00", "quay.io/x@sha256:00"),
    ],
)
def test_a_name_is_completed_as_engines_do(name: str, whole: str) -> None:
    assert whole_name(name) == whole
    assert whole_name(whole) == whole


def test_every_image_is_found_by_its_whole_name(tmp_path: Path) -> None:
    found = archived_images(archive(tmp_path / "images.tar"))
    assert [(image.name, image.architecture) for image in found] == [(name, "amd64") for name in ALL]


def test_one_image_alone_is_an_archive_under_the_name_that_is_asked_for(tmp_path: Path) -> None:
    first, _, third, _ = archived_images(archive(tmp_path / "images.tar"))
    alone = third.alone("mirror/prometheus:v3")
    with alone.opened() as stream:
        content = stream.read()
    assert len(content) == alone.size
    (tmp_path / "alone.tar").write_bytes(content)
    (again,) = archived_images(tmp_path / "alone.tar")
    assert again.name == "docker.io/mirror/prometheus:v3"
    for (name, now), (before, there) in zip((again.config, *again.layers), (third.config, *third.layers), strict=True):
        assert name == before
        assert (
            now.file.read_bytes()[now.start : now.start + now.size]
            == (there.file.read_bytes()[there.start : there.start + there.size])
        )
    assert first.config[0].encode() not in content


def test_equal_layers_that_are_links_are_followed(tmp_path: Path) -> None:
    manifest = [{"Config": "c.json", "RepoTags": ["a/b:1"], "Layers": ["x/layer.tar", "y/layer.tar"]}]
    contents = {
        "c.json": b'{"architecture": "arm64"}',
        "x/layer.tar": b"layer",
        "manifest.json": json.dumps(manifest).encode(),
    }
    (image,) = archived_images(packed(tmp_path / "old.tar", contents, {"y/layer.tar": "../x/layer.tar"}))
    assert image.architecture == "arm64"
    assert image.layers[0][1] == image.layers[1][1]


def test_a_folder_gives_the_images_of_all_archives_in_it(tmp_path: Path) -> None:
    archive(tmp_path / "a.tar", ALL[:1])
    archive(tmp_path / "b.tar", ALL[:1], "arm64")
    (tmp_path / "notes.txt").touch()
    assert {image.architecture for image in archived_images(tmp_path)} == {"amd64", "arm64"}


def test_what_is_no_archive_is_told_with_its_reason(tmp_path: Path) -> None:
    whole = archive(tmp_path / "images.tar").read_bytes()
    missing = json.dumps([{"Config": "c.json", "RepoTags": ["a:1"], "Layers": []}]).encode()
    wrong = {
        "none.tar": (None, "No such file or directory"),
        "text.tar": (b"hello" * 1000, "it is no whole tar archive"),
        "empty.tar": (b"", "it is no whole tar archive"),
        "cut.tar": (whole[:9000], "it ends in the middle|it is no whole tar archive"),
        "packed.tar": (gzip.compress(whole), "it is compressed; unpack it first with gunzip"),
        "other.tar": (
            packed(tmp_path / "x", {"readme": b""}).read_bytes(),
            "it is no archive of images as docker save writes it",
        ),
        "part.tar": (packed(tmp_path / "y", {"manifest.json": missing}).read_bytes(), "c.json is missing in it"),
        "list.tar": (packed(tmp_path / "z", {"manifest.json": b"{]"}).read_bytes(), "its list of images is broken"),
    }
    for name, (content, reason) in wrong.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(SetupError, match=rf"{name} cannot be used as image_archive: ({reason}).*save-images"):
            archived_images(tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(SetupError, match="no archive is in that folder"):
        archived_images(tmp_path / "folder")


def test_an_archive_that_was_cut_anywhere_is_never_taken_for_whole(tmp_path: Path) -> None:
    whole = archive(tmp_path / "images.tar", ALL[:2]).read_bytes()
    end = whole.rstrip(b"\0")
    for size in range(600, len(end), 997):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(SetupError):
            archived_images(tmp_path / "cut.tar")

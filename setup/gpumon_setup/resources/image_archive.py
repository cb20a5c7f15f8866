"""Archives of images as `docker save` and `podman save` write them: what is in them, and one image of them to send."""

from __future__ import annotations

import json
import posixpath
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from gpumon.text import shown
from gpumon_setup.failures import SetupError
from gpumon_setup.host import Pieces, Stretch

_MANIFEST = "manifest.json"
_MOST_BYTES = 16 << 20
"""Of what is read to know what is in an archive."""
_BLOCK = 512
_COMPRESSED = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}
"""How compressed files begin, and what unpacks them."""


@dataclass(frozen=True, slots=True)
class ArchivedImage:
    """One image that an archive holds."""

    name: str
    """With its registry and its tag."""
    architecture: str
    """As images call it: "amd64", "arm64"; "" when it does not say."""
    archive: Path
    config: tuple[str, Stretch]
    """Its name in the archive, and where it is."""
    layers: tuple[tuple[str, Stretch], ...]

    def alone(self, name: str) -> Pieces:
        """An archive of this image alone, under one name."""
        manifest = [{"Config": self.config[0], "RepoTags": [name], "Layers": [layer for layer, _ in self.layers]}]
        described = json.dumps(manifest).encode()
        parts = [*_entry(_MANIFEST, described, len(described))]
        for inside, stretch in dict((self.config, *self.layers)).items():
            parts += _entry(inside, stretch, stretch.size)
        return Pieces(self.archive.name, (*parts, bytes(2 * _BLOCK)))


def archived_images(path: Path) -> tuple[ArchivedImage, ...]:
    """Every image of an archive, or of all archives in a folder, once for each of its names.

    Raises:
        SetupError: there is no such file, or it is no archive of images that can be used.
    """
    try:
        return tuple(image for file in _files(path) for image in _images(file))
    except _Unusable as reason:
        raise SetupError(
            f"{shown(str(reason.file), 300)} cannot be used as image_archive: {reason}.",
            advice="gpumon setup save-images FILE writes one, where there are an engine and a registry.",
        ) from None


def whole_name(name: str) -> str:
    """An image's name with the registry and the tag that engines add: "nginx" is docker.io/library/nginx:latest."""
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = "docker.io", name
    if first == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    last = rest.rpartition("/")[2]
    return f"{first}/{rest}" if ":" in last or "@" in last else f"{first}/{rest}:latest"


def _files(path: Path) -> list[Path]:
    files = sorted(path.glob("*.tar")) if path.is_dir() else [path]
    if not files:
        raise _Unusable("no archive is in that folder; their names end in .tar", path)
    return files


class _Unusable(Exception):
    """An archive that cannot be used; says why."""

    def __init__(self, reason: str, file: Path) -> None:
        super().__init__(reason)
        self.file = file


def _images(file: Path) -> Iterator[ArchivedImage]:
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            _refuse_compressed(file, stream.read(8))
        with tarfile.open(file, "r:") as tar:
            members = {member.name.removeprefix("./"): member for member in tar.getmembers()}
        yield from _Archive(file, size, members).images()
    except (OSError, tarfile.TarError) as error:
        words = (
            error.strerror if isinstance(error, OSError) and error.strerror else f"it is no whole tar archive ({error})"
        )
        raise _Unusable(shown(words, 200), file) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _Unusable("its list of images is broken", file) from None


def _refuse_compressed(file: Path, beginning: bytes) -> None:
    for magic, program in _COMPRESSED.items():
        if beginning.startswith(magic):
            raise _Unusable(f"it is compressed; unpack it first with {program}", file)


class _Archive:
    """One archive while it is read."""

    def __init__(self, file: Path, size: int, members: Mapping[str, tarfile.TarInfo]) -> None:
        self._file = file
        self._size = size
        self._members = members

    def images(self) -> Iterator[ArchivedImage]:
        """Every image, once for each of its names."""
        if _MANIFEST not in self._members:
            raise _Unusable("it is no archive of images as docker save writes it: it has no manifest.json", self._file)
        for told in cast("list[Mapping[str, Any]]", json.loads(self._read(self._stretch(_MANIFEST)))):
            config = self._stretch(told["Config"])
            layers = tuple((layer, self._stretch(layer)) for layer in told["Layers"])
            architecture = json.loads(self._read(config)).get("architecture") or ""
            for name in told.get("RepoTags") or ():
                yield ArchivedImage(
                    whole_name(name), str(architecture), self._file, (str(told["Config"]), config), layers
                )

    def _stretch(self, name: str) -> Stretch:
        """Where the content of a member is; older versions of docker write equal layers once and then link to them."""
        member = self._members.get(name)
        for _ in range(10):
            if member is None or not (member.issym() or member.islnk()):
                break
            beside = posixpath.dirname(member.name) if member.issym() else ""
            member = self._members.get(posixpath.normpath(posixpath.join(beside, member.linkname)))
        if member is None or not member.isfile():
            raise _Unusable(f"{shown(name, 200)} is missing in it", self._file)
        if member.offset_data + member.size > self._size:
            raise _Unusable("it ends in the middle; was it copied whole?", self._file)
        return Stretch(self._file, member.offset_data, member.size)

    def _read(self, stretch: Stretch) -> bytes:
        if stretch.size > _MOST_BYTES:
            raise _Unusable("its list of images is longer than any", self._file)
        with Pieces("", (stretch,)).opened() as stream:
            return stream.read()


def _entry(name: str, content: bytes | Stretch, size: int) -> tuple[bytes | Stretch, ...]:
    """A member of a tar archive: header, content, and what fills its last block."""
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT), content, bytes(-size % _BLOCK)

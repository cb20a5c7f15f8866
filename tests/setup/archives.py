"""Archives of images as docker and podman save them, small enough for tests."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from gpumon_setup.components import images

ALL = (images.NODE_EXPORTER, images.DCGM_EXPORTER, images.PROMETHEUS, images.GRAFANA)
"""What a cluster with GPUs needs by default."""


def archive(file: Path, names: Sequence[str] = ALL, architecture: str = "amd64") -> Path:
    """An archive of images of these names as docker writes it, each with a layer of its own and one that all share."""
    contents: dict[str, bytes] = {}

    def blob(content: bytes) -> str:
        name = f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
        contents[name] = content
        return name

    shared = blob(b"shared" * 1000)
    manifest = [
        {
            "Config": blob(json.dumps({"architecture": architecture, "of": name}).encode()),
            "RepoTags": [name.removeprefix("docker.io/")],
            "Layers": [shared, blob(name.encode() * 100)],
        }
        for name in names
    ]
    return packed(file, {**contents, "manifest.json": json.dumps(manifest).encode()})


def packed(file: Path, contents: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> Path:
    """A tar archive of files and of symbolic links."""
    with tarfile.open(file, "w") as tar:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return file

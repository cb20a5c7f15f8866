"""Writes images straight into the folder that docker-registry serves, without an engine to build or push them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.images.catalogue import PATH, Image

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIGURATION = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar"
"""Not compressed: nodes share this machine's cores, and the network between them is its memory."""
CREATED = "1970-01-01T00:00:00Z"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Layer:
    """One archive that is ready to be served."""

    file: Path
    digest: str
    """sha256:..."""


def digest_of(file: Path) -> str:
    """By which a layer is known."""
    sum_of_all = hashlib.sha256()
    with file.open("rb") as content:
        while piece := content.read(1 << 20):
            sum_of_all.update(piece)
    return f"sha256:{sum_of_all.hexdigest()}"


class RegistryStore:
    """A registry's folder while it is filled."""

    def __init__(self, folder: Path) -> None:
        self._root = folder / "docker" / "registry" / "v2"

    def add(self, name: str, tags: Sequence[str], image: Image, layers: Sequence[Layer]) -> str:
        """Adds an image under one name, without its registry, and answers with its digest."""
        configuration = json.dumps(_configuration(image, layers), sort_keys=True).encode()
        blobs = [self._put_bytes(configuration), *(self._put_file(layer) for layer in layers)]
        sizes = [len(configuration), *(layer.file.stat().st_size for layer in layers)]
        kinds = [CONFIGURATION, *(LAYER for _ in layers)]
        described = [
            {"mediaType": kind, "size": size, "digest": digest}
            for kind, size, digest in zip(kinds, sizes, blobs, strict=True)
        ]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
        digest = self._put_bytes(json.dumps(manifest, sort_keys=True).encode())
        repository = self._root / "repositories" / name
        for blob in blobs:
            _link(repository / "_layers", blob)
        _link(repository / "_manifests" / "revisions", digest)
        for tag in tags:
            _link(repository / "_manifests" / "tags" / tag / "index", digest)
            current = repository / "_manifests" / "tags" / tag / "current" / "link"
            current.parent.mkdir(parents=True, exist_ok=True)
            current.write_text(digest)
        return digest

    def _blob(self, digest: str) -> Path:
        word = digest.removeprefix("sha256:")
        path = self._root / "blobs" / "sha256" / word[:2] / word / "data"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _put_bytes(self, content: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self._blob(digest).write_bytes(content)
        return digest

    def _put_file(self, layer: Layer) -> str:
        blob = self._blob(layer.digest)
        if not blob.exists():
            try:
                blob.hardlink_to(layer.file)
            except OSError:
                shutil.copyfile(layer.file, blob)
        return layer.digest


def _link(folder: Path, digest: str) -> None:
    link = folder / "sha256" / digest.removeprefix("sha256:") / "link"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.write_text(digest)


def _configuration(image: Image, layers: Sequence[Layer]) -> dict[str, object]:
    machine = os.uname().machine
    environment = {"PATH": PATH, **image.environment}
    return {
        "architecture": ARCHITECTURES.get(machine, machine),
        "os": "linux",
        "created": CREATED,
        "config": {
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "Entrypoint": list(image.entrypoint),
            "Cmd": list(image.command) or None,
            "User": image.user,
            "WorkingDir": image.folder,
            "Volumes": {volume: {} for volume in image.volumes} or None,
            "ExposedPorts": {f"{port}/tcp": {} for port in image.ports} or None,
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        "history": [{"created": CREATED, "created_by": "lab"} for _ in layers],
    }

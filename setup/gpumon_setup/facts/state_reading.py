"""The state of files, units, packages and containers, from what look.sh and the engines say."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from gpumon_setup.facts.state import ContainerState, FileState, Record, UnitState


def files(sections: Mapping[str, str]) -> dict[str, FileState]:
    """Every path that was looked at."""
    found: dict[str, FileState] = {}
    digests: dict[str, str] = {}
    for line in sections.get("files", "").splitlines():
        words = line.split(" ")
        if words[0] == "no" and len(words) == 2:
            found[words[1]] = FileState(words[1])
        elif words[0] == "is" and len(words) == 5:
            found[words[4]] = FileState(words[4], True, int(words[1], 8), words[2], words[3])
        elif len(words) == 3 and len(words[0]) == 64:  # sha256sum's two blanks
            digests[words[2]] = words[0]
    return {path: _read(sections, replace(state, digest=digests.get(path, ""))) for path, state in found.items()}


def _read(sections: Mapping[str, str], state: FileState) -> FileState:
    """A file with its content, where that was asked for."""
    coded = sections.get(f"content {state.path}")
    if coded is None or not state.digest:
        return state
    if coded.strip() == "long":
        return replace(state, is_long=True)
    try:
        return replace(state, content=base64.b64decode(coded))
    except binascii.Error:
        return state


def units(sections: Mapping[str, str]) -> dict[str, UnitState]:
    """Every unit that was looked at; systemd answers for those that are not there too."""
    found: dict[str, UnitState] = {}
    for block in sections.get("units", "").split("\n\n"):
        told: dict[str, str] = {}
        for line in block.splitlines():
            name, _, value = line.partition("=")
            told[name] = value
        for name in {told.get("Id", ""), *told.get("Names", "").split()} - {""}:
            found[name] = UnitState(
                name,
                told.get("LoadState", ""),
                told.get("ActiveState", ""),
                told.get("UnitFileState") in ("enabled", "enabled-runtime", "static", "alias", "generated"),
                told.get("NeedDaemonReload") == "yes",
            )
    return found


def packages(sections: Mapping[str, str]) -> dict[str, str]:
    """Versions by name; "" for what is not installed."""
    found: dict[str, str] = {}
    for line in sections.get("packages", "").splitlines():
        name, _, rest = line.strip().partition(" ")
        version, _, status = rest.partition(" ")
        if name:
            found[name] = version if status == "installed" else ""
    return found


def containers(sections: Mapping[str, str]) -> dict[str, ContainerState]:
    """All containers of all engines; docker's win where both have one of a name."""
    found = {container.name: container for container in _podman(sections.get("podman.ps", ""))}
    for line in sections.get("docker.ps", "").splitlines():
        name, state, image, spec, managed = (*line.split("\t"), "", "", "", "")[:5]
        found[name] = ContainerState(name, "docker", state == "running", image, spec, managed == "1")
    return found


def _podman(text: str) -> Iterator[ContainerState]:
    for told in _objects(text):
        labels = cast("Mapping[str, str]", told.get("Labels") or {})
        names = cast("list[str] | str | None", told.get("Names"))
        name = (names if isinstance(names, str) else names[0]) if names else None
        if name is not None:
            yield ContainerState(
                name,
                "podman",
                told.get("State") == "running",
                str(told.get("Image", "")),
                labels.get("io.gpumon.spec", ""),
                labels.get("io.gpumon.managed") == "1",
            )


def images(sections: Mapping[str, str]) -> frozenset[str]:
    """All images, by name and by id."""
    lines = f"{sections.get('docker.images', '')}\n{sections.get('podman.images', '')}".split()
    return frozenset(word for word in lines if "<none>" not in word)


def made(sections: Mapping[str, str]) -> dict[tuple[str, str], Record]:
    """What gpumon made there; a record that cannot be read is none."""
    found: dict[tuple[str, str], Record] = {}
    for line in sections.get("made", "").splitlines():
        for told in _objects(f"[{line}]"):
            texts = {key: value for key, value in told.items() if isinstance(value, str)}
            if {"kind", "key", "component"} <= texts.keys():
                known = ("kind", "key", "component", "spec", "detail", "backup")
                record = Record(**{key: texts[key] for key in known if key in texts})
                found[record.kind, record.key] = record
    return found


def _objects(text: str) -> list[Mapping[str, Any]]:
    try:
        told: object = json.loads(text or "[]")
    except ValueError:
        return []
    items = cast("list[object]", told) if isinstance(told, list) else []
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, dict)]

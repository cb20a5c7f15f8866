"""The state of files, units, packages and containers, from what look.sh and the engines say."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, cast

from gpumon_setup.facts.state import ContainerState, FileState, Record, UnitState

LONGEST = 1 << 20
"""Of a file's content, in bytes."""


def files(sections: Mapping[str, str]) -> dict[str, FileState]:
    """Every path that was looked at."""
    found = {path: FileState(path) for path in _asked(sections, "file")}
    digests: dict[str, str] = {}
    for line in sections.get("files", "").splitlines():
        words = line.split(" ")
        if words[0] == "is" and len(words) == 5:
            found[words[4]] = FileState(words[4], True, int(words[1], 8), words[2], words[3])
        elif len(words) == 3 and len(words[0]) == 64:  # sha256sum's two blanks
            digests[words[2]] = words[0]
    return {path: _read(sections, replace(state, digest=digests.get(path, ""))) for path, state in found.items()}


def _asked(sections: Mapping[str, str], kind: str) -> Iterator[str]:
    """What was looked at, whether it is there or not."""
    for line in sections.get("asked", "").splitlines():
        found, _, name = line.partition(" ")
        if found == kind and name:
            yield name


def _read(sections: Mapping[str, str], state: FileState) -> FileState:
    """A file with its content, where that was asked for."""
    coded = sections.get(f"content {state.path}")
    if coded is None or not state.digest:
        return state
    try:
        content = base64.b64decode(coded)
    except binascii.Error:
        return state
    return replace(state, is_long=True) if len(content) > LONGEST else replace(state, content=content)


def units(sections: Mapping[str, str]) -> dict[str, UnitState]:
    """Every unit that was looked at; systemd answers for those that are not there too."""
    found = {name: UnitState(name) for name in _asked(sections, "unit")}
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
    found = dict.fromkeys(_asked(sections, "package"), "")
    for line in sections.get("packages", "").splitlines():
        name, version, status = (*line.split(" "), "", "")[:3]
        if status == "installed":
            found[name] = version
    return found


def offered(sections: Mapping[str, str]) -> dict[str, bool | None]:
    """Whether apt would find packages, by name; None where it has no lists of any archive."""
    told = sections.get("offers")
    found: dict[str, bool | None] = dict.fromkeys(_asked(sections, "offer"), None if told is None else False)
    name = ""
    for line in (told or "").splitlines():
        if not line.startswith(" "):
            name = line.rstrip(":")
        elif line.strip().startswith("Candidate:") and name in found:
            found[name] = not line.endswith("(none)")
    return found


def containers(sections: Mapping[str, str]) -> dict[str, ContainerState]:
    """All containers of all engines; docker's win where both have one of a name."""
    found = {container.name: container for container in _told("podman", _objects(sections.get("podman.ps", "")))}
    found.update((container.name, container) for container in _told("docker", docker_part(sections, 1)))
    for line in sections.get("docker.ps", "").splitlines():
        name, state, image, spec, managed = (*line.split("\t"), "", "", "", "")[:5]
        found[name] = ContainerState(name, "docker", state == "running", image, spec, managed == "1")
    return found


def docker_part(sections: Mapping[str, str], number: int) -> list[Mapping[str, Any]]:
    """What docker's own interface answered behind its state: 1 its containers, 2 its images."""
    return _objects(sections.get("part" if number == 1 else f"part {number}", ""))


def _told(engine: Literal["docker", "podman"], answers: Iterable[Mapping[str, Any]]) -> Iterator[ContainerState]:
    for told in answers:
        labels = cast("Mapping[str, str]", told.get("Labels") or {})
        names = cast("list[str] | str | None", told.get("Names"))
        name = (names if isinstance(names, str) else names[0]) if names else None
        if name is not None:
            yield ContainerState(
                name.removeprefix("/"),
                engine,
                told.get("State") == "running",
                str(told.get("Image", "")),
                labels.get("io.gpumon.spec", ""),
                labels.get("io.gpumon.managed") == "1",
            )


def images(sections: Mapping[str, str]) -> frozenset[str]:
    """All images, by name and by id."""
    words = f"{sections.get('docker.images', '')}\n{sections.get('podman.images', '')}".split()
    for told in docker_part(sections, 2):
        words += [*cast("list[str]", told.get("RepoTags") or []), *cast("list[str]", told.get("RepoDigests") or [])]
        words.append(str(told.get("Id", "")))
    return frozenset(word for word in words if word and "<none>" not in word)


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
    items = cast("list[object]", told) if isinstance(told, list) else [told]
    return [cast("Mapping[str, Any]", item) for item in items if isinstance(item, dict)]

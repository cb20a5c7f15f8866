"""The keys of [setup], [setup.machines.NAME] and those that each component brings, and how their values are read."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import cast

from gpumon.config.keys import Key
from gpumon.config.values import Here, Reader, Wrong, choice, path, told
from gpumon.text import shown
from gpumon_setup.inventory.hostlist import NoHostlist, expanded

ENGINES = ("auto", "docker", "podman", "native")
ACCEPTABLE = ("clock", "gpu_count", "slurm_name", "reach")
"""What is refused unless it is said to be meant so."""
_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._:%-]{0,253})")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}\$?")
_JUMP = re.compile(r"([A-Za-z0-9_.@\\-]+@)?(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def hostlist(value: object, _: Here) -> tuple[str, ...]:
    """One hostlist, or a list of them."""
    expected = 'names such as "gpu[01-16]", or a list of them'
    items = cast("list[object]", value) if isinstance(value, list) else [value]
    names: list[str] = []
    for item in items:
        if not isinstance(item, str):
            raise Wrong(told(item), expected)
        try:
            names.extend(expanded(item))
        except NoHostlist as reason:
            raise Wrong(f"{told(item)}, in which {shown(str(reason), 120)}", expected) from None
    return tuple(dict.fromkeys(names))


def one_host(value: object, here: Here) -> str:
    """The name of one machine."""
    names = hostlist(value, here)
    if len(names) != 1:
        raise Wrong(told(value), "the name of one machine")
    return names[0]


def matching(pattern: re.Pattern[str], expected: str) -> Reader:
    """A text of one form."""

    def read(value: object, _: Here) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise Wrong(told(value), expected)
        return value

    return read


def words(known: Collection[str], expected: str) -> Reader:
    """A list of some of a few words."""

    def read(value: object, _: Here) -> frozenset[str]:
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        found = [item for item in items if isinstance(item, str) and item in known]
        if len(found) != len(items):
            raise Wrong(told(next(item for item in items if item not in found)), f"{expected}: {', '.join(known)}")
        return frozenset(found)

    return read


def port(value: object, _: Here) -> int:
    """A TCP port."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
        raise Wrong(told(value), "a port from 1 to 65535")
    return value


def yes_or_no(value: object, _: Here) -> bool:
    """A claim."""
    if not isinstance(value, bool):
        raise Wrong(told(value), "true or false")
    return value


def jumps(value: object, _: Here) -> str:
    """Jump hosts."""
    if not isinstance(value, str) or not all(_JUMP.fullmatch(hop.strip()) for hop in value.split(",")):
        raise Wrong(told(value), 'jump hosts such as "ann@gate:22,inner"')
    return value


_ADDRESSING: tuple[Key, ...] = (
    Key("user", matching(_USER, "a user's name"), "user"),
    Key("port", port, "port"),
    Key("jump", jumps, "jump"),
)
MACHINE: tuple[Key, ...] = (Key("address", matching(_ADDRESS, "a name or an IP address"), "address"), *_ADDRESSING)
"""In [setup.machines.NAME]."""


def setup_keys(components: Collection[str]) -> tuple[Key, ...]:
    """In [setup] itself."""
    return (
        Key("master", one_host, "master"),
        Key("nodes", hostlist, "nodes"),
        Key("controller", one_host, "controller"),
        Key("local", yes_or_no, "local"),
        Key("cluster", matching(_LABEL, "a name of letters, digits, dots and dashes"), "cluster"),
        Key("engine", choice(*ENGINES), "engine"),
        Key("without", words(components, "components that are not wanted"), "without"),
        Key("accept", words(ACCEPTABLE, "what is meant so"), "accept"),
        Key("image_archive", path, "image_archive"),
        *_ADDRESSING,
    )

"""The inventory from the [setup] of the configuration, checked as a whole, so that every mistake is told at once."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from gpumon.config.checking import Fields, Mistakes
from gpumon.config.keys import Key
from gpumon.config.loading import SYSTEM_FILE
from gpumon.config.values import Here, Wrong, as_table, kind
from gpumon.errors import ConfigError
from gpumon.text import shown
from gpumon_setup.inventory.keys import MACHINE, setup_keys
from gpumon_setup.inventory.model import Inventory, Machine, Role

_MOST_BYTES = 1 << 20
NO_SETUP = "gpumon setup init"
"""What writes a [setup]."""


def config_file(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The configuration that holds: the one named, else the user's, else the machine's; None when there is none."""
    named = path or (Path(environ["GPUMON_CONFIG"]) if environ.get("GPUMON_CONFIG") else None)
    if named is not None:
        return named
    chosen = environ.get("XDG_CONFIG_HOME", "")
    own = Path(chosen) if chosen.startswith("/") else Here(Path(), environ).path("~/.config")
    return next((file for file in (own / "gpumon/config.toml", SYSTEM_FILE) if file.is_file()), None)


def load_inventory(
    file: Path | None, components: Mapping[str, tuple[Key, ...]], *, environ: Mapping[str, str] = os.environ
) -> Inventory:
    """The cluster that a configuration's [setup] describes; `components` are the keys that each component knows.

    Raises:
        ConfigError: there is no [setup], or everything that is wrong with it.
    """
    if file is None:
        raise ConfigError([f"There is no configuration yet. Write one: {NO_SETUP}."])
    mistakes = Mistakes(shown(str(file), 300))
    document = _document(file, mistakes)
    found = as_table(document.get("setup"))
    if not mistakes.lines and found is None:
        mistakes.add("setup", f"found nothing; expected a section [setup], which `{NO_SETUP}` writes")
    if mistakes.lines or found is None:
        raise ConfigError(mistakes.lines)
    here = Here(file.parent, environ)
    tables = {name for name in found if name in components or name == "machines"}
    own = _fields({name: value for name, value in found.items() if name not in tables}, "setup.",
                  setup_keys(tuple(components)), here, mistakes, beside=("machines", *components))  # fmt: skip
    sections = {
        name: _fields(_table(found, name, "setup.", mistakes), f"setup.{name}.", components[name], here, mistakes)
        for name in components
        if name in found
    }
    machines = _machines(own, found.keys(), _table(found, "machines", "setup.", mistakes), here, mistakes)
    if mistakes.lines:
        raise ConfigError(mistakes.lines)
    rest: Fields = {name: own[name] for name in ("cluster", "engine", "without", "accept") if name in own}
    return Inventory(machines=machines, sections=sections, file=file, **rest)


def _machines(
    own: Fields, given: Collection[str], told: Mapping[str, object], here: Here, mistakes: Mistakes
) -> tuple[Machine, ...]:
    if "master" not in given:
        mistakes.add("setup.master", "found nothing; expected the name of the machine that gathers all")
    master: str = own.get("master", "")
    names = dict.fromkeys((master, own.get("controller", master), *own.get("nodes", ())))
    if "nodes" not in given:
        mistakes.add("setup.nodes", 'found nothing; expected the nodes, like ["gpu[01-16]"]')
    shared: Fields = {name: own[name] for name in ("user", "port", "jump") if name in own}
    single: dict[str, Fields] = {}
    for name in told:
        single[name] = _fields(
            _table(told, name, "setup.machines.", mistakes), f"setup.machines.{name}.", MACHINE, here, mistakes
        )
        if name not in names and {"master", "nodes"} <= own.keys():
            near = get_close_matches(name, names, 1)
            meant = f"did you mean {near[0]}?" if near else "expected the master or one of the nodes"
            mistakes.add(f"setup.machines.{shown(name, 80)}", f"there is no machine of this name; {meant}")
    machines: list[Machine] = []
    for name in names:
        roles = {Role.MASTER} if name == master else set[Role]()
        roles |= {Role.CONTROLLER} if name == own.get("controller", master) else set()
        roles |= {Role.NODE} if name in own.get("nodes", ()) else set()
        fields: Fields = {**shared, **single.get(name, {})}
        is_local = bool(own.get("local", False)) and name == master
        machines.append(Machine(name, frozenset(roles), is_local=is_local, **fields))
    return tuple(machines)


def _document(file: Path, mistakes: Mistakes) -> Mapping[str, object]:
    toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        content = file.read_bytes()
        if len(content) > _MOST_BYTES:
            mistakes.add("", "is longer than any configuration; expected at most 1 MiB of TOML")
            return {}
        return cast("Mapping[str, object]", toml.loads(content.decode("utf-8-sig")))
    except OSError as error:
        mistakes.add("", f"cannot be read: {error.strerror}")
    except (ValueError, RecursionError) as error:
        mistakes.add("", f"is not TOML: {shown(str(error), 200)}")
    return {}


def _table(table: Mapping[str, object], name: str, at: str, mistakes: Mistakes) -> Mapping[str, object]:
    found = as_table(table.get(name, {}))
    if found is None:
        mistakes.add(f"{at}{shown(name, 80)}", f"found {kind(table[name])}; expected a section [{at}{shown(name, 80)}]")
    return found or {}


def _fields(
    table: Mapping[str, object],
    at: str,
    keys: tuple[Key, ...],
    here: Here,
    mistakes: Mistakes,
    *,
    beside: tuple[str, ...] = (),
) -> Fields:
    by_name = {key.name: key for key in keys}
    found: Fields = {}
    for name, value in table.items():
        key = by_name.get(name)
        if key is None:
            near = get_close_matches(name.lower(), [*by_name, *beside], 1)
            all_known = ", ".join([*by_name, *beside]) or "none"
            known = f"did you mean {at}{near[0]}?" if near else f"known here are {all_known}"
            mistakes.add(f"{at}{shown(name, 80)}", f"unknown key; {known}")
            continue
        try:
            found[key.field] = key.read(value, here)
        except Wrong as wrong:
            mistakes.wrong(f"{at}{name}", wrong)
    return found

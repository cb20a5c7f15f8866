"""The inventory from the [setup] of the configuration, checked as a whole, so that every mistake is told at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path

from gpumon.config.checking import Fields, Mistakes, read_fields, read_table
from gpumon.config.keys import Key
from gpumon.config.loading import parsed, read_file
from gpumon.config.values import Here, as_table
from gpumon.errors import ConfigError
from gpumon.text import shown
from gpumon_setup.inventory.keys import MACHINE, setup_keys
from gpumon_setup.inventory.model import Inventory, Machine, Role

NO_SETUP = "gpumon setup init"
"""What writes a [setup]."""


def load_inventory(
    path: Path | None, components: Mapping[str, tuple[Key, ...]], *, environ: Mapping[str, str] = os.environ
) -> Inventory:
    """The cluster that the configuration's [setup] describes; `components` are the keys that each component knows.

    The file is `path` (--config), or one of the usual ones.

    Raises:
        ConfigError: there is no [setup], or everything that is wrong with it.
    """
    read = read_file(path, environ)
    if read is None:
        raise ConfigError([f"There is no configuration yet. Write one: {NO_SETUP}."])
    file, content = read
    mistakes = Mistakes(shown(str(file), 300))
    document = parsed(content, mistakes) or {}
    found = as_table(document.get("setup"))
    if not mistakes.lines and found is None:
        mistakes.add("setup", f"found nothing; expected a section [setup], which `{NO_SETUP}` writes")
    if mistakes.lines or found is None:
        raise ConfigError(mistakes.lines)
    here = Here(file.parent, environ)
    tables = {name for name in found if name in components or name == "machines"}
    own = read_fields({name: value for name, value in found.items() if name not in tables}, "setup.",
                      setup_keys(tuple(components)), here, mistakes, {"machines": MACHINE, **components})  # fmt: skip
    sections = {
        name: read_fields(read_table(found, name, "setup.", mistakes), f"setup.{name}.", keys, here, mistakes)
        for name, keys in components.items()
        if name in found
    }
    machines = _machines(own, found.keys(), read_table(found, "machines", "setup.", mistakes), here, mistakes)
    if mistakes.lines:
        raise ConfigError(mistakes.lines)
    plain = ("cluster", "engine", "without", "accept", "image_archive")
    rest: Fields = {name: own[name] for name in plain if name in own}
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
        machine = read_table(told, name, "setup.machines.", mistakes)
        single[name] = read_fields(machine, f"setup.machines.{shown(name, 80)}.", MACHINE, here, mistakes)
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

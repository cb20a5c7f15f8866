"""From a command line to a session: which cluster it is about, which of its machines, which components."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_setup.components import COMPONENTS, Component
from gpumon_setup.fleet import reached
from gpumon_setup.host import Passwords
from gpumon_setup.inventory import Inventory, NoHostlist, expanded, load_inventory
from gpumon_setup.verbs.options import SetupOptions, parted
from gpumon_setup.verbs.session import Session


def inventory_of(options: SetupOptions) -> Inventory:
    """The cluster that the configuration describes, with what was typed instead; raises ConfigError."""
    known = {component.name: component.keys for component in COMPONENTS}
    inventory = load_inventory(options.config_path, known)
    return replace(inventory, image_archive=Path(options.image_archive)) if options.image_archive else inventory


@contextmanager
def opened(options: SetupOptions) -> Generator[Session]:
    """A session for the work, and for no longer.

    Raises:
        ConfigError: the configuration has mistakes.
        UsageError: a machine or a component is not known.
    """
    inventory = inventory_of(options)
    components, limit = chosen_components(options.only), chosen_machines(inventory, options.limit_to)
    with reached(inventory, Passwords()) as fleet:
        yield Session(inventory, fleet, components, limit)


def chosen_components(names: Sequence[str]) -> tuple[Component, ...]:
    """Those named, in the order of deployment; all for none."""
    wanted = parted(names)
    _be_known("--only", "component", wanted, [component.name for component in COMPONENTS])
    return tuple(component for component in COMPONENTS if not wanted or component.name in wanted)


def chosen_machines(inventory: Inventory, hostlists: Sequence[str], flag: str = "--limit") -> frozenset[str]:
    """The machines that hostlists name; empty for none."""
    try:
        names = expanded(",".join(hostlists)) if hostlists else ()
    except NoHostlist as reason:
        raise UsageError(f"{flag} names no machines: {shown(str(reason), 120)}.") from None
    _be_known(flag, "machine", names, [machine.name for machine in inventory.machines])
    return frozenset(names)


def _be_known(flag: str, kind: str, names: Sequence[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            meant = f"did you mean {near[0]}?" if near else f"known are {shown(', '.join(known), 200)}."
            raise UsageError(f'{flag}: there is no {kind} "{shown(name, 80)}"; {meant}')

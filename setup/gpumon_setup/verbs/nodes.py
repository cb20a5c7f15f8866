"""What adding and removing nodes share: the configuration gets another list of them, and then the cluster follows."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from pathlib import Path

from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_setup.failures import SetupError
from gpumon_setup.inventory import CannotEdit, NoHostlist, Role, expanded, with_nodes
from gpumon_setup.inventory.model import Inventory
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.talk import accompany, is_agreed, narrate


def named(options: SetupOptions) -> tuple[str, ...]:
    """The nodes that were typed; raises UsageError."""
    try:
        return expanded(",".join(options.nodes))
    except NoHostlist as reason:
        raise UsageError(f"These are no names of machines: {shown(str(reason), 120)}.") from None


def nodes_of(inventory: Inventory) -> list[str]:
    """The names of all nodes."""
    return [machine.name for machine in inventory.machines if Role.NODE in machine.roles]


def rewritten(
    inventory: Inventory, nodes: Sequence[str], options: SetupOptions, addresses: Mapping[str, str] | None = None
) -> bool:
    """Shows how the configuration changes, asks, and writes it; False when that was not agreed to.

    Raises:
        SetupError: it has to be changed by hand.
    """
    file = inventory.file
    if file is None:  # an inventory that was read has one
        raise SetupError("There is no configuration.")
    before = file.read_text("utf-8")
    try:
        after = with_nodes(before, nodes, addresses=addresses)
    except CannotEdit as reason:
        raise SetupError(f"{file} cannot be edited: {shown(str(reason), 400)}") from None
    diff = unified_diff(before.splitlines(), after.splitlines(), f"{file} (now)", f"{file} (planned)", n=1, lineterm="")
    accompany([shown(line, 400) for line in diff], is_json=options.json)
    if not options.yes and not is_agreed(f"Write this to {file}?"):
        narrate("Nothing was done.")
        return False
    write(file, after)
    return True


def write(file: Path, text: str) -> None:
    """A file of this machine gets a content in one move, and keeps its mode; raises SetupError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_name(f".{file.name}.new")
        fresh.write_text(text, "utf-8")
        if file.exists():
            shutil.copymode(file, fresh)
        fresh.replace(file)
    except OSError as error:
        raise SetupError(f"{file} cannot be written ({error.strerror}).") from None

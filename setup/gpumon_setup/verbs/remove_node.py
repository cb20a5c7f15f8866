"""`gpumon setup remove-node`: what was made on nodes is taken away, and nobody asks for them any more."""

from __future__ import annotations

from dataclasses import replace

from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_setup.inventory import Role
from gpumon_setup.verbs import apply, uninstall
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.nodes import named, nodes_of, rewritten
from gpumon_setup.verbs.opening import inventory_of
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.talk import narrate


def run(options: SetupOptions) -> int:
    """First the nodes, as long as the configuration knows the way there; then the rest of the cluster."""
    inventory, names = inventory_of(options), named(options)
    nodes = nodes_of(inventory)
    if unknown := [name for name in names if name not in nodes]:
        raise UsageError(f"{shown(', '.join(unknown), 200)}: no such node.")
    rest = [name for name in nodes if name not in names]
    if not rest:
        raise UsageError("No node would be left. To take everything away: gpumon setup uninstall.")
    # A master or controller that is a node too keeps what it has for that.
    alone = [one.name for one in inventory.machines if one.name in names and one.roles == frozenset({Role.NODE})]
    code = int(uninstall.run(replace(options, limit_to=alone, only=()))) if alone else SetupCode.OK
    if code != SetupCode.OK and not options.force:
        narrate("The nodes stay in the configuration. If they are gone for good, take them out with --force.")
        return code
    if not rewritten(inventory, rest, options):
        return SetupCode.INCOMPLETE
    return max(code, apply.run(replace(options, limit_to=())))

"""`gpumon setup add-node`: nodes that came later get all that the others have; Prometheus runs on meanwhile."""

from __future__ import annotations

from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_setup.verbs import apply
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.nodes import named, nodes_of, rewritten
from gpumon_setup.verbs.opening import inventory_of
from gpumon_setup.verbs.options import SetupOptions


def run(options: SetupOptions) -> int:
    """Writes them into the configuration, and brings the cluster there."""
    inventory, names = inventory_of(options), named(options)
    nodes = nodes_of(inventory)
    if known := [name for name in names if name in nodes]:
        raise UsageError(f"{shown(', '.join(known), 200)}: there already. What is missing there: gpumon setup.")
    if options.address and len(names) > 1:
        raise UsageError("--address is for one node at a time.")
    addresses = dict.fromkeys(names, options.address) if options.address else {}
    if not rewritten(inventory, [*nodes, *names], options, addresses):
        return SetupCode.INCOMPLETE
    return apply.run(options)

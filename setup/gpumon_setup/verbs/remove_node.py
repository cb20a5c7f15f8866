"""`gpumon setup remove-node`: what was made on nodes is taken away, and nobody asks for them any more."""

from __future__ import annotations

from dataclasses import replace

from gpumon.errors import UsageError
from gpumon.text import shown
from gpumon_setup.inventory import Role
from gpumon_setup.plan import Plan, plan_lines
from gpumon_setup.verbs import apply, uninstall
from gpumon_setup.verbs import plan as planning
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.nodes import named, nodes_of, rewritten
from gpumon_setup.verbs.opening import inventory_of, opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.session import Session
from gpumon_setup.verbs.talk import accompany, narrate


def run(options: SetupOptions) -> int:
    """First the nodes, as long as the configuration knows the way there; then the rest, over the same connections."""
    inventory, names = inventory_of(options), named(options)
    nodes = nodes_of(inventory)
    if unknown := [name for name in names if name not in nodes]:
        raise UsageError(f"{shown(', '.join(unknown), 200)}: no such node.")
    rest = [name for name in nodes if name not in names]
    if not rest:
        raise UsageError("No node would be left. To take everything away: gpumon setup uninstall.")
    # A master or controller that is a node too keeps what it has for that.
    alone = frozenset(one.name for one in inventory.machines if one.name in names and one.roles <= {Role.NODE})
    shown_plans = _Plans()
    with opened(options) as session, session.alone():
        code = uninstall.taken_away(replace(session, limit=alone), options, shown_plans.show) if alone else SetupCode.OK
        if code != SetupCode.OK and not options.force:
            narrate("The nodes stay in the configuration. If they are gone for good, take them out with --force.")
        elif not rewritten(inventory, rest, options):
            code = SetupCode.INCOMPLETE
        else:
            left = Session(inventory_of(options), session.fleet, session.components)
            code = max(code, apply.brought_about(left, options, shown_plans.show))
    shown_plans.tell(options)
    return code


class _Plans:
    """What was planned for the nodes and what for the rest, which --json tells as one."""

    def __init__(self) -> None:
        self._plans: list[Plan] = []

    def show(self, plan: Plan, options: SetupOptions) -> None:
        """One of the two, for people."""
        self._plans.append(plan)
        accompany(plan_lines(plan, with_diffs=not options.no_diff), is_json=options.json)

    def tell(self, options: SetupOptions) -> None:
        """Both, for programs."""
        if options.json:
            hosts = tuple(host for plan in self._plans for host in plan.hosts)
            failures = {name: reason for plan in self._plans for name, reason in plan.failures.items()}
            planning.show(Plan(hosts, failures), options)

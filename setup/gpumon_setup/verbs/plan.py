"""`gpumon setup plan`: what would be done, with diffs, and nothing else."""

from __future__ import annotations

from gpumon_setup.plan import Plan, plan_json, plan_lines
from gpumon_setup.verbs.codes import SetupCode
from gpumon_setup.verbs.opening import opened
from gpumon_setup.verbs.options import SetupOptions
from gpumon_setup.verbs.talk import announce, put


def run(options: SetupOptions) -> int:
    """Shows the plan."""
    with opened(options) as session:
        announce(len(session.names))
        session.gather()
        plan = session.plan(allow_busy=options.allow_busy)
    show(plan, options)
    if options.check and plan.has_changes:
        return SetupCode.WOULD_CHANGE
    return plan_code(plan)


def show(plan: Plan, options: SetupOptions) -> None:
    """The plan on standard output."""
    put([plan_json(plan).rstrip()] if options.json else plan_lines(plan, with_diffs=not options.no_diff))


def plan_code(plan: Plan) -> SetupCode:
    """What the plan alone says about the end: changes that are yet to be made are no fault."""
    stuck = plan.failures or any(host.obstacles or host.held_back for host in plan.hosts)
    return SetupCode.INCOMPLETE if stuck else SetupCode.OK

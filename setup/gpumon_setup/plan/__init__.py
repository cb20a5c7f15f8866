"""What would be done to each machine: made without asking any, shown, and applied as shown."""

from gpumon_setup.plan.change import Change, HostPlan, Plan
from gpumon_setup.plan.planning import Wanted, plan_host, plan_uninstall, removal_look, still_to_see, wanted
from gpumon_setup.plan.showing import counted, plan_json, plan_lines
from gpumon_setup.plan.standing import Stand, Standing, standings
from gpumon_setup.plan.supplying import architecture_of, supplied

__all__ = [
    "Change",
    "HostPlan",
    "Plan",
    "Stand",
    "Standing",
    "Wanted",
    "architecture_of",
    "counted",
    "plan_host",
    "plan_json",
    "plan_lines",
    "plan_uninstall",
    "removal_look",
    "standings",
    "still_to_see",
    "supplied",
    "wanted",
]

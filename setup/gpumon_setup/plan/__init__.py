"""What would be done to each machine: made without asking any, shown, and applied as shown."""

from gpumon_setup.plan.change import Change, HostPlan, Plan
from gpumon_setup.plan.planning import Wanted, plan_host, plan_uninstall, removal_look, still_to_see, wanted
from gpumon_setup.plan.showing import plan_json, plan_lines

__all__ = [
    "Change",
    "HostPlan",
    "Plan",
    "Wanted",
    "plan_host",
    "plan_json",
    "plan_lines",
    "plan_uninstall",
    "removal_look",
    "still_to_see",
    "wanted",
]

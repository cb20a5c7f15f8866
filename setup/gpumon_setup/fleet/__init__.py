"""Many machines at once: how they are reached, what came of it on each, and who may."""

from gpumon_setup.fleet.fleet import Fleet, Outcomes
from gpumon_setup.fleet.lock import locked
from gpumon_setup.fleet.reaching import endpoint_of, reached

__all__ = ["Fleet", "Outcomes", "endpoint_of", "locked", "reached"]

"""Whether what was set up works, seen from its far end: by what the master's Prometheus holds."""

from gpumon_setup.verify.check import Check
from gpumon_setup.verify.verifying import Verifier

__all__ = ["Check", "Verifier"]

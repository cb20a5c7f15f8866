"""What needs a look in a snapshot, in words, the most urgent first."""

from gpumon.findings.finding import Finding, Level, worst
from gpumon.findings.found import findings

__all__ = ["Finding", "Level", "findings", "worst"]

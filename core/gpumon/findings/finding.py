"""What a finding is, and how urgent several are together."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

import msgspec

from gpumon.model import Severity


class Level(Enum):
    """How a cluster is, by the worst thing found in it."""

    OK = "ok"
    """Nothing was found."""
    NOTE = "note"
    """Something worth knowing; nobody has to act."""
    WARNING = "warning"
    """Somebody should have a look."""
    CRITICAL = "critical"
    """Something is broken, or about to break."""


_LEVELS = {Severity.NOTE: Level.NOTE, Severity.WARNING: Level.WARNING, Severity.ERROR: Level.CRITICAL}
_RANK = tuple(Level)


class Finding(msgspec.Struct, frozen=True):
    """One thing that needs a look."""

    severity: Severity
    """ERROR: broken, or about to break; WARNING: have a look; NOTE: worth knowing."""
    kind: str
    """Which check found it: "hot", "xid", "ecc", "remap", "throttled", "idle", "lost", "out_of_use", "silent",
    "memory", "disk", "alert" or "problem"."""
    subject: str
    """What it is about: "GPU 3 of gpu07", "gpu07", "job 4711", an alert's name."""
    part: str
    """The part of the snapshot it comes from: "gpus", "nodes", "slurm", "jobs", "alerts", "targets", "source"."""
    text: str
    """What is wrong and where, in one sentence without control characters."""
    advice: str = ""
    """What to do about it; may be empty."""
    node: str | None = None
    """The node to look at, when it is about one."""
    gpu: str | None = None
    """The key of the GPU to look at, when it is about one."""

    @property
    def level(self) -> Level:
        """How a cluster is in which this is the worst."""
        return _LEVELS[self.severity]


def worst(findings: Iterable[Finding]) -> Level:
    """How a cluster with these findings is; OK when there are none."""
    return max((finding.level for finding in findings), key=_RANK.index, default=Level.OK)

"""A program that Slurm runs on a node before or after each job, and what stays of it while Slurm still names it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gpumon_setup.facts import Record, State
from gpumon_setup.host import Action, WriteFile, digest_of
from gpumon_setup.resources.file import File
from gpumon_setup.resources.resource import Missing, remembered

NOTHING = (
    b"#!/bin/sh\n# gpumon is gone from here; this does nothing, for Slurm drains nodes on which it misses a program.\n"
)


@dataclass(frozen=True, slots=True)
class SlurmProgram(File):
    """A file that works only when Slurm runs it."""

    is_run: bool | None = None
    """Whether Slurm's configuration makes it run it; None when nobody tells."""


def leaving_nothing(record: Record, state: State, reason: str) -> tuple[Missing, tuple[Action, ...]]:
    """What makes a program do nothing that may not go yet; the record stays, so that a later run takes it away."""
    now = state.file(record.key)
    if now.digest == digest_of(NOTHING):
        return Missing(f"remove {record.key}", waits_for=reason), ()
    kept = replace(record, spec=digest_of(NOTHING))
    words = f"leave at {record.key} a program that does nothing: {reason}, and uninstall again"
    return Missing(words), (WriteFile(record.key, NOTHING, 0o755, was=now.digest), remembered(kept))

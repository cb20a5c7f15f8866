"""What the exporter expects to fail: each is one sentence that says what, where, and what to do.

Failure              ends the exporter with one sentence, exit code 1
├── BadOption        what was typed is wrong: exit code 2
└── NoAnswer         a command of Slurm told nothing: the reading goes on without it, or Slurm is down
"""

from __future__ import annotations


class Failure(Exception):
    """Something outside the exporter is not as it must be."""


class BadOption(Failure):
    """An option or an environment variable that cannot be used."""


class NoAnswer(Failure):
    """A command of Slurm that is missing, fails, hangs, or says what nobody understands."""

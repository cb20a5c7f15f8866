"""What the exit codes of `gpumon` mean; docs/exit-codes.md says the same to people."""

from __future__ import annotations

from enum import IntEnum

from gpumon.errors import ConfigError, GpumonError, UsageError


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    """Answered, and nothing needs a look."""
    FINDINGS = 1
    """Answered, and something needs a look."""
    USAGE = 2
    """The command line or the configuration is wrong; nothing was asked."""
    UNREACHABLE = 3
    """The source could not be reached, or holds nothing that answers the question."""
    INTERRUPTED = 130
    """Ctrl-C, as shells count it."""
    BROKEN_PIPE = 141
    """The reader of the output went away, as shells count it."""


class CheckCode(IntEnum):
    """How `gpumon status --warn/--crit` ends: the numbers that monitoring systems expect of a plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def exit_code_of(error: GpumonError) -> ExitCode:
    """The exit code that belongs to a failure."""
    return ExitCode.USAGE if isinstance(error, (UsageError, ConfigError)) else ExitCode.UNREACHABLE

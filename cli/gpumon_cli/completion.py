"""`gpumon completion SHELL`: the script that teaches a shell gpumon's commands and flags."""

from __future__ import annotations

from gpumon_cli.arguments import parser
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.terminal import write


def print_completion(shell: str) -> ExitCode:
    """Prints the script for `shell` ("bash", "zsh" or "fish")."""
    import shtab

    write(shtab.complete(parser(), shell=shell))
    return ExitCode.OK

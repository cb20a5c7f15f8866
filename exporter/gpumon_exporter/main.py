"""The entry point of `gpumon-slurm-exporter`, and the one place where a failure becomes a sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import IntEnum

from gpumon_exporter.failures import BadOption, Failure
from gpumon_exporter.log import one_line, to_standard_error
from gpumon_exporter.options import PROGRAM, Options, Parser, parse

GPU_MAP = "gpu-map"


class ExitCode(IntEnum):
    """How the exporter ended."""

    OK = 0
    FAILED = 1
    """A port that is taken, a certificate that cannot be read; with --once: Slurm does not answer."""
    USAGE = 2
    """What was typed, or set in the environment, is wrong."""
    BROKEN_PIPE = 141
    """The reader of the output went away, as shells count it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The `gpumon-slurm-exporter` command."""
    typed = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _gpu_map(typed[1:]) if typed[:1] == [GPU_MAP] else _export(parse(typed, os.environ))
    except BadOption as wrong:
        _complain(f"{wrong}; see {PROGRAM} --help")
        return ExitCode.USAGE
    except Failure as failure:
        _complain(str(failure))
        return ExitCode.FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains once more at its end
        return ExitCode.BROKEN_PIPE


def _export(options: Options) -> int:
    from gpumon_exporter.clock import Clock
    from gpumon_exporter.service import once, serve
    from gpumon_exporter.slurm.child import Children
    from gpumon_exporter.slurm.commands import Commands
    from gpumon_exporter.slurm.cycle import Scope, SlurmReader

    to_standard_error(options.log_level)
    children, clock = Children(), Clock()
    scope = Scope(
        max_pending=options.max_pending,
        finished_window=options.finished_window,
        with_names=not options.no_job_names,
        with_sacct=not options.no_sacct,
    )
    commands = Commands(options.slurm_bin, options.timeout, children.run, clock)
    reader = SlurmReader(commands, scope, children.stop, clock)
    return once(options, reader) if options.once else serve(options, reader)


def _gpu_map(typed: Sequence[str]) -> int:
    from gpumon_exporter.gpu_map import add_arguments, run

    parser = Parser(prog=f"{PROGRAM} {GPU_MAP}", allow_abbrev=False)
    add_arguments(parser)
    return run(parser.parse_args(list(typed)))


def _complain(sentence: str) -> None:
    sys.stderr.write(f"{PROGRAM}: {one_line(sentence)}\n")

"""The entry points of `gpumon` and `gpumon-tui`, and the one place where a failure becomes a sentence."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from gpumon import garbage
from gpumon.errors import GpumonError
from gpumon.text import shown
from gpumon_cli.arguments import LISTINGS, SETUP, Options, parse, parse_dashboard, parser
from gpumon_cli.exit_codes import CheckCode, ExitCode, exit_code_of
from gpumon_cli.terminal import Terminal, narrate, write


def main(arguments: Sequence[str] | None = None) -> int:
    """The `gpumon` command."""
    typed = sys.argv[1:] if arguments is None else list(arguments)
    return _ended("gpumon", lambda: _run(parse(typed)), is_check=_is_check(typed))


def dashboard(arguments: Sequence[str] | None = None) -> int:
    """The `gpumon-tui` command."""
    typed = sys.argv[1:] if arguments is None else list(arguments)
    return _ended("gpumon-tui", lambda: _dashboard(parse_dashboard(typed)))


def _run(options: Options) -> int:
    """Runs one command; imports no more than it needs."""
    if options.command == "status":
        from gpumon_cli.status import run_status

        return run_status(options)
    if options.command in LISTINGS:
        return _listing(options)
    if options.command == "job":
        from gpumon_cli.job import run_job

        return run_job(options)
    if options.command == "free":
        from gpumon_cli.free import run_free

        return run_free(options)
    if options.command == "doctor":
        from gpumon_cli.doctor import run_doctor

        return run_doctor(options)
    if options.command == "tui":
        return _dashboard(options)
    if options.command == "demo":
        from gpumon_cli.simulation import serve

        return serve(options)
    if options.command == SETUP:
        from gpumon_setup.command import run

        return run(options)
    if options.command == "completion":
        from gpumon_cli.completion import print_completion

        return print_completion(options.shell)
    narrate(parser().format_help().rstrip())
    return ExitCode.USAGE


def _listing(options: Options) -> int:
    from contextlib import closing

    from gpumon_cli import sources
    from gpumon_cli.answers import Watching, deliver
    from gpumon_cli.listings import put_listing

    screen = Terminal.of_stdout()
    settings = sources.settings_of(options)
    put, parts = put_listing(options, settings, screen)
    with closing(sources.source_of(options, settings)) as source:
        return deliver(source, parts, put, Watching(options.watch, settings.interval_seconds), screen)


def _dashboard(options: Options) -> int:
    from gpumon_cli.dashboard import open_dashboard

    return open_dashboard(options)


def _is_check(typed: Sequence[str]) -> bool:
    """True when a monitoring system asks: it reads standard output and takes 3 for "unknown"."""
    return "status" in typed and any(word.split("=")[0] in ("--warn", "--crit") for word in typed)


def _ended(program: str, command: Callable[[], int], *, is_check: bool = False) -> int:
    """The exit code of `command`; what gpumon expects to fail ends in a sentence, never in a traceback."""
    garbage.collect_rarely()
    try:
        return int(command())
    except BrokenPipeError:
        return ExitCode.BROKEN_PIPE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except GpumonError as error:
        sentence = "\n".join(shown(line) for line in str(error).splitlines())
        if is_check:
            write(f"UNKNOWN - {' '.join(sentence.split()).replace('|', '/')}\n")
            return CheckCode.UNKNOWN
        narrate(f"{program}: {sentence}")
        return exit_code_of(error)

"""`gpumon-tui` and `gpumon tui`: opens the dashboard on a terminal, and says what to use elsewhere."""

from __future__ import annotations

import sys

from gpumon.errors import UsageError
from gpumon_cli import sources
from gpumon_cli.arguments import Options


def open_dashboard(options: Options) -> int:
    """Runs the dashboard until it is left.

    Raises:
        UsageError: there is no terminal to draw on.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the dashboard needs a terminal; in a script or a pipe use `gpumon status`.")
    settings = sources.settings_of(options)
    import gpumon_tui

    # the simulation is for looking around: it always begins alike, and leaves nothing behind
    return gpumon_tui.run(lambda: sources.source_of(options, settings), settings, remember=not options.demo)

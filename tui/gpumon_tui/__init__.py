"""The dashboard: one Textual app over one source of snapshots."""

from __future__ import annotations

import os
from collections.abc import Callable

from gpumon import garbage
from gpumon.settings import Settings
from gpumon.source import ClusterSource


def run(source_factory: Callable[[], ClusterSource], settings: Settings, *, remember: bool = True) -> int:
    """Opens the dashboard and returns its exit code; with `remember` it begins as the last one ended.

    The source is made in a worker thread after the first frame, because what it imports takes longer than that.

    Raises:
        ConfigError: the settings want keys or columns that there are not.
    """
    from gpumon_tui.app import GpumonApp
    from gpumon_tui.deferred import DeferredSource
    from gpumon_tui.memory import Memory, memory_path
    from gpumon_tui.wishes import check

    check(settings)
    garbage.ignore()
    memory = Memory(memory_path(os.environ), settings.cluster) if remember and settings.tui.remember else None
    app = GpumonApp(DeferredSource(source_factory), settings, memory=memory)
    app.run()
    return app.return_code or 0

"""The dashboard: one Textual app over one source of snapshots."""

from __future__ import annotations

from collections.abc import Callable

from gpumon.settings import Settings
from gpumon.source import ClusterSource


def run(source_factory: Callable[[], ClusterSource], settings: Settings) -> int:
    """Opens the dashboard and returns its exit code.

    The source is made in a worker thread after the first frame, because what it imports takes longer than that.
    """
    from gpumon_tui.app import GpumonApp
    from gpumon_tui.deferred import DeferredSource

    app = GpumonApp(DeferredSource(source_factory), settings)
    app.run()
    return app.return_code or 0

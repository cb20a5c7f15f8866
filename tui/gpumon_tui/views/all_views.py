"""The views in the order of their number keys: imported once the first frame is on the screen, which shows none yet."""

from __future__ import annotations

from collections.abc import Sequence

from gpumon.settings import Settings
from gpumon_tui.views.alerts import AlertsView
from gpumon_tui.views.gpus import GpusView
from gpumon_tui.views.idle import IdleView
from gpumon_tui.views.jobs import JobsView
from gpumon_tui.views.nodes import NodesView
from gpumon_tui.views.overview import Overview
from gpumon_tui.views.view import View


def all_views(settings: Settings) -> Sequence[View]:
    """One of each."""
    return (
        Overview(settings),
        GpusView(settings),
        NodesView(settings),
        JobsView(settings),
        AlertsView(settings),
        IdleView(settings),
    )

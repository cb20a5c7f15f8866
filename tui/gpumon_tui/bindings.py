"""Every key of the dashboard and where it is valid: for the page of keys, and for keys of a user's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from textual.binding import Binding
from textual.dom import DOMNode

from gpumon_tui.app import GpumonApp
from gpumon_tui.screens.cluster import ClusterScreen
from gpumon_tui.screens.columns import ColumnPicker
from gpumon_tui.screens.detail import DetailScreen
from gpumon_tui.screens.framed import FramedScreen
from gpumon_tui.screens.gpu import GpuScreen
from gpumon_tui.screens.help import HelpScreen
from gpumon_tui.views.overview import Overview
from gpumon_tui.widgets.command_line import CommandLine
from gpumon_tui.widgets.filter_line import FilterLine
from gpumon_tui.widgets.gauges import GpuGauges
from gpumon_tui.widgets.heatmap import GpuHeatmap
from gpumon_tui.widgets.job_table import JobTable
from gpumon_tui.widgets.quality import DataQuality
from gpumon_tui.widgets.table import RowTable

PLACES: Mapping[str, tuple[type[DOMNode], ...]] = MappingProxyType({
    "Everywhere": (GpumonApp, FramedScreen),
    "On the cluster": (ClusterScreen,),
    "On the overview's map": (Overview, GpuHeatmap),
    "In tables": (RowTable,),
    "In tables of jobs": (JobTable,),
    "Among gauges": (GpuGauges,),
    "On the screen of a node, a GPU or a job": (DetailScreen, GpuScreen),
    "In the text on data quality": (DataQuality,),
    "While typing a filter": (FilterLine,),
    "While typing a command": (CommandLine,),
    "In the list of columns": (ColumnPicker,),
    "In the help": (HelpScreen,),
})  # fmt: skip
"""What has keys, by where it is in words."""


def bindings_of(*owners: type[DOMNode]) -> Iterator[Binding]:
    """The keys that these bring along themselves."""
    return (each for owner in owners for each in owner.BINDINGS if isinstance(each, Binding))

"""Every node in a table, with the GPUs of the chosen one."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget

from gpumon.columns import NODE_COLUMNS
from gpumon.model import Node
from gpumon_tui.messages import NodeChosen
from gpumon_tui.picture import Picture
from gpumon_tui.tones import node_tones
from gpumon_tui.views.table_view import TableView
from gpumon_tui.widgets.listing import Rows
from gpumon_tui.widgets.narrowing import arranged, narrowed
from gpumon_tui.widgets.node_gauges import NodeGauges
from gpumon_tui.widgets.remarks import PartRemarks
from gpumon_tui.widgets.table import RowTable
from gpumon_tui.wishes import own_columns

_WIDTHS = {
    "node": 14, "state": 13, "util": 5, "gpus": 4, "alloc": 5, "cpu": 5, "mem": 5, "disk": 5, "load": 7,
    "reason": 30, "rx": 11, "tx": 11, "uptime": 8, "age": 5,
}  # fmt: skip
"""What is asked for most is on the left, where a narrow terminal shows it."""


class NodesView(TableView):
    """One row per node, gauges below."""

    def parts(self) -> Iterable[Widget]:
        """What is wrong with node data, the table, the gauges."""
        settings = self.settings
        self._remarks = PartRemarks()
        rows = Rows(
            narrowed(NODE_COLUMNS, _WIDTHS),
            lambda node: node.name,
            node_tones(settings.thresholds),
            lambda node: node.is_stale,
            choosable=arranged(NODE_COLUMNS, _WIDTHS),
        )
        self._table = RowTable(rows, units=settings.units)
        self._gauges = NodeGauges(settings.thresholds, settings.units)
        self._table.show_columns(own_columns(self.settings, "nodes"))
        yield self._remarks
        yield self._table
        yield self._gauges

    @property
    def table(self) -> RowTable[Node]:
        """Nodes."""
        return self._table

    def show(self, picture: Picture) -> None:
        """Puts a picture on the table; the gauges follow its cursor."""
        self._remarks.put(self.problems_of("nodes", "slurm"))
        why = picture.snapshot.why_missing("nodes", "name")
        self._table.empty = "Waiting for the first data…" if picture.is_empty else f"No node to show: {why}."
        self._table.put(picture.snapshot.nodes, picture.snapshot)

    @on(RowTable.Chosen)
    def tell_node(self, event: RowTable.Chosen) -> None:
        """A node was chosen."""
        event.stop()
        self.post_message(NodeChosen(event.key))

    @on(RowTable.Moved)
    def show_node(self, event: RowTable.Moved) -> None:
        """The chosen node's GPUs."""
        self._gauges.put(event.key, self.picture.snapshot)

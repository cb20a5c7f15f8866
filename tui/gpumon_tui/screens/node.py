"""The screen of one node: what it is and how it stands, its GPUs as large as fits, and what it and they did."""

from __future__ import annotations

from collections.abc import Iterable

from textual.widget import Widget

from gpumon.settings import Settings
from gpumon.text import shown
from gpumon_tui.node_facts import facts_of
from gpumon_tui.picture import Picture
from gpumon_tui.screens.detail import DetailScreen
from gpumon_tui.widgets.facts import Fact, Facts
from gpumon_tui.widgets.history_chart import NODE_METRICS
from gpumon_tui.widgets.node_gauges import NodeGauges
from gpumon_tui.widgets.remarks import PartRemarks


class NodeScreen(DetailScreen):
    """One node by its name; when nothing tells of it any more the last picture of it stays, and says so."""

    metrics = NODE_METRICS

    def __init__(self, settings: Settings, label: str, node: str, trail: tuple[str, ...]) -> None:
        super().__init__(settings, label, trail)
        self.node = node
        self._remarks = PartRemarks()
        self._facts = Facts()
        self._gauges = NodeGauges(settings.thresholds, settings.units, may_be_tall=True)

    def parts(self) -> Iterable[Widget]:
        """From what it is to what it did."""
        yield self._remarks
        for part in (self._facts, self._gauges, self.charts):
            part.add_class("body")
            yield part

    @property
    def charted(self) -> tuple[str, ...]:
        """Its GPUs."""
        return tuple(gpu.key for gpu in self._gauges.gpus)

    @property
    def charted_nodes(self) -> tuple[str, ...]:
        """Itself."""
        return (self.node,)

    @property
    def copied(self) -> str:
        """Its name."""
        return self.node

    def show(self, picture: Picture) -> None:
        """Puts a picture on every part."""
        if picture.is_empty:
            return
        snapshot = picture.snapshot
        self._remarks.put([each for each in snapshot.problems if self.node in each.text])
        node = snapshot.node_by_name.get(self.node)
        if node is None:
            self._facts.put(((Fact("", f"Nothing tells of a node {shown(self.node, 40)} now.", "warm"),),))
            return
        self._facts.put(facts_of(node, snapshot, self.settings))
        self._gauges.put(node.name, snapshot)
        self.charts.put(self._gauges.gpus, None, snapshot.taken_at)

    def on_mount(self) -> None:
        """Its GPUs have the keys."""
        super().on_mount()
        self._gauges.focus()

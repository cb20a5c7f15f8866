"""The GPUs of one node as gauges, with who holds each of them."""

from __future__ import annotations

from textual.strip import Strip

from gpumon import units
from gpumon.model import ClusterSnapshot, Gpu, Node
from gpumon.settings import Thresholds
from gpumon.text import shown
from gpumon.units import MISSING, Units
from gpumon_tui.tones import state_tone
from gpumon_tui.widgets.gauges import GpuGauges, idle_words
from gpumon_tui.widgets.lines import joined


class NodeGauges(GpuGauges):
    """One line per GPU of the chosen node; the head says which node that is and how it stands."""

    def __init__(self, thresholds: Thresholds, shown_units: Units, *, may_be_tall: bool = False) -> None:
        super().__init__(thresholds, shown_units, may_be_tall=may_be_tall)
        self._node: Node | None = None

    def put(self, node: str, snapshot: ClusterSnapshot) -> None:
        """Shows the GPUs of `node`."""
        if self._node is None or self._node.name != node:
            self.scroll_to(y=0, animate=False)
        self._node = snapshot.node_by_name.get(node)
        self.show(snapshot.gpus_of(node), snapshot)

    def draw_head(self) -> Strip:
        """The node's name, its Slurm state and what its GPUs are."""
        node = self._node
        if node is None:
            return joined([("No node chosen", self.style("gauge--quiet"))])
        pieces = [(shown(node.name, 40), self.style("gauge--head"))]
        if node.slurm is not None and node.slurm.words:
            tone = state_tone(node) or "quiet"
            reason = f": {shown(node.slurm.reason)}" if node.slurm.reason and node.slurm.is_out_of_use else ""
            pieces.append((f"  {shown(node.slurm.words)}{reason}", self.style(f"gauge--{tone}")))
        models = sorted({shown(gpu.device.model).removeprefix("NVIDIA ") for gpu in self.gpus if gpu.device.model})
        if models:
            pieces.append((f"  {len(self.gpus)} × {', '.join(models)}", self.style("gauge--quiet")))
        return self.with_legend(pieces)

    def label(self, gpu: Gpu) -> str:
        """Its number on the node."""
        return gpu.device.number

    def note(self, gpu: Gpu) -> str:
        """Who holds it, and since when for nothing."""
        if not gpu.jobs:
            return MISSING if gpu.jobs is None else "free"
        users = self.snapshot.users_of(gpu)
        holders = shown(f"{','.join(users or ()) or MISSING} {','.join(gpu.jobs)}", 60)
        return f"{holders} {idle_words(gpu, self.snapshot)}".rstrip()

    def remark(self) -> str:
        """Why there is no GPU to show."""
        node = self._node
        if node is None:
            return ""
        configured = node.slurm.gpus_total if node.slurm else None
        if configured:
            return f"Slurm has {units.count(configured)} GPUs here, but no exporter tells of them."
        return "No exporter tells of a GPU here."

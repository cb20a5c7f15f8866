"""The GPUs that one job holds, on every node it runs on, as gauges."""

from __future__ import annotations

from textual.strip import Strip

from gpumon.model import ClusterSnapshot, Gpu, Job
from gpumon.settings import Thresholds
from gpumon.text import natural_key, shown
from gpumon.units import Units
from gpumon_tui.widgets.fitting import fit
from gpumon_tui.widgets.gauges import GpuGauges, idle_words
from gpumon_tui.widgets.lines import joined

_LONGEST_NAME = 16


class JobGauges(GpuGauges):
    """One line per GPU, node by node; the head counts them."""

    def __init__(self, thresholds: Thresholds, shown_units: Units, *, may_be_tall: bool = False) -> None:
        super().__init__(thresholds, shown_units, may_be_tall=may_be_tall)
        self._job: Job | None = None
        self._why_none = ""

    def put(self, job: Job, gpus: tuple[Gpu, ...], snapshot: ClusterSnapshot, why_none: str) -> None:
        """Shows the GPUs of a job; `why_none` is said when there are none."""
        self._job, self._why_none = job, why_none
        self.show(gpus, snapshot)

    def draw_head(self) -> Strip:
        """How many GPUs on which nodes."""
        if not self.gpus:
            return joined([("GPUs", self.style("gauge--head"))])
        nodes = sorted({gpu.node for gpu in self.gpus}, key=natural_key)
        where = shown(nodes[0], 40) if len(nodes) == 1 else f"{len(nodes)} nodes"
        pieces = [(f"{len(self.gpus)} GPU{'' if len(self.gpus) == 1 else 's'} on {where}", self.style("gauge--head"))]
        models = sorted({shown(gpu.device.model).removeprefix("NVIDIA ") for gpu in self.gpus if gpu.device.model})
        if models:
            pieces.append((f"  {', '.join(models)}", self.style("gauge--quiet")))
        return self.with_legend(pieces)

    def label(self, gpu: Gpu) -> str:
        """Node and number."""
        return f"{shown(gpu.node, _LONGEST_NAME)} {gpu.device.number}"

    def note(self, gpu: Gpu) -> str:
        """Since when it idles, and with whom it is shared."""
        mine = self._job.id if self._job else ""
        others = [job for job in gpu.jobs or () if job != mine]
        shared = f"shared with {shown(', '.join(others), 40)}" if others else ""
        return "  ".join(word for word in (idle_words(gpu, self.snapshot), shared) if word)

    def remark(self) -> str:
        """Why there is no GPU to show."""
        return fit(self._why_none, self.inner_width)

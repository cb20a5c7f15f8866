"""The GPUs of one node as bars with numbers: utilization, memory, temperature, power, and who holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual.strip import Strip

from gpumon import units
from gpumon.model import ClusterSnapshot, Gpu, Node
from gpumon.settings import Thresholds
from gpumon.text import shown
from gpumon.units import MISSING, Units
from gpumon_tui.heat import needs_a_person
from gpumon_tui.tones import heat_tone, state_tone, use_tone
from gpumon_tui.widgets.fitting import fit
from gpumon_tui.widgets.lines import Lines, joined

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HOTTEST_CELSIUS = 100.0
_EMPTY = ClusterSnapshot()


@dataclass(frozen=True, slots=True)
class _Widths:
    number: int
    use: int
    memory: int
    heat: int
    power: int

    @classmethod
    def within(cls, width: int) -> _Widths:
        """Bars as long as the width allows; temperature and power have a bar only where there is much room."""
        left = width - 5 - 6 - 10 - 7 - 8 - 14
        if left < 40:
            return cls(5, max(4, left * 3 // 5), max(4, left * 2 // 5), 0, 0)
        return cls(5, left * 3 // 10, left * 3 // 10, left // 5, left // 5)


class NodeGauges(Lines, can_focus=True):
    """One line per GPU of the chosen node; the head says which node that is and how it stands."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"gauge--{part}" for part in ("head", "good", "warn", "bad", "quiet", "memory", "power", "cool", "track", "old")
    }
    DEFAULT_CSS = """
    NodeGauges {
        .gauge--head { color: $primary; text-style: bold; }
        .gauge--good { color: $heat-7; }
        .gauge--warn { color: $warm; }
        .gauge--bad { color: $hot; text-style: bold; }
        .gauge--quiet { color: $quiet; }
        .gauge--memory { color: $memory; }
        .gauge--power { color: $power; }
        .gauge--cool { color: $cool; }
        .gauge--track { background: $track; }
        .gauge--old { color: $text-disabled; text-style: italic; }
    }
    """
    head_height = 1

    def __init__(self, thresholds: Thresholds, shown_units: Units, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._thresholds = thresholds
        self._units = shown_units
        self._snapshot = _EMPTY
        self._node: Node | None = None
        self._gpus: Sequence[Gpu] = ()
        self._head = Strip([])

    def put(self, node: str, snapshot: ClusterSnapshot) -> None:
        """Shows the GPUs of `node`."""
        if self._node is None or self._node.name != node:
            self.scroll_to(y=0, animate=False)
        self._snapshot, self._node = snapshot, snapshot.node_by_name.get(node)
        self._gpus = snapshot.gpus_of(node)
        self.extend_to(self.inner_width, max(1, len(self._gpus)))
        head = self.draw_head()
        if head != self._head:
            self._head = head
            self.redraw_head()
        self.redraw()

    def on_resize(self) -> None:
        """Another width, other bars."""
        self.extend_to(self.inner_width, max(1, len(self._gpus)))
        self.redraw_all()

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
        models = sorted({shown(gpu.device.model).removeprefix("NVIDIA ") for gpu in self._gpus if gpu.device.model})
        if models:
            pieces.append((f"  {len(self._gpus)} × {', '.join(models)}", self.style("gauge--quiet")))
        return joined(pieces)

    def draw(self, number: int) -> Strip:
        """One GPU."""
        if number >= len(self._gpus):
            return joined([(self._remark(), self.style("gauge--quiet"))] if number == 0 else [])
        gpu, told = self._gpus[number], self._units
        width = _Widths.within(self.inner_width)
        old = "old" if gpu.is_stale else ""
        use = use_tone(gpu, self._thresholds)
        heat = heat_tone(gpu.temperature_celsius, self._thresholds) or "cool"
        hot = gpu.temperature_celsius
        limit = gpu.detail.power_limit_watts
        power = None if gpu.power_watts is None or not limit else gpu.power_watts / limit
        alarm = "bad" if needs_a_person(gpu, self._thresholds) else ""
        return joined(
            [
                (fit(gpu.device.number, width.number), self.style(f"gauge--{old or alarm or 'quiet'}")),
                *self._bar(gpu.utilization, width.use, old or use or "good"),
                (fit(units.share(gpu.utilization), 5, right=True) + " ", self._number(old or use, gpu.utilization)),
                *self._bar(gpu.memory_share, width.memory, old or "memory"),
                (fit(told.size(gpu.memory_used_bytes), 9, right=True) + " ", self._number(old, gpu.memory_used_bytes)),
                *self._bar(None if hot is None else hot / _HOTTEST_CELSIUS, width.heat, old or heat),
                (fit(told.degrees(hot), 6, right=True) + " ", self._number(old or heat, hot)),
                *self._bar(power, width.power, old or "power"),
                (fit(units.watts(gpu.power_watts), 7, right=True) + " ", self._number(old, gpu.power_watts)),
                (self._holder(gpu), self.style(f"gauge--{old}") if old else self.style()),
            ]
        )

    def _number(self, tone: str, value: float | None) -> Style:
        name = "quiet" if value is None else {"cool": "", "good": ""}.get(tone, tone)
        return self.style(f"gauge--{name}") if name else self.style()

    def _bar(self, share: float | None, width: int, tone: str) -> list[tuple[str, Style]]:
        return [(bar(share, width), self.style("gauge--track", f"gauge--{tone}"))] if width else []

    def _holder(self, gpu: Gpu) -> str:
        users = self._snapshot.users_of(gpu)
        if gpu.jobs is None or users is None:
            return MISSING
        if not gpu.jobs:
            return "free"
        return shown(f"{','.join(users) or MISSING} {','.join(gpu.jobs)}", 60)

    def _remark(self) -> str:
        node = self._node
        if node is None:
            return ""
        configured = node.slurm.gpus_total if node.slurm else None
        if configured:
            told = f"Slurm has {units.count(configured)} GPUs here, but no exporter tells of them."
        else:
            told = "No exporter tells of a GPU here."
        return fit(told, self.inner_width)


def bar(share: float | None, width: int) -> str:
    """A bar of exactly `width` cells, to an eighth of a cell; blank when the share is unknown."""
    eighths = round(max(0.0, min(1.0, share or 0.0)) * width * 8)
    full, rest = divmod(eighths, 8)
    text = "█" * full + (_EIGHTHS[rest] if rest else "")
    return text.ljust(width)

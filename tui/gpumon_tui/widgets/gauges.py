"""GPUs as bars with numbers: utilization, memory, temperature, power, and a note on each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.strip import Strip

from gpumon import units
from gpumon.model import ClusterSnapshot, Gpu
from gpumon.settings import Thresholds
from gpumon.units import Units
from gpumon_tui.heat import needs_a_person
from gpumon_tui.tones import heat_tone, use_tone
from gpumon_tui.widgets.bar import bar
from gpumon_tui.widgets.fitting import fit, width_of
from gpumon_tui.widgets.lines import Lines, joined

_HOTTEST_CELSIUS = 100.0
_EMPTY = ClusterSnapshot()
_NUMBERS = 6 + 10 + 7 + 8
_NOTE = 22


@dataclass(frozen=True, slots=True)
class _Widths:
    label: int
    use: int
    memory: int
    heat: int
    power: int

    @classmethod
    def within(cls, width: int, label: int) -> _Widths:
        """Bars as long as the width allows; temperature and power have a bar only where there is much room."""
        left = width - label - _NUMBERS - _NOTE
        if left < 40:
            return cls(label, max(4, left * 3 // 5), max(4, left * 2 // 5), 0, 0)
        return cls(label, left * 3 // 10, left * 3 // 10, left // 5, left // 5)


class GpuGauges(Lines, can_focus=True):
    """One line per GPU, with a head above that stays."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"gauge--{part}" for part in ("head", "good", "warn", "bad", "quiet", "memory", "power", "cool", "track", "old")
    }
    DEFAULT_CSS = """
    GpuGauges {
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", "Down", show=False, id="gauges.down"),
        Binding("up,k", "scroll_up", "Up", show=False, id="gauges.up"),
        Binding("pagedown,ctrl+d,ctrl+f", "page_down", "Page down", show=False, id="gauges.page-down"),
        Binding("pageup,ctrl+u,ctrl+b", "page_up", "Page up", show=False, id="gauges.page-up"),
        Binding("home,g", "scroll_home", "Top", show=False, id="gauges.first"),
        Binding("end,G", "scroll_end", "Bottom", show=False, id="gauges.last"),
    ]
    head_height = 1

    def __init__(self, thresholds: Thresholds, shown_units: Units, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.snapshot = _EMPTY
        self.gpus: Sequence[Gpu] = ()
        self._thresholds = thresholds
        self._units = shown_units
        self._label_width = 1
        self._head = Strip([])

    @abstractmethod
    def label(self, gpu: Gpu) -> str:
        """Which GPU it is, at the beginning of its line."""

    @abstractmethod
    def note(self, gpu: Gpu) -> str:
        """What is said at the end of its line."""

    @abstractmethod
    def remark(self) -> str:
        """What is said when there is no GPU."""

    def show(self, gpus: Sequence[Gpu], snapshot: ClusterSnapshot) -> None:
        """Draws other GPUs, or the same ones with new numbers."""
        self.snapshot, self.gpus = snapshot, gpus
        self._label_width = 1 + max((width_of(self.label(gpu)) for gpu in gpus), default=4)
        self.extend_to(self.inner_width, max(1, len(gpus)))
        head = self.draw_head()
        if head != self._head:
            self._head = head
            self.redraw_head()
        self.redraw()

    def on_resize(self) -> None:
        """Another width, other bars."""
        self.extend_to(self.inner_width, max(1, len(self.gpus)))
        self.redraw_all()

    def draw(self, number: int) -> Strip:
        """One GPU."""
        if number >= len(self.gpus):
            text = fit(self.remark(), self.inner_width) if number == 0 else ""
            return joined([(text, self.style("gauge--quiet"))])
        gpu, told = self.gpus[number], self._units
        width = _Widths.within(self.inner_width, self._label_width)
        old = "old" if gpu.is_stale else ""
        use = use_tone(gpu, self._thresholds)
        heat = heat_tone(gpu.temperature_celsius, self._thresholds) or "cool"
        hot = gpu.temperature_celsius
        limit = gpu.detail.power_limit_watts
        power = None if gpu.power_watts is None or not limit else gpu.power_watts / limit
        alarm = "bad" if needs_a_person(gpu, self._thresholds) else ""
        note = old or ("warn" if gpu.idle_since is not None else "")
        return joined(
            [
                (fit(self.label(gpu), width.label), self.style(f"gauge--{old or alarm or 'quiet'}")),
                *self._bar(gpu.utilization, width.use, old or use or "good"),
                (fit(units.share(gpu.utilization), 5, right=True) + " ", self._number(old or use, gpu.utilization)),
                *self._bar(gpu.memory_share, width.memory, old or "memory"),
                (fit(told.size(gpu.memory_used_bytes), 9, right=True) + " ", self._number(old, gpu.memory_used_bytes)),
                *self._bar(None if hot is None else hot / _HOTTEST_CELSIUS, width.heat, old or heat),
                (fit(told.degrees(hot), 6, right=True) + " ", self._number(old or heat, hot)),
                *self._bar(power, width.power, old or "power"),
                (fit(units.watts(gpu.power_watts), 7, right=True) + " ", self._number(old, gpu.power_watts)),
                (self.note(gpu), self.style(f"gauge--{note}") if note else self.style()),
            ]
        )

    def _number(self, tone: str, value: float | None) -> Style:
        name = "quiet" if value is None else {"cool": "", "good": ""}.get(tone, tone)
        return self.style(f"gauge--{name}") if name else self.style()

    def _bar(self, share: float | None, width: int, tone: str) -> list[tuple[str, Style]]:
        return [(bar(share, width), self.style("gauge--track", f"gauge--{tone}"))] if width else []


def idle_words(gpu: Gpu, snapshot: ClusterSnapshot) -> str:
    """Since when a held GPU does nothing: "idle 65m"; empty when it works or is free."""
    return "" if gpu.idle_since is None else f"idle {units.age(snapshot.taken_at - gpu.idle_since)}"

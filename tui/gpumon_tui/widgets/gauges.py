"""GPUs as bars with numbers: utilization, memory, temperature, power, and a note on each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import msgspec
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from gpumon import units
from gpumon.model import ClusterSnapshot, Gpu
from gpumon.settings import Thresholds
from gpumon.units import Units
from gpumon_tui.heat import needs_a_person
from gpumon_tui.messages import GpuChosen
from gpumon_tui.tones import heat_tone, use_tone
from gpumon_tui.widgets.bar import bar
from gpumon_tui.widgets.fitting import fit, width_of
from gpumon_tui.widgets.lines import Lines, Pieces, fitting, joined

_HOTTEST_CELSIUS = 100.0
_EMPTY = ClusterSnapshot()
_NUMBERS = 6 + 10 + 7 + 8
_NOTE = 22
_TALLEST = 3
"""Two lines and a blank one."""


class _Widths(msgspec.Struct, frozen=True):
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
    """One line per GPU, with a head above that stays; where there is room and `may_be_tall`, two and a blank one."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"gauge--{part}"
        for part in ("head", "good", "warn", "bad", "quiet", "memory", "power", "cool", "track", "old", "cursor")
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
        .gauge--cursor { background: $cursor; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Next GPU", show=False, id="gauges.down"),
        Binding("up,k", "move(-1)", "Previous GPU", show=False, id="gauges.up"),
        Binding("pagedown,ctrl+d,ctrl+f", "page(1)", "Page down", show=False, id="gauges.page-down"),
        Binding("pageup,ctrl+u,ctrl+b", "page(-1)", "Page up", show=False, id="gauges.page-up"),
        Binding("home,g", "first", "First GPU", show=False, id="gauges.first"),
        Binding("end,G", "last", "Last GPU", show=False, id="gauges.last"),
        Binding("enter", "choose", "Open", key_display="Enter", id="gauges.choose", tooltip="Open the GPU"),
    ]
    head_height = 1

    def __init__(self, thresholds: Thresholds, shown_units: Units, *, may_be_tall: bool = False) -> None:
        super().__init__()
        self.snapshot = _EMPTY
        self.gpus: Sequence[Gpu] = ()
        self.cursor = 0
        """Index of the GPU that Enter opens; it is seen while the gauges have the keys."""
        self._thresholds = thresholds
        self._units = shown_units
        self._may_be_tall = may_be_tall
        self._lines_each = 1
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

    @property
    def copied(self) -> str:
        """The key of the GPU under the cursor."""
        return "" if self.selected is None else self.selected.key

    @property
    def selected(self) -> Gpu | None:
        """The GPU under the cursor."""
        return self.gpus[self.cursor] if self.cursor < len(self.gpus) else None

    def show(self, gpus: Sequence[Gpu], snapshot: ClusterSnapshot) -> None:
        """Draws other GPUs, or the same ones with new numbers; the cursor stays on its GPU."""
        was = self.selected
        self.snapshot, self.gpus = snapshot, gpus
        keys = [gpu.key for gpu in gpus]
        self.cursor = keys.index(was.key) if was is not None and was.key in keys else 0
        self._label_width = 1 + max((width_of(self.label(gpu)) for gpu in gpus), default=4)
        self._measure()
        head = self.draw_head()
        if head != self._head:
            self._head = head
            self.redraw_head()
        self.redraw()

    def action_move(self, gpus: int) -> None:
        """Moves the cursor."""
        self._move_to(self.cursor + gpus)

    def action_page(self, pages: int) -> None:
        """Moves the cursor by what is visible."""
        self._move_to(self.cursor + pages * max(1, self.seen_height // self._lines_each - 1))

    def action_first(self) -> None:
        """Moves to the first GPU."""
        self._move_to(0)

    def action_last(self) -> None:
        """Moves to the last GPU."""
        self._move_to(len(self.gpus) - 1)

    def action_choose(self) -> None:
        """Opens the GPU under the cursor."""
        if self.selected is not None:
            self.post_message(GpuChosen(self.selected.key))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, a second one chooses."""
        place = event.get_content_offset(self)
        line = None if place is None else self.line_at(place.y)
        if line is not None and line // self._lines_each < len(self.gpus):
            index = line // self._lines_each
            if index == self.cursor and event.chain > 1:
                self.action_choose()
            self._move_to(index)

    def on_resize(self) -> None:
        """Another size, other bars."""
        self._measure()
        self.redraw_all()

    def draw(self, number: int) -> Strip:
        """One line of one GPU."""
        index, part = divmod(number, self._lines_each)
        if index >= len(self.gpus):
            text = fit(self.remark(), self.inner_width) if number == 0 else ""
            return joined([(text, self.style("gauge--quiet"))])
        gpu = self.gpus[index]
        label = fit(self.label(gpu), self._label_width) if part == 0 else " " * self._label_width
        pieces: Pieces = [(label, self._label_style(gpu, is_cursor=index == self.cursor and part == 0))]
        if self._lines_each == 1:
            pieces += self._whole(gpu)
        elif part == 0:
            pieces += self._work(gpu)
        elif part == 1:
            pieces += self._rest(gpu)
        return joined(pieces)

    def _whole(self, gpu: Gpu) -> Pieces:
        """Everything in one line."""
        width = _Widths.within(self.inner_width, self._label_width)
        return [
            *self._use(gpu, width.use),
            *self._memory(gpu, width.memory),
            *self._heat(gpu, width.heat),
            *self._power(gpu, width.power),
            self._said(gpu),
        ]

    def _work(self, gpu: Gpu) -> Pieces:
        """How busy it is, and for whom."""
        return [*self._use(gpu, max(8, self.inner_width - self._label_width - 6 - 40)), self._said(gpu)]

    def _rest(self, gpu: Gpu) -> Pieces:
        """What else is measured."""
        left = max(8, self.inner_width - self._label_width - 40) - _NUMBERS + 6
        memory = max(4, left * 2 // 4)
        return [
            *self._memory(gpu, memory),
            *self._heat(gpu, max(4, left // 4)),
            *self._power(gpu, max(4, left // 4)),
            (self.details(gpu), self.style("gauge--quiet")),
        ]

    def with_legend(self, pieces: Pieces) -> Strip:
        """A head, and behind it what the bars mean, in their colours."""
        parts = (("good", "utilization"), ("memory", "memory"), ("cool", "temperature"), ("power", "power"))
        quiet = self.style("gauge--quiet")
        legend: list[Pieces] = [
            [("   ", quiet), ("█", self.style(f"gauge--{tone}")), (f" {word}", quiet)] for tone, word in parts
        ]
        return joined(fitting(pieces, legend if self.gpus else [], self.inner_width))

    def details(self, gpu: Gpu) -> str:
        """What is said at the end of its second line."""
        parts = (("SM", gpu.sm_active), ("tensor", gpu.tensor_active), ("DRAM", gpu.dram_active))
        return " ".join(f"{name} {units.share(value)}" for name, value in parts if value is not None)

    def _use(self, gpu: Gpu, width: int) -> Pieces:
        tone = use_tone(gpu, self._thresholds)
        text = fit(units.share(gpu.utilization), 5, right=True) + " "
        return self._gauge(gpu, gpu.utilization, width, tone or "good", text, tone, gpu.utilization)

    def _memory(self, gpu: Gpu, width: int) -> Pieces:
        text = fit(self._units.size(gpu.memory_used_bytes), 9, right=True) + " "
        return self._gauge(gpu, gpu.memory_share, width, "memory", text, "", gpu.memory_used_bytes)

    def _heat(self, gpu: Gpu, width: int) -> Pieces:
        hot = gpu.temperature_celsius
        tone = heat_tone(hot, self._thresholds) or "cool"
        text = fit(self._units.degrees(hot), 6, right=True) + " "
        return self._gauge(gpu, None if hot is None else hot / _HOTTEST_CELSIUS, width, tone, text, tone, hot)

    def _power(self, gpu: Gpu, width: int) -> Pieces:
        limit = gpu.detail.power_limit_watts
        share = None if gpu.power_watts is None or not limit else gpu.power_watts / limit
        text = fit(units.watts(gpu.power_watts), 7, right=True) + " "
        return self._gauge(gpu, share, width, "power", text, "", gpu.power_watts)

    def _gauge(
        self, gpu: Gpu, share: float | None, width: int, bar_tone: str, text: str, tone: str, value: float | None
    ) -> Pieces:
        """A bar and its number; the number is quiet where it is not known, and both are where they are old."""
        old = "old" if gpu.is_stale else ""
        name = "quiet" if value is None else {"cool": "", "good": ""}.get(old or tone, old or tone)
        number = (text, self.style(f"gauge--{name}") if name else self.style())
        if not width:
            return [number]
        return [(bar(share, width), self.style("gauge--track", f"gauge--{old or bar_tone}")), number]

    def _label_style(self, gpu: Gpu, *, is_cursor: bool) -> Style:
        alarm = "bad" if needs_a_person(gpu, self._thresholds) else "quiet"
        over = ("gauge--cursor",) if is_cursor and self.has_focus else ()
        return self.style(f"gauge--{'old' if gpu.is_stale else alarm}", *over)

    def _said(self, gpu: Gpu) -> tuple[str, Style]:
        tone = "old" if gpu.is_stale else "warn" if gpu.idle_since is not None else ""
        return self.note(gpu), self.style(f"gauge--{tone}") if tone else self.style()

    def _measure(self) -> None:
        """As many lines for each GPU as are there for all of them."""
        each = self.seen_height // max(1, len(self.gpus)) if self._may_be_tall else 1
        each = max(1, min(_TALLEST, each))
        if each != self._lines_each:
            self._lines_each = each
            self.redraw_all()
        self.extend_to(self.inner_width, max(1, len(self.gpus) * self._lines_each))

    def _move_to(self, index: int) -> None:
        if not self.gpus:
            return
        old, self.cursor = self.cursor, max(0, min(index, len(self.gpus) - 1))
        for place in (old, self.cursor):
            self.redraw_line(place * self._lines_each)
        self.show_line((self.cursor + 1) * self._lines_each - 1)
        self.show_line(self.cursor * self._lines_each)


def idle_words(gpu: Gpu, snapshot: ClusterSnapshot) -> str:
    """Since when a held GPU does nothing: "idle 65m"; empty when it works or is free."""
    return "" if gpu.idle_since is None else f"idle {units.age(snapshot.taken_at - gpu.idle_since)}"

"""Every GPU of the cluster in one cell each, node by node, in as many columns as fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gpumon.model import ClusterSnapshot, Gpu, Node
from gpumon.settings import Thresholds
from gpumon.text import shown
from gpumon.units import Units
from gpumon_tui.heat import ALARM, FREE, LEVELS, LOST, UNKNOWN, Cell, unseen
from gpumon_tui.idleness import is_idle
from gpumon_tui.messages import NodeChosen
from gpumon_tui.owners import OTHERS, Colouring, Owners, owners_of
from gpumon_tui.scales import UTILIZATION, HeatScale
from gpumon_tui.tones import state_tone
from gpumon_tui.widgets.cell_looks import CELL_LOOKS, cell_style
from gpumon_tui.widgets.fitting import fit
from gpumon_tui.widgets.lines import Lines, Pieces, fitting, joined

_LONGEST_NAME = 16
_MOST_CELLS = 32
_MEAN_WIDTH = 4
_GAP = "  "
_MOST_RUNS = 4096
_DIGITS = 2
_TROUBLES = ((ALARM, "see to it"), (LOST, "lost"), (UNKNOWN, "unknown"))
_MOST_HEIGHT = 0.6
"""Of its container: below are the gauges."""
_EMPTY = ClusterSnapshot()
_style_of = itemgetter(1)


class GpuHeatmap(Lines, can_focus=True):
    """Nodes with a cell per GPU; a cursor walks over the nodes."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"heat--{part}" for part in ("name", "warn", "bad", "mean", "legend", "cursor")
    }
    DEFAULT_CSS = """
    GpuHeatmap {
        .heat--name { color: $foreground; }
        .heat--warn { color: $warm; }
        .heat--bad { color: $hot; text-style: bold; }
        .heat--mean { color: $quiet; }
        .heat--legend { color: $quiet; }
        .heat--cursor { background: $cursor-blurred; }
        &:focus .heat--cursor { background: $cursor; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move_lines(1)", "Node below", show=False, id="heatmap.down"),
        Binding("up,k", "move_lines(-1)", "Node above", show=False, id="heatmap.up"),
        Binding("right,l", "move(1)", "Next node", show=False, id="heatmap.right"),
        Binding("left,h", "move(-1)", "Previous node", show=False, id="heatmap.left"),
        Binding("pagedown,ctrl+d,ctrl+f", "page(1)", "Page down", show=False, id="heatmap.page-down"),
        Binding("pageup,ctrl+u,ctrl+b", "page(-1)", "Page up", show=False, id="heatmap.page-up"),
        Binding("home,g", "first", "First node", show=False, id="heatmap.first"),
        Binding("end,G", "last", "Last node", show=False, id="heatmap.last"),
        Binding("enter", "choose", "Open", key_display="Enter", id="heatmap.choose", tooltip="Open the node"),
    ]
    head_height = 1

    @dataclass
    class Moved(Message):
        """The cursor is on this node, or its node has new numbers."""

        node: str
        """Its name; empty when there is no node."""

    def __init__(self, thresholds: Thresholds, shown_units: Units) -> None:
        super().__init__()
        self.cursor: int = 0
        """Index of the node under the cursor."""
        self.nodes: tuple[Node, ...] = ()
        self.empty = ""
        """What is said when no node has a GPU."""
        self.colouring = Colouring.METRIC
        self.scale = UTILIZATION
        """What cells show while they do not show owners."""
        self._owners = {Colouring.USER: Owners(), Colouring.JOB: Owners()}
        self._thresholds, self._units = thresholds, shown_units
        self._snapshot = _EMPTY
        self._chosen = ""
        self._is_moved = False
        self._columns, self._cell, self._cells, self._name_width = 1, 1, 1, 1
        self._titles: dict[str, str] = {}
        """Names as they are drawn."""
        self._runs: dict[tuple[Cell, ...], Pieces] = {}

    @property
    def copied(self) -> str:
        """The name of the node under the cursor."""
        return self._chosen

    @property
    def selected(self) -> Node | None:
        """The node under the cursor."""
        return self.nodes[self.cursor] if self.cursor < len(self.nodes) else None

    def put(self, nodes: Sequence[Node], snapshot: ClusterSnapshot) -> None:
        """Shows nodes; the cursor stays on its node."""
        self.nodes, self._snapshot = tuple(nodes), snapshot
        was = (self._columns, self._cell, self._cells, self._name_width)
        self._meet_owners()
        names = [node.name for node in nodes]
        if names != list(self._titles):
            texts = {name: shown(name) for name in names}
            self._name_width = min(_LONGEST_NAME, max(map(cell_len, texts.values()), default=1))
            self._titles = {name: fit(text, self._name_width) + " " for name, text in texts.items()}
        if not self._is_moved or not names:
            self.cursor = 0
        elif self._chosen in names:
            self.cursor = names.index(self._chosen)
        else:
            self.cursor = min(self.cursor, len(names) - 1)
        self._chosen = names[self.cursor] if names else ""
        self._measure()
        if was == (self._columns, self._cell, self._cells, self._name_width):
            self.redraw()
        else:
            self.redraw_all()
        self.post_message(self.Moved(self._chosen))

    def colour_by(self, colouring: Colouring) -> None:
        """Lets the colours tell something else."""
        self.colouring = colouring
        self._meet_owners()
        self.redraw_all()

    def show_scale(self, scale: HeatScale) -> None:
        """Lets the cells show a number."""
        self.colouring, self.scale = Colouring.METRIC, scale
        self.redraw_all()

    def action_move(self, nodes: int) -> None:
        """Moves along a line."""
        self._move_to(self.cursor + nodes)

    def action_move_lines(self, lines: int) -> None:
        """Moves between lines."""
        if 0 <= self.cursor + lines * self._columns < len(self.nodes):
            self._move_to(self.cursor + lines * self._columns)

    def action_page(self, pages: int) -> None:
        """Moves by what is visible."""
        self._move_to(self.cursor + pages * max(1, self.seen_height - 1) * self._columns)

    def action_first(self) -> None:
        """Moves to the first node."""
        self._move_to(0)

    def action_last(self) -> None:
        """Moves to the last node."""
        self._move_to(len(self.nodes) - 1)

    def action_choose(self) -> None:
        """Chooses the node under the cursor."""
        if self._chosen:
            self.post_message(NodeChosen(self._chosen))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor to the node, a second one chooses it."""
        place = event.get_content_offset(self)
        line = None if place is None else self.line_at(place.y)
        if place is not None and line is not None:
            column = min(place.x // (self._entry_width + len(_GAP)), self._columns - 1)
            index = line * self._columns + column
            if index < len(self.nodes):
                if index == self.cursor and event.chain > 1:
                    self.action_choose()
                self._move_to(index)

    def on_resize(self) -> None:
        """Another width holds another number of columns."""
        self._measure()
        self.redraw_all()
        self.show_line(self.cursor // self._columns)

    def notify_style_update(self) -> None:
        """Another theme has other colours."""
        super().notify_style_update()
        self._runs.clear()

    def part_style(self, name: str) -> Style:
        """Cells have their colours from the theme itself."""
        look = CELL_LOOKS.get(name)
        return super().part_style(name) if look is None else cell_style(look, self.app.theme_variables)

    def draw_head(self) -> Strip:
        """What the signs mean, or who the owners are."""
        if self.colouring is not Colouring.METRIC:
            return joined(self._owner_legend(self._owners[self.colouring]))
        quiet = self.style("heat--legend")
        legend = [
            [(self.scale.cells[level][0], self.style(self.scale.cells[level][1])), (f" {meaning}  ", quiet)]
            for level, meaning in (*self.scale.legend, *_TROUBLES)
        ]
        return joined(fitting([(f"{self.scale.name}:  ", quiet)], legend, self.inner_width + 2))

    def draw(self, number: int) -> Strip:
        """One line of nodes."""
        if not self.nodes:
            return joined([(fit(self.empty, self.inner_width), self.style("heat--legend"))] if number == 0 else [])
        first = number * self._columns
        pieces: Pieces = []
        for index in range(first, min(first + self._columns, len(self.nodes))):
            entry = self._entry(self.nodes[index], is_cursor=index == self.cursor)
            if index > first:
                pieces.append((_GAP, self.style() if index == self.cursor else entry[0][1]))
            pieces += entry
        return joined(pieces)

    @property
    def _entry_width(self) -> int:
        return self._name_width + 1 + self._cells * self._cell + (1 + _MEAN_WIDTH if self._has_means else 0)

    @property
    def _has_means(self) -> bool:
        """Where cells are so narrow that nodes hardly fit, more nodes are worth more than their means."""
        return self._cell > 1

    def _entry(self, node: Node, *, is_cursor: bool) -> Pieces:
        """Name, mean and cells."""
        tone, gpus = state_tone(node) or "name", self._snapshot.gpus_of(node.name)
        over = ("heat--cursor",) if is_cursor else ()
        pieces = [(self._titles[node.name], self.style(f"heat--{tone}", *over))]
        if self._has_means:
            pieces.append((fit(self._summary(gpus), _MEAN_WIDTH, right=True) + " ", self.style("heat--mean", *over)))
        return pieces + self._runs_of(self._cells_of(node, gpus))

    def _runs_of(self, cells: tuple[Cell, ...]) -> Pieces:
        """Cells as they are drawn, neighbours of one style as one; most nodes look like another."""
        pieces = self._runs.get(cells)
        if pieces is None:
            if len(self._runs) > _MOST_RUNS:
                self._runs.clear()
            pieces = self._runs[cells] = self._drawn(cells)
        return pieces

    def _drawn(self, cells: tuple[Cell, ...]) -> Pieces:
        is_cut = len(cells) > self._cells
        pieces: Pieces = [
            ("".join([sign.center(self._cell) for sign, _ in run]), self.style(style))
            for style, run in groupby(cells[: self._cells - is_cut], _style_of)
        ]
        if is_cut:
            pieces.append(("+".center(self._cell), self.style("heat--legend")))
        blank = " " * (self._cells - min(len(cells), self._cells)) * self._cell
        return [*pieces, (blank, self.style())] if blank else pieces

    def _cells_of(self, node: Node, gpus: Sequence[Gpu]) -> tuple[Cell, ...]:
        """What is drawn for each GPU of a node; for those that nobody sees too."""
        is_metric = self.colouring is Colouring.METRIC
        cells = self._scale_cells(gpus) if is_metric else [self._owner_cell(gpu) for gpu in gpus]
        return (*cells, *[UTILIZATION.cells[LOST]] * unseen(node, len(gpus)))

    def _scale_cells(self, gpus: Sequence[Gpu]) -> list[Cell]:
        """Signs of levels, or the numbers themselves where cells are wide."""
        scale, snapshot, thresholds = self.scale, self._snapshot, self._thresholds
        levels = scale.levels_of(gpus, snapshot, thresholds)
        cells = [scale.cells[level] for level in levels]
        if self._cell <= _DIGITS:
            return cells
        texts = [
            scale.text(gpu, snapshot, self._units) if level < LEVELS else ""
            for gpu, level in zip(gpus, levels, strict=True)
        ]
        return [(text or sign, style) for text, (sign, style) in zip(texts, cells, strict=True)]

    def _summary(self, gpus: Sequence[Gpu]) -> str:
        scale = UTILIZATION if self.colouring is not Colouring.METRIC else self.scale
        fresh = [gpu for gpu in gpus if not gpu.is_stale]
        return scale.summary(fresh, self._snapshot, self._units)

    def _owner_cell(self, gpu: Gpu) -> Cell:
        holders = owners_of(gpu, self._snapshot, self.colouring)
        if gpu.is_stale or holders is None or not holders:
            return UTILIZATION.cells[LOST if gpu.is_stale else UNKNOWN if holders is None else FREE]
        return self._owners[self.colouring].cell(holders, is_idle=is_idle(gpu, self._thresholds))

    def _owner_legend(self, owners: Owners) -> Pieces:
        """As many owners as fit, those with the most GPUs first, and how idle cells look."""
        quiet, end = self.style("heat--legend"), "a-z idle  · free"
        pieces = [(f"by {self.colouring.value}: ", quiet)]
        room = self.inner_width - len(pieces[0][0]) - len(end) - len("+999 ")
        left = len(owners.counts)
        for owner, count in owners.counts.items():
            text = f" {shown(owner, _LONGEST_NAME)} {count}  "
            if owners.letter(owner) == OTHERS or 1 + cell_len(text) > room:
                break
            sign, style = owners.cell((owner,), is_idle=False)
            pieces += [(sign, self.style(style)), (text, quiet)]
            room -= 1 + cell_len(text)
            left -= 1
        return [*pieces, (f"+{left} " if left else "", quiet), (end, quiet)]

    def _meet_owners(self) -> None:
        if self.colouring is not Colouring.METRIC:
            self._owners[self.colouring].meet(self._snapshot, self.colouring)

    def _measure(self) -> None:
        """How wide names and cells are, and how many columns that makes; it follows what rarely changes."""
        if not self.nodes or not self.size:
            return
        most = max(max(len(n.gpus), int((n.slurm and n.slurm.gpus_total) or 0)) for n in self.nodes)
        self._cells = max(1, min(_MOST_CELLS, most, self.inner_width - self._name_width - _MEAN_WIDTH - 2))
        around = self.parent.size.height if isinstance(self.parent, Widget) else self.size.height
        room = max(1, int(around * _MOST_HEIGHT) - self.head_height)
        for self._cell in (4, 2, 1):
            fitting = max(1, (self.inner_width + len(_GAP)) // (self._entry_width + len(_GAP)))
            needed = -(-len(self.nodes) // room)
            self._columns = min(fitting, needed)
            if self._entry_width <= self.inner_width and needed <= fitting:
                break
        self._runs.clear()
        self.extend_to(self.inner_width, -(-len(self.nodes) // self._columns))

    def _move_to(self, index: int) -> None:
        if not self.nodes:
            return
        old, self.cursor = self.cursor, max(0, min(index, len(self.nodes) - 1))
        self._chosen, self._is_moved = self.nodes[self.cursor].name, True
        self.redraw_line(old // self._columns)
        self.redraw_line(self.cursor // self._columns)
        self.show_line(self.cursor // self._columns)
        self.post_message(self.Moved(self._chosen))

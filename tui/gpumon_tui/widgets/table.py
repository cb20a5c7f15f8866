"""A table of any number of rows: sorted, filtered, with a cursor that stays on its row through every refresh."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from msgspec import structs
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from gpumon.columns import Column, by_key
from gpumon.model import ClusterSnapshot
from gpumon.units import MISSING, Units
from gpumon_tui.widgets.bar import bar
from gpumon_tui.widgets.fitting import fit, width_of
from gpumon_tui.widgets.lines import Lines, Pieces, joined
from gpumon_tui.widgets.listing import Listing, Rows
from gpumon_tui.widgets.ordering import Order
from gpumon_tui.widgets.widths import seen_widths, spread, starts_of

Row = TypeVar("Row")

_GAP = " "
_TONES = ("old", "missing", "good", "warn", "bad", "quiet")
_SHORTEST_BAR = 3
_ROOMY_FROM = 105
"""Cells from which on columns have their roomy widths."""


class RowTable(Lines, Generic[Row], can_focus=True):
    """Rows on the line API; the head names the columns, marks the sorted one, and sorts when it is clicked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"table--{part}" for part in ("head", "sorted", "cursor", "group", "track", "bar", *_TONES)
    }
    DEFAULT_CSS = """
    RowTable {
        .table--head { color: $quiet; text-style: bold; }
        .table--sorted { color: $primary; text-style: bold; }
        .table--cursor { background: $cursor-blurred; }
        .table--group { background: $panel; text-style: bold; }
        .table--track { background: $track; }
        .table--bar { color: $cool; }
        .table--old { color: $text-disabled; text-style: italic; }
        .table--missing { color: $text-disabled; }
        .table--quiet { color: $quiet; }
        .table--good { color: $success; }
        .table--warn { color: $warm; }
        .table--bad { color: $hot; text-style: bold; }
        &:focus .table--cursor { background: $cursor; text-style: bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Next row", show=False, id="table.down"),
        Binding("up,k", "move(-1)", "Previous row", show=False, id="table.up"),
        Binding("pagedown,ctrl+d,ctrl+f", "page(1)", "Page down", show=False, id="table.page-down"),
        Binding("pageup,ctrl+u,ctrl+b", "page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("home,g", "first", "First row", show=False, id="table.first"),
        Binding("end,G", "last", "Last row", show=False, id="table.last"),
        Binding("left,h", "columns(-1)", "Columns to the left", show=False, id="table.left"),
        Binding("right,l", "columns(1)", "Columns to the right", show=False, id="table.right"),
        Binding("enter", "choose", "Open", key_display="Enter", id="table.choose", tooltip="Open the row"),
        Binding("s", "sort_next", "Sort", id="table.sort", tooltip="Sort by the next column"),
        Binding("c", "choose_columns", "Columns", show=False, id="table.columns", tooltip="Choose the columns"),
        Binding("S", "reverse", "Reverse", show=False, id="table.reverse", tooltip="Turn the order round"),
    ]
    head_height = 1

    @dataclass
    class Moved(Message):
        """The cursor is on another row, or its row has new numbers."""

        table: RowTable[object]
        key: str
        """Of the row; empty when the table is."""

        @property
        def control(self) -> RowTable[object]:
            """The table, for selectors."""
            return self.table

    @dataclass
    class Chosen(Moved):
        """A row was chosen with Enter or a second click."""

    @dataclass
    class Counted(Message):
        """How many rows the filter left."""

        shown: int
        total: int

    def __init__(
        self,
        rows: Rows[Row],
        *,
        units: Units | None = None,
        empty: str = "",
        listing: Listing[Row] | None = None,
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(id=id)
        self.about = rows
        self.empty = empty
        """What is said when there is no row."""
        self.listing = listing or Listing(rows, units or Units())
        """What is shown."""
        self._usual = rows.columns
        self._widths = tuple(column.width for column in rows.columns)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self.listing.selected

    @property
    def counts(self) -> tuple[int, int]:
        """Rows that the filter left, and rows there are."""
        return self.listing.counts

    def put(self, rows: Sequence[Row], snapshot: ClusterSnapshot) -> None:
        """Shows new rows; the cursor stays on the row it was on, wherever that went."""
        with self.rearranging():
            self.listing.put(rows, snapshot)

    def set_filter(self, text: str) -> None:
        """Shows only rows that `text` wants.

        Raises:
            FilterError: the text is not a filter; the rows stay as they were.
        """
        with self.rearranging():
            self.listing.set_filter(text)

    def sort_by(self, key: str) -> None:
        """Sorts by a column, the other way round if it already is."""
        self._sort(self.listing.order.by(key))

    @property
    def own_columns(self) -> tuple[str, ...]:
        """The columns that were chosen, by their keys; () for the usual ones."""
        return () if self.about.columns == self._usual else tuple(column.key for column in self.about.columns)

    def show_columns(self, keys: Sequence[str] | None) -> None:
        """Shows these columns; the usual ones when none of them can be."""
        known = by_key(self.about.choosable)
        columns = tuple(known[key] for key in keys or () if key in known)
        self.about = structs.replace(self.about, columns=columns or self._usual)
        if self.is_attached:
            self.scroll_to(x=0, animate=False)
        self.on_resize()

    def arrange_as(self, sort: str, columns: Sequence[str], *, is_descending: bool) -> None:
        """Shows and sorts by columns that were chosen before; what there is no more is left out."""
        if columns:
            self.show_columns(columns)
        order = self.listing.order
        if any(column.key == sort for column in order.columns):
            self._sort(structs.replace(order, key=sort, is_descending=is_descending))

    @property
    def copied(self) -> str:
        """How the row under the cursor is named."""
        row = self.selected
        return "" if row is None else self.about.name(row)

    def put_cursor_on(self, key: str) -> None:
        """Moves the cursor to the row with this key, if it is shown."""
        place = self.listing.place_of(key)
        if place is not None:
            self._move_to(place)

    def action_move(self, rows: int) -> None:
        """Moves the cursor."""
        self._move_to(self.listing.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Moves the cursor by what is visible."""
        self._move_to(self.listing.cursor + pages * max(1, self.seen_height - 1))

    def action_first(self) -> None:
        """Moves to the first row."""
        self._move_to(0)

    def action_last(self) -> None:
        """Moves to the last row."""
        self._move_to(len(self.listing.shown) - 1)

    def action_columns(self, step: int) -> None:
        """Scrolls to the next column."""
        starts = starts_of(self._widths)
        left = self.scroll_offset.x
        ahead = [start for start in starts if start > left] if step > 0 else [0, *(s for s in starts if s < left)]
        if ahead:
            self.scroll_to(x=ahead[0] if step > 0 else ahead[-1], animate=False)

    def action_choose(self) -> None:
        """Chooses the row under the cursor."""
        if self.listing.key:
            self.post_message(self.Chosen(self, self.listing.key))  # type: ignore[arg-type]  # a message does not care of what

    def action_sort_next(self) -> None:
        """Sorts by the next column that is in sight, after the last one not at all."""
        starts, seen = starts_of(self._widths), len(self._seen_widths())
        columns = self.about.columns
        in_sight = [columns[place].key for place in range(seen) if starts[place] >= self.scroll_offset.x]
        self._sort(self.listing.order.next(in_sight))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where there are no other columns, there is nothing to choose."""
        if action == "choose_columns":
            return bool(self.about.choosable)
        return super().check_action(action, parameters)

    def action_choose_columns(self) -> None:
        """Lets the user choose."""
        from gpumon_tui.screens.columns import ColumnPicker

        known = [(column.key, column.title) for column in self.about.choosable]
        self.app.push_screen(ColumnPicker(known, [column.key for column in self.about.columns]), self.show_columns)

    def action_reverse(self) -> None:
        """Turns the order round."""
        self._sort(self.listing.order.reversed())

    def on_click(self, event: events.Click) -> None:
        """A click on the head sorts, one on a row moves the cursor, a second one chooses."""
        place = event.get_content_offset(self)
        number = None if place is None else self.line_at(place.y)
        if place is None:
            return
        if number is None:
            at = place.x + self.scroll_offset.x
            column = max((i for i, start in enumerate(starts_of(self._widths)) if start <= at), default=0)
            self.sort_by(self.about.columns[column].key)
        elif number < len(self.listing.shown):
            if number == self.listing.cursor and event.chain > 1:
                self.action_choose()
            self._move_to(number)

    def on_resize(self) -> None:
        """Text columns share the room that is left."""
        columns, roomy = self.about.columns, self.about.roomy
        is_roomy = self.inner_width >= _ROOMY_FROM
        widths = [roomy.get(each.key, each.width) if is_roomy else each.width for each in columns]
        self._widths = spread(widths, [not column.is_number for column in columns], self.inner_width)
        self.extend_to(sum(self._widths) + len(self._widths) - 1, len(self.listing.shown))
        self.redraw_all()
        self.show_line(self.listing.cursor)

    def draw_head(self) -> Strip:
        """The columns' names; a mark at the right where there are more."""
        pieces: Pieces = []
        seen, order = self._seen_widths(), self.listing.order
        for column, width in zip(self.about.columns, seen, strict=False):
            is_sorted = column.key == order.key
            mark = "" if not is_sorted else "▼" if order.is_descending else "▲"
            title = column.title[: width - len(mark)] + mark
            style = self.style("table--sorted" if is_sorted else "table--head")
            is_right = column.is_number and column.key not in self.about.words
            pieces.append((fit(title, width, right=is_right), style))
            pieces.append((_GAP, self.style()))
        if seen == self._widths:
            return joined(pieces)
        head = joined(pieces).crop_extend(0, self._right - 1, self.style())
        return Strip.join([head, joined([("›", self.style("table--sorted"))])])

    def draw(self, number: int) -> Strip:
        """One row."""
        listing = self.listing
        if number >= len(listing.shown):
            return joined([(self._remark(), self.style("table--quiet"))] if number == 0 else [])
        row, about = listing.shown[number], self.about
        is_group, is_cursor = about.is_group(row), number == listing.cursor
        over = ("table--group",) * is_group + ("table--cursor",) * is_cursor
        pieces: Pieces = []
        gap = self.style(*over)
        for column, width in zip(about.columns, self._seen_widths(), strict=False):
            *before, (text, style) = self._cell(row, column, width, over)
            # a blank has no colour of its own: in the style of the text before it, it costs the terminal one byte
            pieces += [*before, (text + _GAP, style)]
        return joined(pieces).crop_extend(0, self._right, gap)

    def _cell(self, row: Row, column: Column[Row], width: int, over: tuple[str, ...]) -> Pieces:
        """A text, or a bar and a text, in exactly `width` cells."""
        about, snapshot = self.about, self.listing.snapshot
        text = column.text(row, snapshot, self.listing.units)
        if text == MISSING:
            name = "missing"
        elif about.is_old(row):
            name = "old"
        else:
            tone = about.tones.get(column.key)
            name = tone(row, snapshot) if tone else ""
        style = self.style(f"table--{name}", *over) if name else self.style(*over)
        drawn = about.bars.get(column.key)
        share = drawn.share(row, snapshot) if drawn else None
        if drawn is None or share is None or width < drawn.text_width + _SHORTEST_BAR:
            return [(fit(text, width, right=column.is_number and column.key not in about.words), style)]
        filled = self.style(*over, "table--track", f"table--{name or 'bar'}")
        return [
            (bar(share, width - drawn.text_width), filled),
            (fit(text, drawn.text_width, right=True), style),
        ]

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        """Other columns are drawn whole."""
        super().watch_scroll_x(old_value, new_value)
        self.redraw_all()

    @property
    def _right(self) -> int:
        """The cell behind the last one that is seen."""
        return self.scroll_offset.x + self.inner_width

    def _seen_widths(self) -> tuple[int, ...]:
        about = self.about
        may_be_cut = [not column.is_number or column.key in about.words for column in about.columns]
        return seen_widths(self._widths, may_be_cut, self._right)

    def _remark(self) -> str:
        text = "Nothing matches the filter." if self.listing.all else self.empty
        return fit(text, self.inner_width) if width_of(text) > self.inner_width else text

    def _sort(self, order: Order[Row]) -> None:
        with self.rearranging():
            self.listing.set_order(order)
        self.redraw_head()
        self.show_line(self.listing.cursor)

    @contextmanager
    def rearranging(self) -> Generator[None, None, None]:
        """Around a change of rows or order: a cursor that was in sight stays in sight, and only changes are painted."""
        was_seen = self.is_seen(self.listing.cursor)
        yield
        self.extend_to(self.virtual_size.width, len(self.listing.shown))
        if was_seen and self.is_attached:
            self.show_line(self.listing.cursor)
        self.redraw()
        self.post_message(self.Counted(*self.counts))
        self._tell()

    def _move_to(self, index: int) -> None:
        old = self.listing.cursor
        self.listing.move_to(index)
        self.redraw_line(old)
        self.redraw_line(self.listing.cursor)
        self.show_line(self.listing.cursor)
        self._tell()

    def _tell(self) -> None:
        moved = self.Moved(self, self.listing.key)  # type: ignore[arg-type]  # a message does not care of what
        self.post_message(moved)

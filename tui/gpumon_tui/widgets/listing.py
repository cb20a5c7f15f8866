"""What a table shows, without how: rows filtered and sorted, and a cursor that stays on its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Generic, TypeAlias, TypeVar

import msgspec

from gpumon.columns import Column
from gpumon.filters import Filter, parse_filter
from gpumon.model import ClusterSnapshot
from gpumon.units import Units
from gpumon_tui.widgets.ordering import Order

Row = TypeVar("Row")
Tone: TypeAlias = "Callable[[Row, ClusterSnapshot], str]"
"""Which of the table's tones a cell has: "good", "warn", "bad", "quiet" or ""."""
Share: TypeAlias = "Callable[[Row, ClusterSnapshot], float | None]"
"""How long a cell's bar is, 0 to 1; None for no bar."""


class Bar(msgspec.Struct, Generic[Row], frozen=True):
    """A bar that stands before the text of a cell."""

    share: Share[Row]
    text_width: int = 5
    """Cells for the text behind it."""


class Rows(msgspec.Struct, Generic[Row], frozen=True):
    """What a table is about: its columns and how its rows are told apart."""

    columns: tuple[Column[Row], ...]
    key: Callable[[Row], str]
    """Unique and stable: the cursor follows it."""
    tones: Mapping[str, Tone[Row]]
    """How the cells of a column are coloured, by the column's key."""
    is_old: Callable[[Row], bool] = lambda _: False
    """True for a row whose numbers are old: it is dimmed."""
    bars: Mapping[str, Bar[Row]] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """Columns in which a bar stands before the text, where they are wide enough for it."""
    roomy: Mapping[str, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    """How wide columns are that deserve more where the terminal is wide."""
    words: frozenset[str] = frozenset()
    """Columns of numbers in which words may stand too: they are cut like a text."""
    copied: Callable[[Row], str] | None = None
    """What a key copies of a row; its key where there is nothing better."""
    filtered_by: tuple[Column[Row], ...] = ()
    """Columns that a filter may speak of although they are not shown."""
    choosable: tuple[Column[Row], ...] = ()
    """Every column that may be shown instead; () when nobody can choose."""
    is_group: Callable[[Row], bool] = lambda _: False
    """True for a row that stands for those below it: it is set off."""

    def name(self, row: Row) -> str:
        """How a row is named outside of gpumon."""
        return (self.copied or self.key)(row)


class Listing(Generic[Row]):
    """Rows as they are to be shown; the cursor is at the top until somebody moves it, and then keeps its row."""

    def __init__(self, about: Rows[Row], units: Units) -> None:
        self.about = about
        self.units = units
        self.filtered_by: tuple[Column[Row], ...] = about.filtered_by or about.columns
        """The columns that a filter may speak of."""
        self.order: Order[Row] = Order(about.choosable or about.columns)
        self.shown: tuple[Row, ...] = ()
        """Filtered and sorted."""
        self.all: Sequence[Row] = ()
        """As they came."""
        self.snapshot = ClusterSnapshot()
        """What they belong to."""
        self.cursor = 0
        """Index in `shown`."""
        self.key = ""
        """Of the row under the cursor; empty when there is none."""
        self._filter: Filter[Row] | None = None
        self._is_moved = False

    @property
    def counts(self) -> tuple[int, int]:
        """Rows that the filter left, and rows there are."""
        return len(self.shown), len(self.all)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self.shown[self.cursor] if self.cursor < len(self.shown) else None

    def put(self, rows: Sequence[Row], snapshot: ClusterSnapshot) -> None:
        """Takes new rows; the cursor stays on the row it was on, wherever that went."""
        self.all, self.snapshot = rows, snapshot
        self.arrange()

    def set_filter(self, text: str) -> None:
        """Shows only rows that `text` wants.

        Raises:
            FilterError: the text is not a filter; the rows stay as they were.
        """
        parsed = parse_filter(text, self.filtered_by, self.units)
        self._filter = None if parsed.is_empty else parsed
        self.arrange()

    def set_order(self, order: Order[Row]) -> None:
        """Sorts otherwise."""
        self.order = order
        self.arrange()

    def arrange(self) -> None:
        """Filters and sorts anew; the cursor stays on its row."""
        self.shown = tuple(self.order.sorted(self.wanted(), self.snapshot))
        self._follow()

    def wanted(self) -> Sequence[Row]:
        """Those rows that the filter wants, as they came."""
        wanted, snapshot = self._filter, self.snapshot
        return self.all if wanted is None else [row for row in self.all if wanted.matches(row, snapshot)]

    def move_to(self, index: int) -> None:
        """Puts the cursor on a row, or on the nearest there is."""
        if self.shown:
            self.cursor = max(0, min(index, len(self.shown) - 1))
            self.key, self._is_moved = self.about.key(self.shown[self.cursor]), True

    def place_of(self, key: str) -> int | None:
        """Where the row with this key is shown; None when it is not."""
        return next((index for index, row in enumerate(self.shown) if self.about.key(row) == key), None)

    def _follow(self) -> None:
        if not self.shown:
            self.cursor, self.key = 0, ""
            return
        here = self.selected
        if not self._is_moved:
            self.cursor = 0
        elif here is None or self.about.key(here) != self.key:
            found = self.place_of(self.key)
            self.cursor = min(self.cursor, len(self.shown) - 1) if found is None else found
        self.key = self.about.key(self.shown[self.cursor])

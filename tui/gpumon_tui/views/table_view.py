"""What views have in common whose main rows are a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from gpumon_tui.memory import KeptView
from gpumon_tui.views.view import View
from gpumon_tui.widgets.table import RowTable


class TableView(View):
    """A view that filters, sorts and counts the rows of one of its tables."""

    @property
    @abstractmethod
    def table(self) -> RowTable[Any]:
        """The table with the main rows."""

    def _arrangement(self) -> KeptView:
        order = self.table.listing.order
        return structs.replace(
            super()._arrangement(),
            sort=order.key,
            is_descending=order.is_descending,
            columns=self.table.own_columns,
        )

    def _arrange(self, kept: KeptView) -> None:
        super()._arrange(kept)
        self.table.arrange_as(kept.sort, kept.columns, is_descending=kept.is_descending)

    def apply_filter(self, text: str) -> None:
        """Leaves only rows that the filter wants."""
        self.table.set_filter(text)

    def focus_rows(self) -> None:
        """The table has the keys."""
        self.table.focus()

    @property
    def counts(self) -> tuple[int, int]:
        """The table's rows."""
        return self.table.counts

    @property
    def sort_keys(self) -> Sequence[str]:
        """The table's columns, those too that are not shown."""
        return [column.key for column in self.table.listing.order.columns]

    def sort_by(self, key: str) -> None:
        """Sorts the table by a column."""
        self.table.sort_by(key)

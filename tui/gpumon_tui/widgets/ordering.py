"""By which column a table is sorted, and how that changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import structs

from gpumon.columns import Column
from gpumon.filters import sort_rows
from gpumon.model import ClusterSnapshot

Row = TypeVar("Row")


class Order(msgspec.Struct, Generic[Row], frozen=True):
    """The order of a table's rows; without a key they stay as they come."""

    columns: tuple[Column[Row], ...]
    key: str = ""
    """Of the column that is sorted by; empty for none."""
    is_descending: bool = False

    def by(self, key: str) -> Order[Row]:
        """Sorted by that column, the other way round if it already is; numbers begin with the largest."""
        if key == self.key:
            return self.reversed()
        column = next(column for column in self.columns if column.key == key)
        return structs.replace(self, key=key, is_descending=column.is_number)

    def next(self, keys: Sequence[str]) -> Order[Row]:
        """Sorted by the next of these columns; after the last one, as the rows come."""
        place = keys.index(self.key) + 1 if self.key in keys else 0
        return self.by(keys[place]) if place < len(keys) else structs.replace(self, key="", is_descending=False)

    def reversed(self) -> Order[Row]:
        """The other way round."""
        return structs.replace(self, is_descending=not self.is_descending)

    def sorted(self, rows: Sequence[Row], snapshot: ClusterSnapshot) -> Sequence[Row]:
        """The rows in this order; unknown values last."""
        column = next((column for column in self.columns if column.key == self.key), None)
        if column is not None:
            return sort_rows(rows, column, snapshot, descending=self.is_descending)
        return rows[::-1] if self.is_descending else rows

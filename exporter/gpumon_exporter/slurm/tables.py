"""Tables of squeue, sinfo and sacct whose columns end with a word that was made up for this one call.

Whoever names a job or writes a reason cannot know that word, so no text can end its column early or begin a record,
whatever it holds; and the width of a column never matters.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from gpumon_exporter.failures import NoAnswer

T = TypeVar("T")


def new_token() -> str:
    """A word that nobody can guess; it does not begin with a digit, which squeue would take for a width."""
    return f"|{secrets.token_hex(6)}"


def columns(fields: Sequence[str], token: str) -> str:
    """What to write behind -O of squeue and sinfo: each field in its full width, with the word behind it."""
    return ",".join(f"{field}:{token}" for field in fields)


class Table(Generic[T]):
    """Takes such a table apart while it is printed."""

    def __init__(self, width: int, token: str, take: Callable[[Sequence[str]], None], result: Callable[[], T]) -> None:
        """A table of so many columns whose rows go to `take`; at its end `result` says what they are."""
        self._width = width
        self._token = token
        self._take = take
        self._result = result
        self._fields: list[str] = []
        self._rest = ""
        self._is_first = True

    def feed(self, text: str) -> None:
        """Takes the next piece of it."""
        *fields, self._rest = (self._rest + text).split(self._token)
        self._fields.extend(fields)
        whole = len(self._fields) - len(self._fields) % self._width
        for start in range(0, whole, self._width):
            self._take(self._row(self._fields[start : start + self._width]))
        del self._fields[:whole]

    def done(self) -> T:
        """What the rows are."""
        if self._fields or self._rest.strip("\n"):
            raise NoAnswer("its answer ends in the middle of a record")
        return self._result()

    def _row(self, row: list[str]) -> list[str]:
        """A row without the end of the line before it."""
        if self._is_first:
            self._is_first = False
        elif row[0].startswith("\n"):
            row[0] = row[0][1:]
        else:
            raise NoAnswer("its answer has other columns than were asked for")
        return row

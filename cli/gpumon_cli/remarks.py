"""Remarks beside an answer: that it is simulated, what is missing or old in it, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from gpumon.columns import Column
from gpumon.model import ClusterSnapshot, Gpu, Node, Severity
from gpumon.text import shown
from gpumon.units import MISSING, Units, age

Row = TypeVar("Row")

_UNITS = Units()
_MARKS = {Severity.NOTE: "·", Severity.WARNING: "!", Severity.ERROR: "✗"}


def demo_line(snapshot: ClusterSnapshot) -> tuple[str, ...]:
    """The line that stands first wherever simulated numbers are shown."""
    return (f"DEMO – simulated data, no real cluster ({shown(snapshot.source)})",) if snapshot.is_simulated else ()


def ended(reason: str) -> str:
    """A reason at the end of a sentence; some bring their own full stop."""
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."


def remarks_on(
    snapshot: ClusterSnapshot, concerns: Sequence[str], rows: Sequence[Row], columns: Sequence[Column[Row]]
) -> tuple[str, ...]:
    """Problems of the parts concerned, rows that are old, and the reason behind every dash; each said once."""
    said = [
        f"{_MARKS[problem.severity]} {shown(problem.text)}{' ' + shown(problem.advice) if problem.advice else ''}"
        for problem in snapshot.problems
        if problem.part in (*concerns, "source")
    ]
    return tuple(dict.fromkeys([*said, *_old(snapshot, rows), *_missing(snapshot, rows, columns)]))


def _old(snapshot: ClusterSnapshot, rows: Sequence[Row]) -> list[str]:
    ages: dict[str, float | None] = {}
    for row in rows:
        if isinstance(row, (Gpu, Node)) and row.is_stale:
            name = row.node if isinstance(row, Gpu) else row.name
            ages[name] = None if row.sampled_at is None else snapshot.taken_at - row.sampled_at
    if not ages:
        return []
    names = ", ".join(f"{shown(name)} ({age(seconds)})" for name, seconds in list(ages.items())[:5])
    more = f" and {len(ages) - 5} more" if len(ages) > 5 else ""
    return [f"! old numbers, with their age: {names}{more}"]


def _missing(snapshot: ClusterSnapshot, rows: Sequence[Row], columns: Sequence[Column[Row]]) -> list[str]:
    titles: dict[str, list[str]] = {}
    for column in columns:
        if column.missing and any(_is_unknown(row, column, snapshot) for row in rows):
            reason = snapshot.why_missing(column.part, column.missing)
            titles.setdefault(reason, []).append(column.title)
    return [f"{MISSING} in {', '.join(names)}: {shown(reason)}" for reason, names in titles.items()]


def _is_unknown(row: Row, column: Column[Row], snapshot: ClusterSnapshot) -> bool:
    """True when a dash means "not known"; a blank stands where the question does not arise."""
    return column.value(row, snapshot) is None and column.text(row, snapshot, _UNITS) != ""

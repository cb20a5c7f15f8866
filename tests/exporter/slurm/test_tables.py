"""Nobody who chooses a text in a table can end its column, or begin a record, whatever the text holds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm.tables import Table, columns, new_token

TOKEN = "|0f9bd2c4a781"

anything = st.text(alphabet=st.one_of(st.sampled_from('|\n,:0f9b \x1b\\"='), st.characters(exclude_categories=["Cs"])))
hostile = st.one_of(anything, st.sampled_from(["\n", f"{TOKEN[:-1]}\n", "\n7|8|9", "x" + TOKEN[1:], TOKEN[:5]]))


def table(width: int, token: str = TOKEN) -> tuple[Table[None], list[Sequence[str]]]:
    """A table, and the rows that it hands out."""
    rows: list[Sequence[str]] = []
    return Table(width, token, rows.append, lambda: None), rows


def printed(rows: Sequence[Sequence[str]], token: str = TOKEN) -> str:
    """Rows as squeue prints them."""
    return "".join("".join(field + token for field in row) + "\n" for row in rows)


@given(st.lists(st.lists(hostile, min_size=3, max_size=3), max_size=6), st.integers(1, 40))
def test_rows_come_out_as_they_went_in_however_they_are_cut(rows: list[list[str]], piece: int) -> None:
    rows = [[field for field in row if TOKEN not in field] for row in rows]
    rows = [row for row in rows if len(row) == 3]
    found, told = table(3)
    text = printed(rows)
    for start in range(0, len(text), piece):
        found.feed(text[start : start + piece])
    found.done()
    assert [list(row) for row in told] == rows


def test_a_text_that_holds_the_word_of_another_call_changes_nothing() -> None:
    last, now = new_token(), new_token()
    name = f"x{last}\n7{last}root{last}"
    found, told = table(2, now)
    found.feed(printed([["1", name]], now))
    found.done()
    assert told == [["1", name]]


def test_each_word_is_new_and_never_a_width() -> None:
    words = {new_token() for _ in range(200)}
    assert len(words) == 200
    assert not [word for word in words if word[0].isdigit() or set(word) & set(",:. \n") or len(word) < 13]


def test_a_record_that_is_cut_off_is_no_answer() -> None:
    found, _ = table(2)
    found.feed(printed([["1", "a"], ["2", "b"]])[:-4])
    with pytest.raises(NoAnswer, match="ends in the middle"):
        found.done()


def test_other_columns_than_were_asked_for_are_no_answer() -> None:
    found, _ = table(2)
    with pytest.raises(NoAnswer, match="other columns"):
        found.feed(printed([["1", "a", "more"], ["2", "b", "more"]]))


def test_no_rows_are_an_answer() -> None:
    found, told = table(2)
    found.feed("")
    found.done()
    assert told == []


def test_every_column_is_asked_for_in_its_full_width() -> None:
    assert columns(("JobID", "Name"), "|t") == "JobID:|t,Name:|t"

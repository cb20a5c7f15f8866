"""Widths in cells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpumon_cli.cells import cut, pad, width


@pytest.mark.parametrize(
    ("text", "cells"), [("", 0), ("gpu01", 5), ("日本", 4), ("e\u0301", 1), ("Grüße", 5), ("🙂", 2), ("–", 1)]
)
def test_a_text_takes_as_many_cells_as_a_terminal_gives_it(text: str, cells: int) -> None:
    assert width(text) == cells


def test_a_short_text_is_not_cut() -> None:
    assert cut("gpu01", 5) == "gpu01"


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert cut("gpu01-with-a-name", 6) == "gpu01…"


def test_a_wide_character_is_not_halved() -> None:
    assert cut("日本語", 4) == "日…"


def test_numbers_are_padded_at_the_left() -> None:
    assert pad("7", 3, right=True) == "  7"


@given(st.text(), st.integers(1, 40))
def test_a_cut_text_never_takes_more_cells_than_allowed(text: str, limit: int) -> None:
    assert width(cut(text, limit)) <= limit

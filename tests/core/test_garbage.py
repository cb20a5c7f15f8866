"""When Python's collector runs, and when it rests."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from gpumon import garbage


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_it_rests_from_the_start_until_all_has_settled() -> None:
    garbage.ignore()
    assert not gc.isenabled()
    with garbage.held_off():
        assert not gc.isenabled()
    assert not gc.isenabled()
    garbage.settle()
    assert gc.isenabled()
    assert gc.get_freeze_count()


def test_it_rests_while_a_picture_is_taken_and_then_looks_at_what_is_left() -> None:
    with garbage.held_off():
        assert not gc.isenabled()
        cycle: list[object] = []
        cycle.append(cycle)
        del cycle
    assert gc.isenabled()
    assert gc.get_count()[0] < 100


def test_it_runs_again_when_no_picture_could_be_taken() -> None:
    with pytest.raises(ZeroDivisionError), garbage.held_off():
        raise ZeroDivisionError
    assert gc.isenabled()

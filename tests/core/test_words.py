"""Words that shell and screen share."""

from __future__ import annotations

import pytest

from clusters import NOW
from gpumon.attributions import WORDS
from gpumon.model import Attribution
from gpumon.moments import clock, moment

_ROOM = 80 - len(" known ") - 1


@pytest.mark.parametrize("attribution", Attribution)
def test_every_way_of_knowing_has_words_that_fit_on_a_line(attribution: Attribution) -> None:
    assert len(WORDS[attribution]) <= _ROOM


def test_a_moment_of_another_day_carries_its_day() -> None:
    assert len(clock(NOW, NOW)) == len("14:05")
    assert len(clock(NOW - 3 * 86_400, NOW)) > len("14:05")


def test_a_moment_is_told_by_the_clock_and_from_now() -> None:
    assert moment(NOW - 60, NOW).endswith("(1m ago)")
    assert moment(NOW + 60, NOW).endswith("(in 1m)")
    assert moment(None, NOW) == "–"

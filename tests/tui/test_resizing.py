"""Another size of the terminal, while numbers come."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from clusters import NOW, queued
from gpumon.model import ClusterSnapshot
from tui_scripted import dashboard, first_picture, next_picture, seen

pytestmark = pytest.mark.thorough  # each test plays on a whole screen

SIZES = ((200, 50), (80, 24), (61, 17), (40, 10), (120, 40), (1, 1), (300, 90), (80, 24))


def ever_changing(pictures: int) -> list[ClusterSnapshot]:
    """The same cluster with other numbers in each picture, now with a job less."""
    whole = queued()
    return [
        replace(
            whole,
            taken_at=NOW + number,
            gpus=tuple(msgspec.structs.replace(gpu, utilization=(number % 10) / 10) for gpu in whole.gpus),
            jobs=(whole.jobs or ())[number % 2 :],
        )
        for number in range(pictures)
    ]


@pytest.mark.parametrize("keys", [("1",), ("2",), ("3",), ("4", "b"), ("5",), ("6",), ("3", "enter"), ("2", "enter")])
async def test_a_terminal_may_change_its_size_while_numbers_come(keys: tuple[str, ...]) -> None:
    app = dashboard(*ever_changing(len(SIZES) + 2))
    async with app.run_test(size=(120, 40)) as pilot:
        await first_picture(pilot)
        await pilot.press(*keys)
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await next_picture(pilot)
        screen = seen(app).splitlines()
        assert [len(line) for line in screen] == [80] * 24
        assert "gpumon" in screen[0]
        assert "Quit" in screen[-1]

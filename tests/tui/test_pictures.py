"""How each view looks in each size and theme; what it means is tested elsewhere."""

from __future__ import annotations

import pytest

from tui_pictures import VIEWS, draw, path_of
from tui_scripted import SIZES


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", VIEWS)
async def test_a_view_looks_as_it_did(view: str, size: tuple[int, int]) -> None:
    kept = path_of(view, size).read_text(encoding="utf-8")
    assert await draw(view, size) == kept, "look at it, and when it is right run `make picture`"

"""The end of a sentence about a name that is not known: the nearest one that is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from gpumon.text import shown


def meant(typed: str, known: Iterable[str], otherwise: str = ".") -> str:
    """`; did you mean ...?`, or `otherwise` where no known name is near."""
    near = get_close_matches(typed, sorted(known), 1)
    return f"; did you mean {shown(near[0], 80)}?" if near else otherwise

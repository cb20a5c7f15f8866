"""A strict reader of Prometheus' text format, and one simulated cluster that all tests may look at."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest

from gpumon_demo.cluster import Simulation

Series = tuple[str, frozenset[tuple[str, str]]]
Parse = Callable[[str], "dict[Series, float]"]

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"')
_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_KINDS = {"gauge", "counter"}


def _labels(inside: str) -> frozenset[tuple[str, str]]:
    found: dict[str, str] = {}
    place = 0
    while place < len(inside):
        match = _LABEL.match(inside, place)
        assert match, f"not a label at {inside[place:]!r}"
        name, text = match.groups()
        assert name not in found, f"label {name} twice"
        assert not name.startswith("__"), f"label {name} is reserved"
        found[name] = re.sub(r'\\([\\n"])', lambda escape: {"n": "\n"}.get(escape[1], escape[1]), text)
        place = match.end()
        if place < len(inside):
            assert inside[place] == ",", f"no comma at {inside[place:]!r}"
            place += 1
    return frozenset(found.items())


def parsed(text: str) -> dict[Series, float]:
    """Every sample of a page, which must keep all of the format's rules."""
    assert text.endswith("\n") or not text
    assert "\n\n" not in text
    found: dict[Series, float] = {}
    family, closed = "", set[str]()
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("# HELP "):
            closed.add(family)
            family = line.split(" ", 3)[2]
            assert _NAME.fullmatch(family)
            assert family not in closed, f"{family} in two places"
            said = next(lines).split(" ")
            assert said[:3] == ["#", "TYPE", family]
            assert said[3] in _KINDS
            continue
        match = _SAMPLE.fullmatch(line)
        assert match, f"not a sample: {line!r}"
        name, inside, number = match.groups()
        assert name == family, f"{name} stands under {family}"
        series = (name, _labels(inside or ""))
        assert series not in found, f"twice: {series}"
        found[series] = float(number)
        assert math.isfinite(found[series])
    return found


@pytest.fixture(scope="session")
def parse() -> Parse:
    """The strict reader."""
    return parsed


@pytest.fixture(scope="session")
def cluster_of_12() -> Simulation:
    """The cluster that the demo shows when nothing is asked for."""
    return Simulation(12, 1)

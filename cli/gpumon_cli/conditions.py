"""The conditions of `gpumon status --warn/--crit`: `hot>0`, `util<10`, `down>=2`."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches

import msgspec

from gpumon.errors import FilterError
from gpumon_cli.measures import MEASURES

_TERM = re.compile(r"\s*(?P<key>[A-Za-z_]+)\s*(?P<sign><=|>=|==|!=|<|>|=)\s*(?P<number>[0-9]+(\.[0-9]+)?)\s*%?\s*")
_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}
_RANGES = {"<": "{}:", "<=": "@~:{}", ">": "~:{}", ">=": "@{}:", "==": "@{0}:{0}", "=": "@{0}:{0}", "!=": "{0}:{0}"}
"""The range of a monitoring plugin outside of which ("@": inside of which) there is an alarm."""


class Condition(msgspec.Struct, frozen=True):
    """One comparison that raises an alarm when it holds."""

    key: str
    """Of a measure."""
    sign: str
    limit: float
    """In the unit in which the measure is typed."""

    def holds(self, value: float) -> bool:
        """True when `value` raises the alarm."""
        return _SIGNS[self.sign](value, self.limit)

    @property
    def range(self) -> str:
        """The same as a threshold range of the Monitoring Plugins guidelines."""
        return _RANGES[self.sign].format(f"{self.limit:g}")

    def __str__(self) -> str:
        return f"{self.key}{self.sign}{self.limit:g}"


def parse_conditions(texts: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions of all flags of one kind, each flag's separated by commas.

    Raises:
        FilterError: a term is not a condition; points at it.
    """
    found: list[Condition] = []
    for text in texts:
        position = 0
        for term in text.split(","):
            found.append(_condition(term, text, position + len(term) - len(term.lstrip())))
            position += len(term) + 1
    return tuple(found)


def _condition(term: str, text: str, position: int) -> Condition:
    match = _TERM.fullmatch(term)
    if match is None:
        raise FilterError(
            "a condition is a measure, a sign and a number, like hot>0",
            text=text,
            position=position,
            advice="Signs are < <= > >= == !=; `gpumon status --help` lists the measures.",
        )
    key = match["key"].lower()
    if key not in MEASURES:
        near = get_close_matches(key, MEASURES, 1)
        meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(MEASURES)}"
        raise FilterError(f"there is no measure {key!r}; {meant}", text=text, position=position)
    return Condition(key, match["sign"], float(match["number"]))


def measures_help() -> str:
    """The measures, for `gpumon status --help`."""
    wide = max(map(len, MEASURES))
    lines = (f"  {key:{wide}}  {measure.meaning}" for key, measure in MEASURES.items())
    return "measures (for --warn and --crit):\n" + "\n".join(lines)

r"""Which rows of a table are wanted and in which order: one grammar for the shell's --filter and the screen's "/".

A filter is terms separated by blanks; a row is wanted when all of them hold. Upper and lower case are the same.

    alice  "my job"      the text is somewhere in the row
    /gpu0[1-4]/          so is a match of the regular expression (simple ones: see `patterns`)
    user:ali             the text is in that column
    user=alice  user!=alice
    util<10  temp>=80    a number, in the unit in which it is typed: percent, GiB, MiB/s, seconds, minutes of idle time
    user:-               the value is not known
    !term                the term does not hold

A value that is not known matches nothing but `key:-` (and what `!` inverts); `key!=-` matches every known one.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Generic, TypeAlias, TypeVar

import msgspec

from gpumon.columns import Column, Value
from gpumon.errors import FilterError
from gpumon.model import ClusterSnapshot
from gpumon.patterns import Unusable, searcher
from gpumon.text import natural_key, shown
from gpumon.units import MISSING, Units

Row = TypeVar("Row")
Test: TypeAlias = Callable[[Row, ClusterSnapshot], bool]

_KEYED = re.compile(r"(?P<key>[A-Za-z_][A-Za-z0-9_]*)(?P<sign><=|>=|!=|==|<|>|=|:(?!//))")
"""A column's key and a sign; "http://" is not one, nor is "12:30"."""
_QUOTED = re.compile(r'"(?P<text>(?:\\"|[^"])*)"', re.DOTALL)
_BARE = re.compile(r"\S*")
_REGEX = re.compile(r"/(?P<pattern>.*?(?<!\\)(?:\\\\)*)/(?=\s|$)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)%?")
_ORDERS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_DASHES = ("-", MISSING)
_MOST_CHARACTERS = 2000


class Filter(msgspec.Struct, Generic[Row], frozen=True):
    """What a row must be like to be wanted."""

    text: str
    """As it was typed."""
    terms: tuple[Test[Row], ...]
    """All of them must hold."""

    @property
    def is_empty(self) -> bool:
        """True when it wants every row."""
        return not self.terms

    def matches(self, row: Row, snapshot: ClusterSnapshot) -> bool:
        """True when `row`, which belongs to `snapshot`, is wanted."""
        return all(term(row, snapshot) for term in self.terms)


def parse_filter(text: str, columns: Sequence[Column[Row]], units: Units | None = None) -> Filter[Row]:
    """The filter that `text` means for a table of these columns, whose numbers are shown in `units`.

    Raises:
        FilterError: a term is not one; points at the place.
    """
    return Filter(text, tuple(_Parser(text, columns, units or Units()).terms()))


def sort_rows(
    rows: Sequence[Row], column: Column[Row], snapshot: ClusterSnapshot, *, descending: bool = False
) -> list[Row]:
    """Rows by one column: numbers by size, text in natural order, equal ones as they were, unknown ones always last."""
    known: list[tuple[str | float, Row]] = []
    unknown: list[Row] = []
    for row in rows:
        value = column.value(row, snapshot)
        if value is None:
            unknown.append(row)
        else:
            known.append((value, row))
    if column.is_number:
        known.sort(key=lambda pair: pair[0], reverse=descending)
    else:
        keys = {value: natural_key(str(value)) for value, _ in known}
        known.sort(key=lambda pair: keys[pair[0]], reverse=descending)
    return [row for _, row in known] + unknown


class _Parser(Generic[Row]):
    """One pass over a filter's text."""

    def __init__(self, text: str, columns: Sequence[Column[Row]], units: Units) -> None:
        self._text = text
        self._columns = columns
        self._units = units
        self._by_key = {column.key: column for column in columns}
        self._at = 0

    def terms(self) -> Iterator[Test[Row]]:
        """Every term, in the order of the text."""
        if len(self._text) > _MOST_CHARACTERS:
            reason = f"a filter has at most {_MOST_CHARACTERS} characters"
            raise FilterError(reason, text=shown(self._text, 60), position=0)
        while self._skip_blanks():
            start, inverted = self._at, False
            while self._text.startswith("!", self._at):
                inverted = not inverted
                self._at += 1
            if self._at == len(self._text) or self._text[self._at].isspace():
                raise self._error("nothing follows the !", start)
            term = self._term()
            yield _inverted(term) if inverted else term

    def _skip_blanks(self) -> bool:
        rest = self._text[self._at :]
        self._at += len(rest) - len(rest.lstrip())
        return self._at < len(self._text)

    def _term(self) -> Test[Row]:
        if self._text[self._at] == "/":
            return self._regex()
        keyed = _KEYED.match(self._text, self._at)
        if keyed is None:
            return _holds(self._value(), self._columns, self._units)
        column = self._column(keyed["key"])
        self._at = keyed.end()
        return self._keyed(column, keyed["sign"].replace("==", "="))

    def _regex(self) -> Test[Row]:
        found = _REGEX.match(self._text, self._at)
        if found is None:
            raise self._error("this regular expression has no / at its end", self._at, self._quoting("a text with /"))
        try:
            search = searcher(found["pattern"])
        except Unusable as error:
            raise self._error(error.reason, found.start("pattern") + error.position) from error
        self._at = found.end()
        return _anywhere(search, self._columns, self._units)

    def _column(self, key: str) -> Column[Row]:
        found = self._by_key.get(key) or self._by_key.get(key.lower())
        if found is None:
            near = get_close_matches(key.lower(), self._by_key, 1)
            meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(self._by_key)}."
            raise self._error(f"there is no column {key[:40]!r}; {meant}", self._at, self._quoting("the text itself"))
        return found

    def _keyed(self, column: Column[Row], sign: str) -> Test[Row]:
        start = self._at
        is_quoted = self._text.startswith('"', start)
        value = self._value()
        if not value and not is_quoted:
            missing = f"{column.key}:- finds rows where it is not known."
            raise self._error(f"nothing follows {column.key}{sign}", start, missing)
        if sign in (":", "=", "!=") and value in _DASHES and not is_quoted:
            return _known(column) if sign == "!=" else _unknown(column)
        if sign == ":":
            return _holds(value, (column,), self._units)
        if sign in _ORDERS:
            if not column.is_number:
                raise self._error(f"{column.key} holds text; use : = or !=", start - len(sign))
            return _compares(column, _ORDERS[sign], self._number(value, start))
        equal = operator.eq if sign == "=" else operator.ne
        if not column.is_number:
            return _equals(column, equal, value.casefold(), self._units)
        number = self._number(value, start)
        return _compares(column, lambda left, right: equal(math.isclose(left, right, abs_tol=1e-9), True), number)

    def _number(self, text: str, start: int) -> float:
        number = float(text.rstrip("%")) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(number):
            raise self._error("a number is expected here", start)
        return number

    def _value(self) -> str:
        """The quoted or bare text that begins here."""
        if self._text.startswith('"', self._at):
            quoted = _QUOTED.match(self._text, self._at)
            if quoted is None:
                raise self._error('this " is never closed', self._at)
            self._at = quoted.end()
            return quoted["text"].replace('\\"', '"')
        bare = _BARE.match(self._text, self._at)
        word = bare.group() if bare else ""
        self._at += len(word)
        return word

    def _quoting(self, what: str) -> str:
        return f'To find {what}, put it in quotes: "..."'

    def _error(self, reason: str, position: int, advice: str = "") -> FilterError:
        return FilterError(reason, text=shown(self._text), position=len(shown(self._text[:position])), advice=advice)


def _inverted(test: Test[Row]) -> Test[Row]:
    return lambda row, snapshot: not test(row, snapshot)


def _unknown(column: Column[Row]) -> Test[Row]:
    return lambda row, snapshot: column.value(row, snapshot) is None


def _known(column: Column[Row]) -> Test[Row]:
    return lambda row, snapshot: column.value(row, snapshot) is not None


def _compares(column: Column[Row], order: Callable[[float, float], bool], limit: float) -> Test[Row]:
    def test(row: Row, snapshot: ClusterSnapshot) -> bool:
        value = column.value(row, snapshot)
        return isinstance(value, (int, float)) and order(value * column.scale, limit)

    return test


def _equals(column: Column[Row], equal: Callable[[bool, bool], bool], wanted: str, units: Units) -> Test[Row]:
    def test(row: Row, snapshot: ClusterSnapshot) -> bool:
        value = column.value(row, snapshot)
        if value is None:
            return False
        is_same = str(value).casefold() == wanted or column.text(row, snapshot, units).casefold() == wanted
        return equal(is_same, True)

    return test


def _holds(wanted: str, columns: Sequence[Column[Row]], units: Units) -> Test[Row]:
    """Some known value of `columns` has the text in it; numbers are looked at only for a text with a digit."""
    needle = wanted.casefold()
    has_digit = any(character.isdigit() for character in needle)
    looked_at = [column for column in columns if has_digit or not column.is_number or len(columns) == 1]
    return _anywhere(lambda text: needle in text.casefold(), looked_at, units)


def _anywhere(search: Callable[[str], bool], columns: Sequence[Column[Row]], units: Units) -> Test[Row]:
    """Some known value of `columns` is found by `search`, as it is or as it is shown."""

    def test(row: Row, snapshot: ClusterSnapshot) -> bool:
        for column in columns:
            value: Value = column.value(row, snapshot)
            if value is None:
                continue
            if isinstance(value, str) and search(value):
                return True
            text = column.text(row, snapshot, units)
            if text != value and search(text):
                return True
        return False

    return test

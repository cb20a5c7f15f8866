"""Regular expressions from a user, kept to those that cannot take for ever on any text."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable

MOST_CHARACTERS = 200
"""A longer expression is refused."""
MOST_READ = 128
"""Only the beginning of a longer cell is searched: the time grows with the fourth power."""
_MOST_REPEATS = 3
_MOST_GROUPS = 3

_TOKEN = re.compile(
    r"(?P<other>\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<extension>\(\?(?!:))|(?P<group>\((?:\?:)?)|(?P<of_group>\)[*+?{])"
    r"|(?P<repeat>[*+?{][?+]?)",
    re.DOTALL,
)


class Unusable(ValueError):
    """A regular expression that is broken, or that could take for ever."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position
        """Where in the expression, counted in characters from 0."""


def searcher(pattern: str) -> Callable[[str], bool]:
    """Whether a text holds `pattern`, whatever the case of its letters.

    Python's matcher goes back and tries again, which takes exponential time where repeats are nested, or many. So
    nothing repeated may be a group, and there are few repeats and groups; several terms of a filter do the rest.

    Raises:
        Unusable: it is broken, or not as simple as that.
    """
    _be_simple(pattern)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # "[[" may get a meaning in a later Python
            search = re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        raise Unusable(f"this regular expression is broken: {error.msg}", error.pos or 0) from error
    except OverflowError as error:
        raise Unusable("this regular expression repeats too often", 0) from error
    return lambda text: search(text, 0, MOST_READ) is not None


def _be_simple(pattern: str) -> None:
    if len(pattern) > MOST_CHARACTERS:
        raise Unusable(f"a regular expression has at most {MOST_CHARACTERS} characters", MOST_CHARACTERS)
    groups = repeats = 0
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup
        groups += kind == "group"
        repeats += kind == "repeat"
        if kind == "extension":
            raise Unusable("of the (?...) forms only (?:...) is understood", token.start())
        if kind == "of_group":
            raise Unusable("a group cannot be repeated here", token.start())
        if groups > _MOST_GROUPS:
            raise Unusable(f"a regular expression has at most {_MOST_GROUPS} groups", token.start())
        if repeats > _MOST_REPEATS:
            raise Unusable(f"a regular expression has at most {_MOST_REPEATS} repeats (* + ? {{)", token.start())
        if kind == "other" and (token.group()[1:].isdigit() and token.group()[0] == "\\"):
            raise Unusable("a reference back to a group is not understood", token.start())

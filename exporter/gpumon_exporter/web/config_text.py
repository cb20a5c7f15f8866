"""The small part of YAML that a web configuration uses: sections of names with values, and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(
    r"""(?P<indent>\ *)
        (?:(?P<plain>[A-Za-z0-9_][A-Za-z0-9_.@$/+-]*) | '(?P<single>(?:[^']|'')+)' | "(?P<double>(?:[^"\\]|\\["\\/])+)")
        \ *:(?P<rest>\ .*|)""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"""(?:'(?P<single>(?:[^']|'')*)'|"(?P<double>(?:[^"\\]|\\["\\/])*)") *(?: #.*)?""")
_INDICATORS = "&*!|>%@`\"'[]{},#"


class NotUnderstood(Exception):
    """A line that is not of the part of YAML that is read here."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")


@dataclass(frozen=True)
class Value:
    """What stands behind a name."""

    text: str
    line: int
    """Where it stands, counted from 1."""


@dataclass(frozen=True)
class Section:
    """A name with names of its own below it."""

    values: dict[str, Value]
    line: int
    """Where its name stands, counted from 1."""


@dataclass(frozen=True)
class _Entry:
    """One line that is neither empty nor a comment."""

    line: int
    indent: int
    name: str
    text: str | None
    """None when nothing stands behind the colon."""


def read(text: str) -> dict[str, Section]:
    """The sections of `text`, in their order."""
    sections: dict[str, Section] = {}
    section: Section | None = None
    indent = 0
    for entry in _entries(text):
        if entry.indent == 0:
            section, indent = _section(entry, sections), 0
            continue
        if section is None:
            raise NotUnderstood(entry.line, "the first name must not be indented")
        indent = indent or entry.indent
        if entry.indent != indent:
            raise NotUnderstood(entry.line, f"indented by {entry.indent} where {indent} is expected")
        if entry.text is None:
            raise NotUnderstood(entry.line, f"{entry.name!r} has no value")
        if entry.name in section.values:
            raise NotUnderstood(entry.line, f"{entry.name!r} stands there twice")
        section.values[entry.name] = Value(entry.text, entry.line)
    return sections


def _section(entry: _Entry, sections: dict[str, Section]) -> Section:
    """A new section among `sections`."""
    if entry.text is not None:
        raise NotUnderstood(entry.line, f"{entry.name!r} must be a section, with its settings indented below it")
    if entry.name in sections:
        raise NotUnderstood(entry.line, f"{entry.name!r} stands there twice")
    section = sections[entry.name] = Section({}, entry.line)
    return section


def _entries(text: str) -> Iterator[_Entry]:
    """The lines that say something."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.rstrip(" \r")
        if not line.strip(" ") or line.lstrip(" ").startswith("#") or (number == 1 and line == "---"):
            continue
        if not line.isprintable():
            raise NotUnderstood(number, "holds a tab or another character that does not belong there")
        found = _LINE.fullmatch(line)
        if found is None:
            raise NotUnderstood(number, "is not `name: value`, the only form that is read here")
        yield _Entry(number, len(found["indent"]), _unquoted(found), _value(found["rest"].strip(" "), number))


def _value(rest: str, line: int) -> str | None:
    """What stands behind a colon; None for nothing."""
    if not rest or rest.startswith("#"):
        return None
    if rest[0] in "\"'":
        quoted = _QUOTED.fullmatch(rest)
        if quoted is None:
            raise NotUnderstood(line, "has a quoted value that does not end there, or holds an unknown escape")
        return _unquoted(quoted)
    plain = re.split(" +#", rest, maxsplit=1)[0]
    if plain[0] in _INDICATORS or re.match("[-?:]( |$)", plain) or re.search(":( |$)", plain):
        raise NotUnderstood(line, "has a value that needs quotes, or a part of YAML that is not read here")
    return plain


def _unquoted(found: re.Match[str]) -> str:
    """The text that quotes held, or what stood there without quotes."""
    parts = found.groupdict()
    if parts["single"] is not None:
        return parts["single"].replace("''", "'")
    if parts["double"] is not None:
        return re.sub(r"\\(.)", r"\1", parts["double"])
    return parts["plain"] or ""

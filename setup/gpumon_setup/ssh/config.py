"""OpenSSH's own configuration, read as ssh reads it: the first value wins, Host and Match choose, Include includes."""

from __future__ import annotations

import getpass
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

USER_FILE = "~/.ssh/config"
SYSTEM_FILE = Path("/etc/ssh/ssh_config")
_LINE = re.compile(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$")
_MANY = frozenset({"identityfile", "certificatefile"})
_DEEPEST = 16
"""As many files may include each other; ssh draws the same line."""


@dataclass
class Told:
    """What the configuration says about one host."""

    original: str
    """The name that was asked for."""
    user: str
    """Asked for by gpumon; "" for nobody in particular."""
    values: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """By lower-case keyword; several values only for those that add up."""

    def first(self, keyword: str, default: str = "") -> str:
        """The value that holds."""
        return (self.values.get(keyword) or [default])[0]

    def host(self) -> str:
        """The name or address that is really dialled."""
        return self.first("hostname", self.original.lower()).replace("%%", "%").replace("%h", self.original)


class SshConfig:
    """The user's file and the system's, in that order."""

    def __init__(self, user_file: Path, system_file: Path = SYSTEM_FILE) -> None:
        self._files = (user_file, system_file)

    @classmethod
    def of_this_user(cls) -> SshConfig:
        """What ssh itself would read."""
        return cls(Path(USER_FILE).expanduser())

    def lookup(self, name: str, user: str = "") -> Told:
        """Everything that is said about a host; a file that is not there says nothing."""
        told = Told(name, user)
        for file in self._files:
            _read(file, told, file.parent, depth=0, is_active=True)
        return told


def _read(file: Path, told: Told, folder: Path, depth: int, *, is_active: bool) -> None:
    """Adds what `file` says; `is_active` is whether the block that includes it holds for this host."""
    outer = is_active
    for keyword, argument in _lines(file):
        if keyword == "host":
            is_active = outer and _is_named(told.original, _words(argument))
        elif keyword == "match":
            is_active = outer and _matches(_words(argument), told)
        elif not is_active:
            continue
        elif keyword == "include" and depth < _DEEPEST:
            for included in _included(_words(argument), folder):
                _read(included, told, folder, depth + 1, is_active=True)
        elif keyword in _MANY:
            told.values.setdefault(keyword, []).append(_one(argument))
        else:
            told.values.setdefault(keyword, [_one(argument)])


def _lines(file: Path) -> Sequence[tuple[str, str]]:
    """Keywords and arguments of a file as it is now; it is read once for as long as nobody writes to it."""
    try:
        status = file.stat()
        return _parsed(file, status.st_mtime_ns, status.st_size)
    except OSError:
        return ()


@cache
def _parsed(file: Path, _written_at: int, _size: int) -> Sequence[tuple[str, str]]:
    lines = (line for line in file.read_text("utf-8", "replace").splitlines() if not line.lstrip().startswith("#"))
    return tuple((match[1].lower(), match[2]) for match in map(_LINE.match, lines) if match)


@cache
def _words(argument: str) -> Sequence[str]:
    """The words of an argument, quotes taken off; a broken quote is a quote like any other sign."""
    try:
        return tuple(shlex.split(argument, comments=True))
    except ValueError:
        return tuple(argument.split())


def _one(argument: str) -> str:
    return argument[1:-1] if len(argument) > 1 and argument[0] == argument[-1] == '"' else argument


def _included(patterns: Sequence[str], folder: Path) -> Iterator[Path]:
    for pattern in patterns:
        wanted = Path(pattern).expanduser()
        place = wanted if wanted.is_absolute() else folder / wanted
        yield from sorted(place.parent.glob(place.name)) if place.parent.is_dir() else ()


def _is_named(name: str, patterns: Sequence[str]) -> bool:
    """Whether a list of patterns names it; a "!" before a pattern that fits says no, whatever the others say."""
    if any(pattern.startswith("!") and fnmatchcase(name, pattern[1:]) for pattern in patterns):
        return False
    return any(fnmatchcase(name, pattern) for pattern in patterns if not pattern.startswith("!"))


def _matches(words: Sequence[str], told: Told) -> bool:
    """Whether a Match line holds. `exec` and others that depend on more than names never do."""
    known: Mapping[str, str] = {
        "host": told.host(),
        "originalhost": told.original,
        "user": told.user or told.first("user", getpass.getuser()),
        "localuser": getpass.getuser(),
    }
    position = 0
    while position < len(words):
        negated, criterion = words[position].startswith("!"), words[position].lstrip("!").lower()
        position += 1
        if criterion in ("all", "final", "canonical"):
            holds = criterion == "all"
        elif criterion in known and position < len(words):
            holds = _is_named(known[criterion], words[position].split(","))
            position += 1
        else:
            return False
        if holds is negated:
            return False
    return bool(words)


def expanded(text: str, tokens: Mapping[str, str]) -> str:
    """A value with ssh's %-signs, ${VARIABLES} and "~" filled in."""
    text = re.sub(r"\$\{(\w+)\}", lambda match: os.environ.get(match[1], ""), text)
    text = re.sub(r"%(.)", lambda match: {"%": "%", **tokens}.get(match[1], match[0]), text)
    return os.path.expanduser(text)  # noqa: PTH111  # Path's own fails for an unknown ~user

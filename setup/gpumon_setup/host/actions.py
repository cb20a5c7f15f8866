"""What can be done to a machine, as data: a plan shows it, a script carries it out, a test's machine imitates it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

from gpumon_setup.host.pieces import Pieces


def digest_of(content: bytes) -> str:
    """The SHA-256 of a content, as sha256sum prints it."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file gets a content, whole or not at all."""

    path: str
    content: bytes
    mode: int = 0o644
    owner: str = "root:root"
    """User and group, by name or number."""
    was: str | None = None
    """The digest that the plan saw there, "" for no file; the action fails when it is another. None: never mind."""
    backup: str = ""
    """Where what stood there is copied first; "" for nowhere."""
    check: tuple[str, ...] = ()
    """A command that must succeed before the file takes its place; "{}" in it stands for the new content's path."""


@dataclass(frozen=True, slots=True)
class SendFile:
    """A large file from here, an image for instance, that a command there takes in; then it is gone again."""

    source: Pieces
    argv: tuple[str, ...]
    """The command, which has the file as its standard input; "{}" in it stands for the file's path."""
    seconds: float = 120.0
    """It is ended when it takes longer, once the file is there."""


@dataclass(frozen=True, slots=True)
class RemoveFile:
    """A file goes away; one that is gone already is no failure."""

    path: str
    restore: str = ""
    """A copy of what stood there before, which returns instead; "" for nothing."""


@dataclass(frozen=True, slots=True)
class MakeDirectory:
    """A directory is there, with its parents, and has this mode and owner."""

    path: str
    mode: int = 0o755
    owner: str = "root:root"


@dataclass(frozen=True, slots=True)
class RemoveDirectory:
    """A directory goes away, when it is empty or when `with_content` is asked for."""

    path: str
    with_content: bool = False


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command that must succeed; what it says is shown only when it does not."""

    argv: tuple[str, ...]
    stdin: bytes = b""
    """For secrets too: never on a command line."""
    seconds: float = 120.0
    """It is ended when it takes longer."""
    ok_codes: tuple[int, ...] = (0,)
    """Exit codes that count as done."""


Action: TypeAlias = WriteFile | SendFile | RemoveFile | MakeDirectory | RemoveDirectory | RunCommand


@dataclass(frozen=True, slots=True)
class Step:
    """Actions that belong together, in their order, under the words by which people are told of them."""

    words: str
    actions: tuple[Action, ...]

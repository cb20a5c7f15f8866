"""What a machine should have: how one looks for it, what is missing, and what brings it about."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import unified_diff
from typing import ClassVar, Protocol

from gpumon_setup.facts import MADE, Look, Record, State
from gpumon_setup.host import Action, RemoveFile, WriteFile


@dataclass(frozen=True, slots=True)
class Missing:
    """What is not as it should be."""

    words: str
    """What will be done, as an order: "write /etc/hosts", "start gpumon-node-exporter"."""
    diff: str = ""
    """A unified diff, for what is text; "" where there is none to show."""
    obstacle: str = ""
    """Why it cannot be done, and what to do about that; "" when it can."""
    is_disruptive: bool = False
    """True when jobs on the machine may suffer."""
    waits_for: str = ""
    """Why it cannot be done yet, though all else can; "" when it can."""


class Resource(Protocol):
    """One thing that a machine should have. Nothing here asks a machine: all is said from its state."""

    kind: ClassVar[str]
    """What sort of thing: "file", "unit", ...; the machine's records are kept under it."""

    @property
    def key(self) -> str:
        """What it is called among its kind."""
        ...

    def look(self, state: State) -> Look:
        """What must be known to say what is missing, given what is known already."""
        ...

    def missing(self, state: State) -> Missing | None:
        """What is not as it should be; None when all is well."""
        ...

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """What makes it so, the machine's record of it included; asked for only when something is missing."""
        ...


def remembered(record: Record) -> WriteFile:
    """The machine keeps a record; before the thing is made, so that half a thing can be found again."""
    return WriteFile(record.path, record.encoded(), mode=0o600)


def forgotten(record: Record) -> RemoveFile:
    """The machine forgets a record, once the thing is gone."""
    return RemoveFile(record.path)


def difference(path: str, before: bytes, after: bytes) -> str:
    """A unified diff of two contents; a sentence where one is not text."""
    try:
        old, new = before.decode().splitlines(), after.decode().splitlines()
    except UnicodeDecodeError:
        return f"{path} is no text: {len(before):,} bytes become {len(after):,}."
    lines = unified_diff(old, new, f"{path} (now)", f"{path} (planned)", lineterm="")
    return "\n".join(lines)


ROOM = MADE
"""The directory of records, which must be there before the first."""

"""A directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import Look, Record, State
from gpumon_setup.host import Action, MakeDirectory, RunCommand
from gpumon_setup.resources.resource import Missing, remembered

DATA = "data"
"""A record's detail when what is inside may go with the directory."""


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory with a mode and an owner."""

    kind: ClassVar[str] = "directory"
    path: str
    """Without blanks."""
    mode: int = 0o755
    owner: str = "root:root"
    """User and group, both by name or both by number."""
    holds_data: bool = False
    """True when all that is inside belongs to us, and goes with it unless data are kept."""

    @property
    def key(self) -> str:
        """Its path."""
        return self.path

    def look(self, state: State) -> Look:
        """Its mode and owner."""
        del state
        return Look(files=frozenset({self.path}))

    def missing(self, state: State) -> Missing | None:
        """None there, or another mode or owner."""
        now = state.file(self.path)
        if now.digest:
            return Missing(f"make {self.path}", obstacle=f"{self.path} is a file; move it away.")
        if not now.is_there:
            return Missing(f"make the directory {self.path}")
        if now.mode != self.mode or self.owner not in (now.owner, now.owner_ids):
            return Missing(f"give {self.path} to {self.owner}, mode {self.mode:04o} (now {now.owner}, {now.mode:04o})")
        return None

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """Made with its parents; a record is kept only of one that was not there before.

        Data follow their directory to another owner: who takes them over could not write them.
        """
        make = MakeDirectory(self.path, self.mode, self.owner)
        now = state.file(self.path)
        if now.is_there:
            moves = self.holds_data and self.owner not in (now.owner, now.owner_ids)
            return make, *((RunCommand(("chown", "-hR", self.owner, self.path)),) if moves else ())
        return remembered(Record(self.kind, self.path, component, detail=DATA if self.holds_data else "")), make

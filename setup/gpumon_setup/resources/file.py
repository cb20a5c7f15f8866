"""A whole file that is ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import BEFORE, FileState, Look, Record, State
from gpumon_setup.host import Action, WriteFile, digest_of
from gpumon_setup.resources.resource import Missing, difference, remembered


@dataclass(frozen=True, slots=True)
class File:
    """A file with a content, a mode and an owner."""

    kind: ClassVar[str] = "file"
    path: str
    """Without blanks."""
    content: bytes
    mode: int = 0o644
    owner: str = "root:root"
    """User and group, both by name or both by number."""
    check: tuple[str, ...] = ()
    """A command that must accept the new content, "{}" in it, before the old goes: promtool check config {}."""
    is_secret: bool = False
    """True when its content must not be shown."""

    @property
    def key(self) -> str:
        """Its path."""
        return self.path

    @property
    def digest(self) -> str:
        """Of its content, for what must notice when it changes."""
        return digest_of(self.content)

    def look(self, state: State) -> Look:
        """Its digest is enough when it fits; else what stands there is to be shown."""
        known = state.files.get(self.path)
        if known is not None and known.digest == self.digest:
            return Look()
        return Look(files=frozenset({self.path})) if self.is_secret else Look(contents=frozenset({self.path}))

    def missing(self, state: State) -> Missing | None:
        """Another content, mode or owner, or none at all."""
        now = state.file(self.path)
        if now.is_there and not now.digest:
            return Missing(f"write {self.path}", obstacle=f"{self.path} is no file; move it away.")
        if not now.is_there:
            return Missing(f"write {self.path}", self._diff(b""))
        if now.digest != self.digest:
            words = f"rewrite {self.path}" if self._is_ours(state) else f"replace {self.path} (a copy is kept)"
            return Missing(words, self._diff(now.content))
        if now.mode != self.mode or self.owner not in (now.owner, now.owner_ids):
            return Missing(f"give {self.path} to {self.owner}, mode {self.mode:04o} (now {now.owner}, {now.mode:04o})")
        return None

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """Written in one move, guarded against hands that were there after the plan was made."""
        now = state.file(self.path)
        record = Record(self.kind, self.path, component, self.digest, backup=self._backup(state, now))
        backup = record.backup if not self._is_ours(state) else ""
        write = WriteFile(self.path, self.content, self.mode, self.owner, now.digest, backup, self.check)
        return remembered(record), write

    def _is_ours(self, state: State) -> bool:
        return (self.kind, self.path) in state.made

    def _backup(self, state: State, now: FileState) -> str:
        """Where a copy of what stood there before us is."""
        before = state.made.get((self.kind, self.path))
        if before is not None:
            return before.backup
        return f"{BEFORE}/{digest_of(self.path.encode())[:16]}" if now.is_there else ""

    def _diff(self, now: bytes | None) -> str:
        if self.is_secret:
            return f"(the content of {self.path} is not shown)"
        if now is None:
            return f"{self.path} is too long to be compared."
        return difference(self.path, now, self.content)

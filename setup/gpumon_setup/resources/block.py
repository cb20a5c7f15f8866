"""A marked block in a file that is somebody else's: everything outside of the marks stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from gpumon_setup.facts import FileState, Look, Record, State
from gpumon_setup.host import Action, WriteFile, digest_of
from gpumon_setup.resources.resource import Missing, difference, remembered


@dataclass(frozen=True, slots=True)
class Block:
    """Lines in a file, between two marks."""

    kind: ClassVar[str] = "block"
    path: str
    """Without blanks."""
    name: str
    """Tells several blocks in one file apart."""
    lines: tuple[str, ...]
    check: tuple[str, ...] = ()
    """A command that must accept the new file, "{}" in it, before the old one goes."""

    @property
    def key(self) -> str:
        """Path and name."""
        return f"{self.path}#{self.name}"

    def look(self, state: State) -> Look:
        """The whole file, since it is written as a whole."""
        del state
        return Look(contents=frozenset({self.path}))

    def missing(self, state: State) -> Missing | None:
        """Another block than this, or none."""
        now = state.file(self.path).content or b""
        if not state.file(self.path).digest and state.file(self.path).is_there:
            return Missing(f"write to {self.path}", obstacle=f"{self.path} is no file.")
        wanted = with_block(now, self.name, self.lines)
        if wanted is None:
            return Missing(
                f"write a block into {self.path}",
                obstacle=f"the marks of the block {self.name} in {self.path} are broken; take it out by hand.",
            )
        if wanted == now:
            return None
        return Missing(f"write the block {self.name} into {self.path}", difference(self.path, now, wanted))

    def actions(self, state: State, component: str) -> tuple[Action, ...]:
        """The file is written in one move, with its mode and owner."""
        now = state.file(self.path)
        wanted = with_block(now.content or b"", self.name, self.lines) or b""
        known = state.made.get((self.kind, self.key))
        detail = known.detail if known is not None else _detail(now)
        record = Record(self.kind, self.key, component, digest_of("\n".join(self.lines).encode()), detail)
        mode, owner = (now.mode, now.owner_ids) if now.is_there else (0o644, "root:root")
        return remembered(record), WriteFile(self.path, wanted, mode, owner, now.digest, check=self.check)


NEW = "new"
"""A record's detail when there was no file before."""
OPEN = "open"
"""A record's detail when the file's last line had no end."""


def without_block(content: bytes, name: str, detail: str) -> bytes | None:
    """The content as it was before the block came; None when marks are broken."""
    rest = with_block(content, name, ())
    is_at_end = content.rstrip().endswith(f"# END gpumon {name}".encode())
    return rest.removesuffix(b"\n") if rest is not None and detail == OPEN and is_at_end else rest


def with_block(content: bytes, name: str, lines: tuple[str, ...]) -> bytes | None:
    """The content with this block in the place of the elder one, or at its end; without any for no lines.

    None when marks are broken.
    """
    parts = content.splitlines(keepends=True)
    marks = _marks(parts, name)
    if marks is None:
        return None
    head = f"# BEGIN gpumon {name}: written by gpumon setup, changes inside are lost"
    block = [f"{line}\n".encode() for line in (head, *lines, f"# END gpumon {name}")] if lines else []
    if marks:
        return b"".join((*parts[: marks[0]], *block, *parts[marks[1] + 1 :]))
    line_break = b"\n" if block and parts and not parts[-1].endswith(b"\n") else b""
    return b"".join((*parts, line_break, *block))


def block_lines(content: bytes, name: str) -> tuple[str, ...]:
    """What stands between the marks; nothing where there are none, or broken ones."""
    parts = content.splitlines(keepends=True)
    marks = _marks(parts, name)
    inside = parts[marks[0] + 1 : marks[1]] if marks else ()
    return tuple(line.decode("utf-8", "replace").strip() for line in inside)


def _marks(parts: Sequence[bytes], name: str) -> tuple[int, ...] | None:
    """Where the block begins and ends, nothing when there is none; None when marks are broken."""
    begin, end = f"# BEGIN gpumon {name}".encode(), f"# END gpumon {name}".encode()
    first = [i for i, line in enumerate(parts) if line.startswith(begin + b":") or line.rstrip() == begin]
    last = [i for i, line in enumerate(parts) if line.rstrip() == end]
    if len(first) > 1 or len(first) != len(last) or (first and last[0] < first[0]):
        return None
    return (*first, *last)


def _detail(now: FileState) -> str:
    if not now.is_there:
        return NEW
    return OPEN if now.content and not now.content.endswith(b"\n") else ""

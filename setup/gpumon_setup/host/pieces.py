"""A file that is put together from pieces while it is sent: nothing of it is laid out on a disk here."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a file here."""

    file: Path
    start: int
    size: int
    """In bytes."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Bytes and parts of files, one after the other."""

    name: str
    """For people."""
    parts: tuple[bytes | Stretch, ...]

    @property
    def size(self) -> int:
        """Of all of it, in bytes."""
        return sum(len(part) if isinstance(part, bytes) else part.size for part in self.parts)

    def opened(self) -> BinaryIO:
        """All of it, to be read once; reading raises OSError when a file is not as it was."""
        return cast("BinaryIO", io.BufferedReader(_Joined(self._chunks()), _CHUNK))

    def _chunks(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            else:
                yield from _read(part)


class _Joined(io.RawIOBase):
    """Chunks of any length as one stream."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object) -> int:
        """What comes next, as much as there is room for."""
        room = memoryview(cast("bytearray", buffer))
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _read(part: Stretch) -> Iterator[bytes]:
    with part.file.open("rb") as stream:
        stream.seek(part.start)
        left = part.size
        while left:
            chunk = stream.read(min(left, _CHUNK))
            if not chunk:
                raise OSError(f"{part.file.name} became shorter meanwhile")
            left -= len(chunk)
            yield chunk

"""Pages put together of blocks that were made before anybody asked, and of a small tail that is made when one does."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from gpumon_exporter.metrics.exposition import Block

_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True)
class Page:
    """Blocks one after another."""

    blocks: tuple[Block, ...]
    checksum: int
    """CRC-32 of their text, so that a scrape need not read it again."""
    length: int
    """Bytes of their text."""

    @staticmethod
    def of(*blocks: Block) -> Page:
        """A page of these blocks."""
        checksum, length = 0, 0
        for part in (part for block in blocks for part in block.plain):
            checksum, length = zlib.crc32(part, checksum), length + len(part)
        return Page(blocks, checksum, length)

    def plain(self, tail: bytes) -> tuple[bytes, ...]:
        """The text, with `tail` behind it."""
        return (*(part for block in self.blocks for part in block.plain), tail)

    def gzipped(self, tail: bytes) -> tuple[bytes, ...]:
        """The same as one gzip stream, of which only `tail` is compressed now."""
        packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        end = packer.compress(tail) + packer.flush()
        length = (self.length + len(tail)) & 0xFFFFFFFF
        trailer = struct.pack("<LL", zlib.crc32(tail, self.checksum), length)
        return (_GZIP_HEADER, *(block.deflated for block in self.blocks), end + trailer)

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

    @staticmethod
    def of(*blocks: Block) -> Page:
        """A page of these blocks."""
        checksum = 0
        for block in blocks:
            checksum = zlib.crc32(block.plain, checksum)
        return Page(blocks, checksum)

    def plain(self, tail: bytes) -> tuple[bytes, ...]:
        """The text, with `tail` behind it."""
        return (*(block.plain for block in self.blocks), tail)

    def gzipped(self, tail: bytes) -> tuple[bytes, ...]:
        """The same as one gzip stream, of which only `tail` is compressed now."""
        packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        end = packer.compress(tail) + packer.flush()
        length = sum(len(block.plain) for block in self.blocks) + len(tail)
        trailer = struct.pack("<LL", zlib.crc32(tail, self.checksum), length & 0xFFFFFFFF)
        return (_GZIP_HEADER, *(block.deflated for block in self.blocks), end + trailer)

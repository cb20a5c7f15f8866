"""The text of metrics, which is the same in Prometheus' format and in OpenMetrics: everything here is a gauge.

prometheus_client makes it in three times the time, and once for each format, which counts with a hundred thousand
samples every 15 seconds; it renders what is small (see `health`), and a test holds the two against each other.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Labels = tuple[str, ...]
"""Values of a family's labels, in their order."""
Samples = Iterable[tuple[Labels, "float | None"]]
"""A value of None is not known, so there is no series."""

_LEVEL = 3
"""Of compression: twice as fast as the usual 6, and hardly larger with text this repetitive."""


@dataclass(frozen=True)
class Family:
    """Series of one name."""

    name: str
    documentation: str
    """What it is, with its unit; without quotes and backslashes, which the two formats escape differently."""
    labels: Labels = ()


@dataclass(frozen=True)
class Block:
    """Some families as text."""

    plain: tuple[bytes, ...]
    """Of each family; never joined, since a copy of all would double the memory."""
    deflated: bytes
    """The same, compressed so that it can stand anywhere in a gzip stream."""


EMPTY = Block((), b"")


def block(families: Iterable[tuple[Family, Samples]]) -> Block:
    """The text of these families; those without a sample are left out."""
    plain: list[bytes] = []
    deflated: list[bytes] = []
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    for family, samples in families:
        text = family_text(family, samples)
        if text:
            plain.append(text)
            deflated.append(packer.compress(text))
    if plain:
        deflated.append(packer.flush(zlib.Z_FULL_FLUSH))
    return Block(tuple(plain), b"".join(deflated))


def family_text(family: Family, samples: Samples) -> bytes:
    """The text of one family; empty when it has no sample."""
    text = "".join(_lines(family, samples))
    if not text:
        return b""
    head = f"# HELP {family.name} {family.documentation}\n# TYPE {family.name} gauge\n"
    return (head + text).encode("utf-8", "replace")


def _lines(family: Family, samples: Samples) -> Iterator[str]:
    """One line for each sample that is known."""
    template = ",".join(f'{label}="%s"' for label in family.labels)
    before = f"{family.name}{{{template}}} " if template else f"{family.name} "
    for labels, value in samples:
        if value is not None:
            yield f"{before % tuple(map(escaped, labels))}{number(value)}\n"


def escaped(value: str) -> str:
    """A label's value as both formats want it."""
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def number(value: float) -> str:
    """A value as both formats want it, as short as it can be without losing a digit."""
    return str(int(value)) if value == value // 1 and abs(value) < 1e15 else repr(float(value))

"""How Slurm spells GPUs and shards: what a node has, what of it is in use, what a job holds and what one asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gpumon_exporter.slurm.spelling import count

_SEPARATOR = re.compile(r",(?![^(]*\))")
"""A comma outside of parentheses."""
_INDICES = re.compile(r"\bIDX:([0-9,-]*)\)")
_VECTOR = re.compile(r"((?:[0-9-]+/[0-9]+,?)+)\)")
_MIG = re.compile(r"[0-9]+g\.[0-9]+gb")


@dataclass(frozen=True)
class Gres:
    """GPUs or shards of one type."""

    name: str
    """gpu or shard."""
    type: str
    """Empty when it has none."""
    count: int
    indices: tuple[int, ...] | None
    """Slurm's numbers of the GPUs that are meant; None when it does not name them."""
    is_by_card: bool = False
    """Whether it is shards spelt by their cards, as up to 23.02; what a node has in use is a count of cards, then."""


def parse(text: str) -> tuple[Gres, ...]:
    """All GPUs and shards of a list such as gpu:a100:1(IDX:0),gpu:l40s:1(IDX:4); what else stands there is left out."""
    return tuple(_parsed(text))


def share(gres: Gres) -> str:
    """How a job holds such a GPU: whole, mig or shard."""
    if gres.name == "shard":
        return "shard"
    return "mig" if _MIG.search(gres.type) else "whole"


def _parsed(text: str) -> Iterator[Gres]:
    for item in _SEPARATOR.split(text):
        head, _, places = item.partition("(")
        prefix, _, rest = head.replace("=", ":").replace("gres/", "gres:").rpartition("gres:")
        name, *words = rest.split(":")
        if prefix or name not in ("gpu", "shard"):
            continue
        number = count(words.pop()) if words and words[-1][:1].isdigit() else 1.0
        is_by_card = name == "shard" and "IDX:" in places
        yield Gres(name, ":".join(words), int(number or 0), _indices(places), is_by_card)


def _indices(places: str) -> tuple[int, ...] | None:
    """The numbers in (IDX:0,2-3); of shards since 23.11, (0/4,3/4), the places where some are in use."""
    found = _INDICES.search(places)
    if found:
        return tuple(_ranges(found[1]))
    found = _VECTOR.match(places)
    if found:
        return tuple(place for place, used in enumerate(found[1].split(",")) if used.split("/")[0].strip("-0"))
    return None


def _ranges(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            yield from range(int(first), min(int(last) if last.isdigit() else int(first), int(first) + 4096) + 1)

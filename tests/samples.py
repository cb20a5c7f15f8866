"""Exposition text as the samples that Prometheus would answer after scraping it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from gpumon.prometheus.wire import Sample

Labels = TypeVar("Labels", bound=msgspec.Struct)

EXPORTERS = Path(__file__).parent / "data" / "exporters"
"""Real expositions, see the README beside them."""

_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S.*)$")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


def lines(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Metric, labels and value of each line that is a sample."""
    for line in text.splitlines():
        match = None if line.startswith("#") else _LINE.match(line)
        if match:
            labels = {name: _unescaped(value) for name, value in _LABEL.findall(match[2] or "")}
            yield match[1], labels, match[3]


def _unescaped(value: str) -> str:
    return re.sub(r"\\.", lambda match: _ESCAPES.get(match.group(), match.group()), value)


def samples(
    text: str, kind: type[Labels], *, job: str = "job", instance: str = "host:1", at: float = 1000.0
) -> list[Sample[Labels]]:
    """The samples with typed labels, as the target `job`, `instance` would have told them."""
    return [
        Sample(msgspec.convert({"__name__": name, **labels, "job": job, "instance": instance}, kind), (at, value))
        for name, labels, value in lines(text)
    ]


def plain_samples(
    text: str, *, job: str = "slurm", instance: str = "head:8080", at: float = 1000.0
) -> list[Sample[dict[str, str]]]:
    """The samples with all their labels."""
    return [
        Sample({"__name__": name, **labels, "job": job, "instance": instance}, (at, value))
        for name, labels, value in lines(text)
    ]


def captured(name: str) -> str:
    """The text of one captured exposition."""
    return (EXPORTERS / name).read_text(encoding="utf-8")

"""Prometheus' text format: families with help and type, and samples whose label values may hold anything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def escaped(value: str) -> str:
    """A label's value as it stands between its quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """A sample's value, so that reading it gives the same float again."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def labels(pairs: Mapping[str, str]) -> str:
    """Labels in braces, in the given order; nothing at all without labels."""
    inside = ",".join(f'{name}="{escaped(value)}"' for name, value in pairs.items())
    return f"{{{inside}}}" if inside else ""


class Page:
    """The text of one scrape, written family by family."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def family(self, name: str, kind: str, help_text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> None:
        """One metric with all its samples; nothing is written when there are none."""
        self.lines(name, kind, help_text, (f"{name}{labels(pairs)} {number(value)}" for pairs, value in samples))

    def lines(self, name: str, kind: str, help_text: str, samples: Iterable[str]) -> None:
        """The same with samples that are text already."""
        found = list(samples)
        if found:
            self._lines += (f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", *found)

    def text(self) -> str:
        """The whole page; "" when there is nothing to tell."""
        return "".join(f"{line}\n" for line in self._lines)

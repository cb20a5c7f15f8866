"""What the server serves: pages by their path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """A page as one client wants it."""

    content_type: str
    parts: tuple[bytes, ...]
    """The body in parts, so that large ones are not copied for each client."""
    is_gzipped: bool = False

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return sum(len(part) for part in self.parts)


@dataclass(frozen=True)
class Wishes:
    """How a client wants its answer."""

    accept: str = ""
    """Its Accept header."""
    gzip: bool = False


Page = Callable[[Wishes], Answer]
Site = dict[str, Page]
"""The pages by their path."""


def text_page(text: Callable[[], str]) -> Page:
    """A small page of plain text that is made when somebody asks."""
    return lambda _: Answer("text/plain; charset=utf-8", (text().encode(),))


def index_page(paths: tuple[tuple[str, str], ...]) -> Page:
    """Links to paths, with words on each."""
    links = "".join(f'<li><a href="{path}">{path}</a> {words}</li>\n' for path, words in paths)
    page = (
        "<!doctype html>\n<html lang=en><meta charset=utf-8><title>gpumon-slurm-exporter</title>\n"
        f"<h1>gpumon-slurm-exporter</h1>\n<ul>\n{links}</ul>\n</html>\n"
    )
    return lambda _: Answer("text/html; charset=utf-8", (page.encode(),))

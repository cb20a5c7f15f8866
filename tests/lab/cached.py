"""Remembers by which recipe a thing in the cache was made, so that only what changed is made again."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path

BEGAN = time.monotonic()
UNUSED_SECONDS = 7 * 86400
"""After these a thing of an old recipe is taken for nobody's."""


def say(words: str) -> None:
    """Tells whoever waits how far the lab is."""
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {words}", file=sys.stderr, flush=True)


def recipe(*parts: object) -> str:
    """One short word that stands for everything a thing is made from."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def mark(thing: Path) -> Path:
    """The file beside a thing that holds its recipe; it is written last."""
    return thing.with_name(f"{thing.name}.made")


def is_made(thing: Path, by: str) -> bool:
    """Whether it is there, whole, by this recipe; who asks is taken to use it."""
    made = mark(thing)
    if not made.exists() or made.read_text() != by or not thing.exists():
        return False
    os.utime(made)
    return True


def made_by(thing: Path) -> str:
    """By which recipe it was made."""
    return mark(thing).read_text()


def drop_unused(folder: Path, pattern: str, used: Collection[str]) -> None:
    """Removes what nobody asked for in a week, but for what running clusters use, and what a killed build began."""
    for rest in folder.glob("*.unfinished*"):
        remove(rest)
    for made in folder.glob(f"{pattern}.made"):
        thing = made.with_suffix("")
        if str(thing) not in used and time.time() - made.stat().st_mtime > UNUSED_SECONDS:
            made.unlink()
            remove(thing)


@contextmanager
def making(thing: Path, by: str) -> Generator[Path]:
    """Leads to a path to make it at; it takes its place when the block ends well, and is as if never begun when not."""
    began = time.monotonic()
    unfinished = thing.with_name(f"{thing.name}.unfinished")
    thing.parent.mkdir(parents=True, exist_ok=True)
    mark(thing).unlink(missing_ok=True)
    for old in (thing, *thing.parent.glob(f"{unfinished.name}*")):
        remove(old)
    yield unfinished
    unfinished.rename(thing)
    mark(thing).write_text(by)
    say(f"{thing.parent.name}/{thing.name} made in {time.monotonic() - began:.1f} s")


def remove(path: Path) -> None:
    """A file or a tree, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def one_at_a_time(file: Path) -> Generator[None]:
    """Waits while another process holds the file; the kernel lets go of it for whoever is killed."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another lab that holds {file}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

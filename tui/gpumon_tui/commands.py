"""What can be typed behind a colon: which words there are, what they want, and how they go on."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import msgspec

from gpumon.model import ClusterSnapshot
from gpumon.settings import THEMES
from gpumon.text import shown
from gpumon_tui.scales import SCALES
from gpumon_tui.widgets.tabs import TITLES

VIEWS = tuple(title.lower() for title in TITLES)
"""Words that open a view, filtered by what follows."""
_PLAIN = ("pause", "refresh", "help", "quit")
_WANTING = {
    "node": "the name of a node",
    "gpu": "a node and the number of a GPU, or its UUID",
    "job": "the number of a job",
    "filter": "a filter",
    "sort": "a column",
    "metric": "a number of GPUs",
    "theme": "a theme",
    "interval": "seconds",
}
WORDS = (*VIEWS, *_WANTING, *_PLAIN)
"""Everything that a command can begin with."""
_SHORT = {"q": "quit", "h": "help", "r": "refresh", "p": "pause", "exit": "quit"}


class NotACommand(ValueError):
    """What was typed means nothing; says why."""


class Command(msgspec.Struct, frozen=True):
    """One word, and what it is about."""

    word: str
    """One of `WORDS`."""
    argument: str = ""


def parse_command(text: str) -> Command:
    """The command that `text` means; a word may be cut short as long as it is clear.

    Raises:
        NotACommand: it means none.
    """
    typed, _, argument = text.strip().partition(" ")
    word, argument = _whole(typed.lower()), argument.strip()
    if word in _WANTING and not argument:
        raise NotACommand(f"{word} needs {_WANTING[word]}")
    if word in _PLAIN and argument:
        raise NotACommand(f"{word} stands alone")
    return Command(word, argument)


def continuations(text: str, snapshot: ClusterSnapshot, columns: Sequence[str]) -> Sequence[str]:
    """How what was typed can go on, the most likely first."""
    typed, blank, argument = text.lstrip().partition(" ")
    if not blank:
        return [word for word in WORDS if typed and word.startswith(typed.lower())]
    known: Sequence[str] = ()
    if typed == "node":
        known = [node.name for node in snapshot.nodes]
    elif typed == "job":
        known = [job.shown_id for job in snapshot.jobs or ()]
    elif typed == "gpu":
        known = [f"{gpu.node} {gpu.device.number}" for gpu in snapshot.gpus]
    elif typed in ("sort", "metric", "theme"):
        known = {"sort": columns, "metric": [scale.name for scale in SCALES], "theme": THEMES}[typed]
    return [f"{typed} {name}" for name in known if name.startswith(argument) and shown(name) == name]


def job_key(name: str, snapshot: ClusterSnapshot) -> str:
    """The raw id of the job that Slurm prints as `name`.

    Raises:
        NotACommand: the queue holds no such job.
    """
    if name in snapshot.job_by_id:
        return name
    found = next((job.id for job in snapshot.jobs or () if job.shown_id == name), None)
    if found is None:
        raise NotACommand(f"no job {shown(name, 30)} is in the queue")
    return found


def gpu_key(name: str, snapshot: ClusterSnapshot) -> str:
    """The key of a GPU by its UUID, or by its node and its number.

    Raises:
        NotACommand: there is none.
    """
    node, _, number = name.rpartition(" ")
    for gpu in snapshot.gpus:
        if gpu.key == name or (gpu.node == node and gpu.device.number == number):
            return gpu.key
    raise NotACommand(f"no GPU {shown(name, 40)} is known")


def _whole(typed: str) -> str:
    if typed in WORDS:
        return typed
    if typed in _SHORT:
        return _SHORT[typed]
    meant = [word for word in WORDS if typed and word.startswith(typed)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise NotACommand(f"{shown(typed, 20)} could be {' or '.join(meant)}")
    near = get_close_matches(typed, WORDS, 1)
    raise NotACommand(f"no command {shown(typed, 20)}" + (f"; did you mean {near[0]}?" if near else ""))

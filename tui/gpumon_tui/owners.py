"""A letter and a colour for everybody who holds GPUs, kept for as long as they hold any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import Enum
from string import ascii_uppercase

from gpumon.model import ClusterSnapshot, Gpu
from gpumon_tui.heat import Cell

COLOURS = 12
"""How many colours there are for owners; those with the most GPUs never share one."""
OTHERS = "+"
"""The sign of owners beyond the letters of the alphabet."""
SHARED = "&"
"""The sign of a GPU that several owners hold."""


class Colouring(Enum):
    """What the colours of the heatmap tell."""

    METRIC = "number"
    USER = "user"
    JOB = "job"

    @property
    def next(self) -> Colouring:
        """What comes after it; the last leads to the first."""
        all_of_them = list(Colouring)
        return all_of_them[(all_of_them.index(self) + 1) % len(all_of_them)]


class Owners:
    """Who has which letter: the largest get one first, and nobody's changes as long as they hold a GPU."""

    def __init__(self) -> None:
        self.counts: Mapping[str, int] = {}
        """GPUs by owner, the largest first."""
        self._letters: dict[str, str] = {}
        self._colours: dict[str, int] = {}

    def meet(self, snapshot: ClusterSnapshot, colouring: Colouring) -> None:
        """Takes note of who holds what now."""
        held = Counter(owner for gpu in snapshot.gpus for owner in owners_of(gpu, snapshot, colouring) or ())
        self.counts = dict(sorted(held.items(), key=lambda pair: (-pair[1], pair[0])))
        self._give_letters()
        self._give_colours()

    def _give_letters(self) -> None:
        self._letters = {owner: letter for owner, letter in self._letters.items() if owner in self.counts}
        taken = set(self._letters.values())
        for owner in self.counts:
            if len(taken) == len(ascii_uppercase):
                break
            if owner not in self._letters:
                self._letters[owner] = _free_letter(owner, taken)
                taken.add(self._letters[owner])

    def _give_colours(self) -> None:
        self._colours = {owner: colour for owner, colour in self._colours.items() if owner in self.counts}
        used = Counter(self._colours.values())
        for owner in self.counts:
            if owner not in self._colours:
                self._colours[owner] = min(range(COLOURS), key=lambda colour: used[colour])
                used[self._colours[owner]] += 1

    def letter(self, owner: str) -> str:
        """The sign of an owner."""
        return self._letters.get(owner, OTHERS)

    def cell(self, owners: tuple[str, ...], *, is_idle: bool) -> Cell:
        """The cell of a GPU that these hold: a capital letter while it works, a small one while it idles."""
        idle = "idle-" if is_idle else ""
        if len(owners) != 1:
            return SHARED, f"owner--{idle}shared"
        letter, colour = self.letter(owners[0]), self._colours.get(owners[0], 0)
        return (letter.lower() if is_idle else letter), f"owner--{idle}{colour}"


def owners_of(gpu: Gpu, snapshot: ClusterSnapshot, colouring: Colouring) -> tuple[str, ...] | None:
    """Users or jobs that hold a GPU; () when it is free; None when nothing tells."""
    return snapshot.users_of(gpu) if colouring is Colouring.USER else gpu.jobs


def _free_letter(owner: str, taken: set[str]) -> str:
    """One of its own letters if there is one left, the first before the others."""
    own = [letter for letter in owner.upper() if letter in ascii_uppercase]
    return next(letter for letter in [*own, *list(ascii_uppercase)] if letter not in taken)

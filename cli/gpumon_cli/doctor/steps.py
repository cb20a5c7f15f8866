"""What one step of `gpumon doctor` found, and how it is printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

import msgspec

from gpumon.text import shown
from gpumon_cli.exit_codes import ExitCode
from gpumon_cli.terminal import Terminal


class Mark(Enum):
    """How a step ended."""

    FINE = "fine"
    NOTE = "note"
    """Worth knowing; nothing to do."""
    DOUBT = "doubt"
    """It works, with something missing or wrong."""
    BROKEN = "broken"
    """It does not work."""


_SIGNS = {Mark.FINE: "✓", Mark.NOTE: "·", Mark.DOUBT: "!", Mark.BROKEN: "✗"}
_STYLES = {Mark.FINE: "green", Mark.NOTE: "dim", Mark.DOUBT: "yellow", Mark.BROKEN: "bold red"}


class Step(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    """What was looked at: "configuration", "reach", "auth", "clock", "targets", ..."""
    mark: Mark
    text: str
    """What was found, in one sentence."""
    advice: tuple[str, ...] = ()
    """What to do, one line each."""


class Diagnosis(msgspec.Struct, frozen=True):
    """`gpumon doctor --json`."""

    schema: str
    source: str
    cluster: str
    simulated: bool
    steps: tuple[Step, ...]


def step_lines(steps: Sequence[Step], screen: Terminal) -> Iterator[str]:
    """The steps as people read them."""
    wide = max((len(step.name) for step in steps), default=0)
    for step in steps:
        sign = screen.styled(_SIGNS[step.mark], _STYLES[step.mark])
        yield f"{sign} {step.name:{wide}}  {shown(step.text)}"
        for line in step.advice:
            yield f"  {'':{wide}}  → {shown(line)}"


def verdict(steps: Sequence[Step]) -> str:
    """The steps in one closing sentence."""
    broken = sum(step.mark is Mark.BROKEN for step in steps)
    doubts = sum(step.mark is Mark.DOUBT for step in steps)
    if not broken and not doubts:
        return "All is well."
    words = [f"{broken} broken" if broken else "", f"{doubts} to look at" if doubts else ""]
    return ", ".join(word for word in words if word).capitalize() + "."


def worst_code(steps: Sequence[Step]) -> ExitCode:
    """FINDINGS when a step has something to say; a source out of reach is judged where it is known."""
    return ExitCode.FINDINGS if any(step.mark in (Mark.DOUBT, Mark.BROKEN) for step in steps) else ExitCode.OK

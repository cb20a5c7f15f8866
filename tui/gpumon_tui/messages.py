"""What views tell the app because it concerns more than one screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class JobChosen(Message):
    """Somebody wants to see one job."""

    job: str
    """Its raw id."""

    bubble = True

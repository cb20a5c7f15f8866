"""What views tell the app because it concerns more than one screen."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class JobChosen(Message):
    """Somebody wants to see one job."""

    job: str
    """Its raw id."""


@dataclass
class NodeChosen(Message):
    """Somebody wants to see one node."""

    node: str
    """Its name."""


@dataclass
class GpuChosen(Message):
    """Somebody wants to see one GPU."""

    gpu: str
    """Its key."""

"""What the lab could not do."""

from __future__ import annotations


class LabFailed(Exception):
    """Its text is a sentence for whoever called, with what to do about it where that is known."""

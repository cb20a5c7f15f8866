"""Whether this machine and this run of pytest can have a lab: elsewhere its tests are skipped, and in CI they fail."""

from __future__ import annotations

from lab import ground
from lab.failures import LabFailed
from lab.places import Places
from needs import skipped_or_failed


def require_a_lab(here: Places) -> None:
    """Ends a test that cannot have one, with the reason."""
    try:
        ground.look(here)
    except LabFailed as missing:
        skipped_or_failed(missing)

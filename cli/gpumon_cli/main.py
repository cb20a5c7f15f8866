"""The entry points of `gpumon` and `gpumon-tui`."""

from __future__ import annotations


def main() -> int:
    """The `gpumon` command."""
    return 0


def dashboard() -> int:
    """The `gpumon-tui` command."""
    return 0

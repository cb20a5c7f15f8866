"""How far a server's clock is from ours, by the Date of its answer."""

from __future__ import annotations

from email.utils import parsedate_to_datetime


def clock_difference(date: str, received_at: float, took_seconds: float) -> float | None:
    """Seconds by which the server is ahead (negative: behind); None without a readable Date.

    A Date has no fractions and was written somewhere between request and answer, so a difference within that is 0.
    """
    try:
        told = parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
    if told > received_at:
        return told - received_at
    behind = received_at - took_seconds - (told + 1.0)
    return -behind if behind > 0 else 0.0

"""A scrape target as the server lists it, for the steps that look at targets."""

from __future__ import annotations

import msgspec


class TargetFacts(msgspec.Struct, frozen=True):
    """One scrape target, with what only the server's own list tells."""

    labels: dict[str, str] = {}
    health: str = "unknown"
    last_error: str = msgspec.field(default="", name="lastError")
    scrape_url: str = msgspec.field(default="", name="scrapeUrl")
    scrape_interval: str = msgspec.field(default="", name="scrapeInterval")

    @property
    def job(self) -> str:
        """The scrape job it belongs to."""
        return self.labels.get("job", "?")

    @property
    def instance(self) -> str:
        """Its address, as its series are labelled."""
        return self.labels.get("instance", "?")

"""One claim about the stack that was looked at, and what to do when it does not hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A claim."""

    claim: str
    """What should be so, the same words for every machine: "node_exporter is scraped"."""
    host: str
    """The machine it is about."""
    problem: str = ""
    """Why it is not so; "" when it is."""
    advice: str = ""
    """What to do about that."""
    is_settled: bool = False
    """True when waiting changes nothing."""

    @property
    def is_ok(self) -> bool:
        """True when the claim holds."""
        return not self.problem

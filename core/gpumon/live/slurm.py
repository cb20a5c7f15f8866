"""Reads what Slurm exporters tell: everything when it is due, and at each refresh whether Slurm still answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import structs

from gpumon.live.ask import Ask
from gpumon.model import Tier
from gpumon.prometheus import queries
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.wire import Vector
from gpumon.reading.silence import TargetKey
from gpumon.reading.slurm.dialects import SlurmFound, read_slurm
from gpumon.reading.slurm.standing import Standing, read_standing
from gpumon.source import Parts

_EVERY = {Tier.REGEX: 1, Tier.FULL: 1, Tier.TURNS: 3}


class SlurmReader(msgspec.Struct):
    """What is asked about Slurm, refresh by refresh, and what is kept in between."""

    client: PrometheusClient
    tier: Tier = Tier.REGEX
    found: SlurmFound | None = None
    """What was read last."""
    targets: frozenset[TargetKey] = frozenset()
    """Who told something of Slurm last, be it that they are silent now."""
    _is_whole: bool = False
    """False when of that only who holds how many GPUs was read."""
    _refresh: int = 0
    _ask: Ask[Vector[dict[str, str]]] | None = None
    _promql: str = ""

    def asks(self, parts: Parts) -> list[Ask[Any]]:
        """The requests of this refresh; who wants jobs and no queue gets as much as is needed to place the jobs."""
        turn, self._refresh = self._refresh, self._refresh + 1
        self._promql = ""
        if Parts.SLURM in parts:
            self._promql = self._due(turn)
        elif Parts.JOBS in parts:
            self._promql = queries.SLURM_HOLDING
        promql = self._promql
        self._ask = Ask("slurm", lambda: self.client.query(promql, dict[str, str])) if promql else None
        return [self._ask] if self._ask else []

    def _due(self, turn: int) -> str:
        found = self.found
        if turn % _EVERY[self.tier] == 0 or found is None or found.told is None or not self._is_whole:
            return queries.SLURM_SAMPLES
        return queries.SLURM_STANDING if found.standing else ""

    def take(self) -> None:
        """Takes the answer in; what was not answered stays as it was."""
        if self._ask is None or self._ask.answer is None:
            return
        samples = self._ask.answer.samples
        if self._promql != queries.SLURM_STANDING:
            self.found, self._is_whole = read_slurm(samples), self._promql == queries.SLURM_SAMPLES
        elif self.found is not None and self.found.standing is not None:
            standing = read_standing(samples) or Standing(self.found.standing.target)
            self.found = structs.replace(self.found, standing=standing)
        if self.found is not None:
            self.targets = self.found.targets

    def speaking(self, heard: Callable[[TargetKey], tuple[float | None, bool]]) -> SlurmFound | None:
        """What was read, unless whoever told it has fallen silent: a queue of some minutes ago is no queue."""
        if self.found is None or all(heard(target)[1] for target in self.found.targets):
            return None
        return self.found

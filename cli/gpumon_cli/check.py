"""The judgement of `gpumon status --warn/--crit`, and its line for a monitoring system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gpumon.totals import ClusterTotals
from gpumon_cli.conditions import Condition
from gpumon_cli.exit_codes import CheckCode
from gpumon_cli.measures import MEASURES


class Judged(msgspec.Struct, frozen=True):
    """One condition and what became of it."""

    measure: str
    condition: str
    """As it was typed, without blanks: "hot>0"."""
    severity: str
    """"warning" or "critical"."""
    value: float | None
    """In the unit in which it is typed; None when nothing tells."""
    holds: bool | None
    """None when it cannot be judged."""


class Check(msgspec.Struct, frozen=True):
    """What a monitoring system asks for."""

    warn: tuple[Condition, ...]
    crit: tuple[Condition, ...]

    def judge(self, totals: ClusterTotals) -> tuple[Judged, ...]:
        """Every condition, the critical ones first."""
        pairs = [(each, "critical") for each in self.crit] + [(each, "warning") for each in self.warn]
        return tuple(_judged(condition, severity, totals) for condition, severity in pairs)

    def line(self, totals: ClusterTotals, judged: Sequence[Judged], remark: str = "") -> str:
        """The first line of a monitoring plugin: the word, what holds, and the performance data."""
        code = verdict(judged)
        return f"{code.name} - {'; '.join(_reasons(code, judged))}{remark} | {' '.join(self._performance(totals))}"

    def _performance(self, totals: ClusterTotals) -> Iterator[str]:
        warn = {condition.key: condition.range for condition in self.warn}
        crit = {condition.key: condition.range for condition in self.crit}
        for key, measure in MEASURES.items():
            value = measure.value(totals)
            if value is not None:
                limits = f"{warn.get(key, '')};{crit.get(key, '')};0;{measure.most}".rstrip(";")
                yield f"{key}={plain(value)}{measure.unit};{limits}"


def verdict(judged: Sequence[Judged]) -> CheckCode:
    """Known trouble first, then what cannot be judged, then OK."""
    if any(each.holds and each.severity == "critical" for each in judged):
        return CheckCode.CRITICAL
    if any(each.holds for each in judged):
        return CheckCode.WARNING
    return CheckCode.UNKNOWN if any(each.holds is None for each in judged) else CheckCode.OK


def plain(value: float) -> str:
    """A number without an exponent and without needless digits."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _judged(condition: Condition, severity: str, totals: ClusterTotals) -> Judged:
    value = MEASURES[condition.key].value(totals)
    holds = None if value is None else condition.holds(value)
    return Judged(condition.key, str(condition), severity, value, holds)


def _reasons(code: CheckCode, judged: Sequence[Judged]) -> Iterator[str]:
    for each in judged:
        if each.value is None:
            yield f"{each.condition} cannot be judged: nothing tells"
        elif each.holds or code is CheckCode.OK:
            yield f"{each.measure} is {plain(each.value)}{MEASURES[each.measure].unit} ({each.condition})"

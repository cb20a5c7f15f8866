"""What can be wrong with a GPU card; the slices of one card tell the same about it, so it is found once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from gpumon.findings.finding import Finding
from gpumon.findings.xid import UNKNOWN, XIDS
from gpumon.model import Gpu, GpuDetail, Severity
from gpumon.settings import Thresholds
from gpumon.text import shown
from gpumon.units import Units, count

Value = TypeVar("Value")

_HELD_DOWN = {
    "hardware thermal": "heat",
    "software thermal": "heat",
    "power brake": "the power brake",
    "hardware slowdown": "a hardware slowdown",
}
"""Reasons for low clocks that are faults of power or cooling; a power cap or a clock setting is somebody's wish."""
_COOLING = "Check fans, air flow and inlet temperature."
_LOWER = {Severity.ERROR: Severity.WARNING, Severity.WARNING: Severity.NOTE, Severity.NOTE: Severity.NOTE}


class Card(msgspec.Struct, frozen=True):
    """One card with fresh numbers: a whole GPU, or all of its MIG slices."""

    slices: Sequence[Gpu]

    @property
    def node(self) -> str:
        """The node it sits in."""
        return self.slices[0].node

    @property
    def name(self) -> str:
        """How people name it: "GPU 3 of gpu07"."""
        device = self.slices[0].device
        number = shown(device.uuid, 44) if device.index is None else str(device.index)
        return f"GPU {number} of {shown(device.node, 80)}"

    def first(self, fact: Callable[[GpuDetail], Value | None]) -> Value | None:
        """What the first slice that knows says about the card."""
        for each in self.slices:
            value = fact(each.detail)
            if value is not None:
                return value
        return None

    def finding(self, severity: Severity, kind: str, what: str, advice: str) -> Finding:
        """Something that is wrong with this card."""
        gpu = self.slices[0].key
        return Finding(severity, kind, self.name, "gpus", f"{self.name} {what}", advice, self.node, gpu)


Check = Callable[[Card, Thresholds], Iterable[Finding]]


def cards(gpus: Iterable[Gpu]) -> Iterator[Card]:
    """The cards behind all GPUs whose numbers are not old, in their order."""
    found: dict[str, list[Gpu]] = {}
    for gpu in gpus:
        if not gpu.is_stale:
            found.setdefault(gpu.device.uuid, []).append(gpu)
    return map(Card, found.values())


def xid(card: Card, _: Thresholds) -> Iterator[Finding]:
    """The last XID error; the exporter repeats it until its restart, so an old one counts one step less."""
    code = card.first(lambda detail: detail.xid)
    if not code:
        return
    known = XIDS.get(code, UNKNOWN)
    is_old = card.first(lambda detail: detail.xid_recent) == 0
    severity = _LOWER[known.severity] if is_old else known.severity
    when = ", not within the last minutes" if is_old else ""
    yield card.finding(severity, "xid", f"last reported XID {code}: {known.words}{when}", known.advice)


def ecc(card: Card, _: Thresholds) -> Iterator[Finding]:
    """Memory errors that could not be corrected, since the driver was loaded."""
    errors = card.first(lambda detail: detail.ecc_uncorrected)
    if errors:
        what = f"had {count(errors)} uncorrectable ECC error{'' if errors == 1 else 's'} since its driver was loaded"
        yield card.finding(Severity.ERROR, "ecc", what, "Drain the node, reset the GPU and run `dcgmi diag -r 3`.")


def remap(card: Card, _: Thresholds) -> Iterator[Finding]:
    """Memory rows that could not be remapped, or that wait for a reset to be."""
    if card.first(lambda detail: detail.row_remap_failed):
        yield card.finding(Severity.ERROR, "remap", "could not remap a broken memory row", "Have the card replaced.")
    elif card.first(lambda detail: detail.row_remap_pending):
        advice = "Reset the GPU when no job holds it."
        yield card.finding(Severity.WARNING, "remap", "waits for a reset to remap a broken memory row", advice)


def hot(card: Card, thresholds: Thresholds) -> Iterator[Finding]:
    """A temperature at a threshold or above."""
    degrees = max(
        (each.temperature_celsius for each in card.slices if each.temperature_celsius is not None), default=None
    )
    if degrees is None or degrees < thresholds.temperature_celsius:
        return
    is_critical = degrees >= thresholds.temperature_critical_celsius
    what = f"is {'dangerously ' if is_critical else ''}hot: {Units().degrees(degrees)}"
    yield card.finding(Severity.ERROR if is_critical else Severity.WARNING, "hot", what, _COOLING)


def throttled(card: Card, _: Thresholds) -> Iterator[Finding]:
    """Clocks held down by heat or by the power supply."""
    reasons = card.first(lambda detail: detail.throttle_reasons)
    if not reasons:
        return
    causes = dict.fromkeys(_HELD_DOWN[reason] for reason in reasons if reason in _HELD_DOWN)
    if len(causes) > 1:
        causes.pop("a hardware slowdown", None)
    if causes:
        advice = _COOLING if "heat" in causes else "Check the node's power supplies and their limits."
        yield card.finding(Severity.WARNING, "throttled", f"is slowed down by {' and '.join(causes)}", advice)


CARD_CHECKS: tuple[Check, ...] = (xid, ecc, remap, hot, throttled)
"""Each looks at one card."""

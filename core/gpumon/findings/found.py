"""All checks over one snapshot, their findings in the order of urgency."""

from __future__ import annotations

from collections.abc import Iterator

from gpumon.findings.cards import CARD_CHECKS, cards
from gpumon.findings.finding import Finding
from gpumon.findings.nodes import NODE_CHECKS
from gpumon.findings.reports import SNAPSHOT_CHECKS
from gpumon.model import ClusterSnapshot, Severity
from gpumon.settings import Thresholds

_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.NOTE)
_KINDS = (
    "lost", "xid", "ecc", "remap", "out_of_use", "silent", "hot", "throttled", "alert", "problem", "disk", "memory",
    "idle",
)  # fmt: skip
"""Among findings of one severity the hardware comes first."""


def findings(snapshot: ClusterSnapshot, thresholds: Thresholds) -> tuple[Finding, ...]:
    """What needs a look, the most urgent first, each thing once; what is not known, or old, is never found.

    Among equals the snapshot's own order holds, so that nothing jumps from one refresh to the next.
    """
    found = dict.fromkeys(_all(snapshot, thresholds))
    return tuple(sorted(found, key=lambda each: (_SEVERITIES.index(each.severity), _KINDS.index(each.kind))))


def _all(snapshot: ClusterSnapshot, thresholds: Thresholds) -> Iterator[Finding]:
    for card in cards(snapshot.gpus):
        for check in CARD_CHECKS:
            yield from check(card, thresholds)
    for node in snapshot.nodes:
        for examine in NODE_CHECKS:
            yield from examine(node, snapshot, thresholds)
    for look in SNAPSHOT_CHECKS:
        yield from look(snapshot, thresholds)

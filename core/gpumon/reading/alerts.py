"""From Prometheus' own lists of alerts and scrape targets to the model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from gpumon.model import Alert, Target
from gpumon.prometheus.wire import WireAlert, WireTarget
from gpumon.reading.names import NodeNames
from gpumon.text import natural_key

_URGENCY = {"critical": 0, "error": 1, "warning": 2, "info": 3}


def epoch(stamp: str) -> float | None:
    """An RFC 3339 time in seconds since the epoch; None for an empty, broken or zero one (year 1: "never")."""
    text = stamp.strip().replace("Z", "+00:00")
    whole, dot, rest = text.partition(".")
    if dot:
        digits = rest[: next((i for i, letter in enumerate(rest) if not letter.isdigit()), len(rest))]
        text = f"{whole}.{digits[:6]:0<6}{rest[len(digits) :]}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.year < 1971 or moment.tzinfo is None else moment.timestamp()


_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800, "y": 31_536_000}
_DURATION = re.compile(r"(?:[0-9]+(?:[.][0-9]+)?(?:ms|[smhdwy]))+")
_STEP = re.compile(r"([0-9.]+)(ms|[smhdwy])")


def seconds(duration: str) -> float | None:
    """A Prometheus duration, "1m30s" or "15s" or "500ms"; None when it is not one, or no time at all."""
    if not _DURATION.fullmatch(duration):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _STEP.findall(duration)) or None


def alerts(told: Iterable[WireAlert], names: NodeNames) -> tuple[Alert, ...]:
    """Firing ones first, the most severe first, then by name and node."""
    found = [_alert(alert, names) for alert in told]
    return tuple(
        sorted(
            found,
            key=lambda alert: (
                alert.state != "firing",
                _URGENCY.get(alert.severity, 4),
                alert.name,
                natural_key(alert.node or ""),
            ),
        )
    )


def _alert(told: WireAlert, names: NodeNames) -> Alert:
    labels = told.labels
    node = names.of(
        node=labels.get("node", ""),
        hostname=labels.get("Hostname", labels.get("hostname", "")),
        instance=labels.get("instance", ""),
    )
    notes = told.annotations
    return Alert(
        name=labels.get("alertname", ""),
        state=told.state,
        severity=labels.get("severity", "").lower(),
        node=node or None,
        summary=notes.get("summary") or notes.get("description") or notes.get("message", ""),
        labels=tuple(sorted((name, text) for name, text in labels.items() if name not in {"alertname", "severity"})),
        since=epoch(told.activeAt),
    )


def targets(told: Iterable[WireTarget], names: NodeNames) -> tuple[Target, ...]:
    """Broken ones first, then by job and instance."""
    found = [
        Target(
            job=target.labels.get("job", target.scrapePool),
            instance=target.labels.get("instance", ""),
            node=names.of(node=target.labels.get("node", ""), instance=target.labels.get("instance", "")),
            health=target.health or "unknown",
            last_error=target.lastError,
            scraped_at=epoch(target.lastScrape),
            scrape_interval_seconds=seconds(target.scrapeInterval),
        )
        for target in told
    ]
    return tuple(sorted(found, key=lambda target: (target.health == "up", target.job, natural_key(target.instance))))

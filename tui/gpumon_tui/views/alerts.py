"""What fires, which scrape targets are broken, and how good the data is."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from gpumon.columns import ALERT_COLUMNS, TARGET_COLUMNS
from gpumon.model import Alert, Target
from gpumon.text import shown
from gpumon_tui.picture import Picture
from gpumon_tui.tones import ALERT_TONES, TARGET_TONES
from gpumon_tui.views.table_view import TableView
from gpumon_tui.widgets.listing import Rows
from gpumon_tui.widgets.narrowing import narrowed
from gpumon_tui.widgets.quality import DataQuality
from gpumon_tui.widgets.table import RowTable

_ALERTS = {"state": 7, "severity": 8, "alert": 20, "node": 10, "since": 5, "summary": 50}
_TARGETS = {"health": 7, "job": 10, "instance": 18, "age": 5, "error": 60}
_HEALTH = ("down", "unknown", "up")
_STATES = ("firing", "pending")


class AlertsView(TableView):
    """Alerts and targets as tables, data quality as text."""

    def parts(self) -> Iterable[Widget]:
        """What is urgent first."""
        shown_units = self.settings.units
        alerts = Rows(
            narrowed(ALERT_COLUMNS, _ALERTS), _alert_key, ALERT_TONES, copied=lambda alert: alert.summary or alert.name
        )
        targets = Rows(
            narrowed(TARGET_COLUMNS, _TARGETS),
            lambda target: f"{target.job}\0{target.instance}",
            TARGET_TONES,
            copied=lambda target: target.instance,
        )
        self._alerts = RowTable(alerts, units=shown_units, id="alerts")
        self._targets = RowTable(targets, units=shown_units, id="targets")
        self._quality = DataQuality()
        yield Horizontal(Vertical(self._alerts, self._targets, id="tables"), self._quality, id="body")

    @property
    def table(self) -> RowTable[Alert]:
        """Alerts."""
        return self._alerts

    def show(self, picture: Picture) -> None:
        """Puts a picture on every part."""
        snapshot = picture.snapshot
        waiting = "Waiting for the first data…" if picture.is_empty else ""
        no_alerts = "✓ No alert." if snapshot.alerts is not None else "The source does not tell of alerts."
        self._alerts.empty = waiting or self._failure("alerts") or no_alerts
        self._alerts.put(sorted(snapshot.alerts or (), key=_alert_urgency), snapshot)
        broken = [target for target in snapshot.targets or () if target.health != "up"]
        no_targets = (
            "The source does not list its targets."
            if snapshot.targets is None
            else f"✓ All {len(snapshot.targets)} targets are up."
            if snapshot.targets
            else "The source has no targets."
        )
        self._targets.empty = waiting or self._failure("targets") or no_targets
        self._targets.put(sorted(broken, key=_target_urgency), snapshot)
        self._quality.put(picture)

    def _failure(self, part: str) -> str:
        """Why a part is not known; empty when nothing went wrong with it."""
        return next((f"! {shown(problem.text)}" for problem in self.problems_of(part)), "")


def _alert_key(alert: Alert) -> str:
    return "\0".join((alert.name, *(f"{key}={value}" for key, value in alert.labels), alert.node or ""))


def _alert_urgency(alert: Alert) -> tuple[int, int, float]:
    state = _STATES.index(alert.state) if alert.state in _STATES else len(_STATES)
    severity = {"critical": 0, "page": 0, "error": 0, "warning": 1}.get(alert.severity, 2)
    return state, severity, -(alert.since or 0.0)


def _target_urgency(target: Target) -> int:
    return _HEALTH.index(target.health) if target.health in _HEALTH else len(_HEALTH)

"""Prometheus' alerts and targets, times and durations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpumon.prometheus.wire import WireAlert, WireTarget
from gpumon.reading.alerts import alerts, epoch, seconds, targets
from gpumon.reading.names import NodeNames


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T21:36:25.500491123Z", 1795469785.500491),
        ("2026-11-23T22:36:25+01:00", 1795469785.0),
        ("2026-11-23T21:36:25.5Z", 1795469785.5),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("yesterday", None),
        ("2026-11-23T21:36:25", None),
    ],
)
def test_times_are_read_in_every_precision(text: str, moment: float | None) -> None:
    assert epoch(text) == (None if moment is None else pytest.approx(moment))


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("15s", 15.0),
        ("1m30s", 90.0),
        ("500ms", 0.5),
        ("2h", 7200.0),
        ("", None),
        ("s", None),
        ("7", None),
        ("¹w", None),
        ("1.2.3s", None),
    ],
)
def test_durations_are_read(text: str, length: float | None) -> None:
    assert seconds(text) == length


@given(st.text())
def test_no_text_breaks_a_time_or_a_duration(text: str) -> None:
    epoch(text)
    seconds(text)


def test_the_most_urgent_alert_comes_first_with_its_node() -> None:
    told = [
        WireAlert(
            {"alertname": "Low", "severity": "info", "instance": "gpu02:9400"}, {}, "firing", "2026-11-23T21:36:25Z"
        ),
        WireAlert({"alertname": "Soon", "severity": "critical", "node": "gpu03"}, {"description": "d"}, "pending"),
        WireAlert({"alertname": "Hot", "severity": "Critical", "Hostname": "gpu01.lab"}, {"summary": "s"}, "firing"),
    ]
    found = alerts(told, NodeNames())
    assert [(alert.name, alert.node, alert.severity) for alert in found] == [
        ("Hot", "gpu01", "critical"),
        ("Low", "gpu02", "info"),
        ("Soon", "gpu03", "critical"),
    ]
    assert (found[0].summary, found[2].summary, found[1].since) == ("s", "d", 1795469785.0)


def test_broken_targets_come_first() -> None:
    told = [
        WireTarget(labels={"job": "node", "instance": "a:9100"}, health="up", scrapeInterval="15s"),
        WireTarget(labels={"job": "dcgm", "instance": "b:9400"}, health="down", lastError="refused"),
        WireTarget(labels={"instance": "c:1"}, scrapePool="pool"),
    ]
    found = targets(told, NodeNames())
    assert [(target.node, target.health) for target in found] == [("b", "down"), ("c", "unknown"), ("a", "up")]
    assert (found[0].last_error, found[2].scrape_interval_seconds, found[1].job) == ("refused", 15.0, "pool")

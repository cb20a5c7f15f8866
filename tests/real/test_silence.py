"""What falls silent under a running gpumon: an exporter, and Prometheus itself; and what real rules say about it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gpumon.errors import SourceError
from gpumon.live.source import PrometheusSource
from gpumon.model import ClusterSnapshot
from real.conftest import StartEngine
from real.daemons import Engine, ScrapeJob, until
from real.exporters import TextExporter, captured

Serve = Callable[[str], TextExporter]
SourceOf = Callable[[Engine], PrometheusSource]

RULES = json.dumps(
    {
        "groups": [
            {
                "name": "exporters",
                "rules": [
                    {
                        "alert": "ExporterDown",
                        "expr": "up == 0",
                        "labels": {"severity": "critical"},
                        "annotations": {"summary": "{{ $labels.instance }} does not answer"},
                    }
                ],
            }
        ]
    }
)


def of_node(snapshot: ClusterSnapshot, node: str) -> tuple[float | None, bool]:
    """Temperature of a node's first GPU, and whether it is said to be old; unknown while the engine hands out neither.

    VictoriaMetrics makes the samples of one scrape visible one after the other.
    """
    gpus = snapshot.gpus_of(node)
    if not gpus:
        return None, False
    gpu = gpus[0]
    return gpu.temperature_celsius, gpu.is_stale


def test_a_silent_exporters_numbers_stay_are_old_and_are_named(
    start_engine: StartEngine, serve: Serve, source_of: SourceOf
) -> None:
    lively, dying = serve(captured("dcgm-l4-eks")), serve(captured("dcgm-l40s-upcloud"))
    engine = start_engine(
        ScrapeJob("dcgm", {"i-030791dc5a37cd257:9400": lively.address, "gpu1-wl8sg:9400": dying.address})
    )
    source = source_of(engine)
    before = source.snapshot()
    assert of_node(before, "gpu1-wl8sg") == (32.0, False)
    last_heard = before.gpus_of("gpu1-wl8sg")[0].sampled_at
    assert last_heard is not None

    dying.stop()
    until(lambda: of_node(source.snapshot(), "gpu1-wl8sg")[1], "an old number that is called old")
    until(lambda: source.snapshot().taken_at > last_heard + 4, "some seconds of silence")

    after = source.snapshot()
    assert of_node(after, "gpu1-wl8sg") == (32.0, True)
    assert of_node(after, "i-030791dc5a37cd257") == (31.0, False)
    sampled_at = after.gpus_of("gpu1-wl8sg")[0].sampled_at
    assert sampled_at is not None
    assert last_heard - 1 <= sampled_at < last_heard + 3
    assert any("gpu1-wl8sg" in problem.text for problem in after.problems)


def test_an_exporter_that_was_silent_before_gpumon_started_is_still_shown(
    start_engine: StartEngine, serve: Serve, source_of: SourceOf
) -> None:
    lively, dead = serve(captured("dcgm-l4-eks")), serve(captured("dcgm-l40s-upcloud"))
    engine = start_engine(
        ScrapeJob("dcgm", {"i-030791dc5a37cd257:9400": lively.address, "gpu1-wl8sg:9400": dead.address})
    )
    dead.stop()
    engine.wait_for('sum_over_time((up{instance="gpu1-wl8sg:9400"} == bool 0)[20s:1s]) > 5')
    snapshot = source_of(engine).snapshot()
    assert of_node(snapshot, "gpu1-wl8sg") == (32.0, True)
    assert any("gpu1-wl8sg" in problem.text for problem in snapshot.problems)


def test_a_source_outlives_its_prometheus(start_engine: StartEngine, serve: Serve, source_of: SourceOf) -> None:
    engine = start_engine(ScrapeJob("dcgm", {"i-030791dc5a37cd257:9400": serve(captured("dcgm-l4-eks")).address}))
    source = source_of(engine)
    assert len(source.snapshot().gpus) == 1

    engine.daemon.kill()
    with pytest.raises(SourceError, match="Nobody listens"):
        source.snapshot()

    engine.daemon.start()
    engine.wait_for_scrapes(1)
    assert of_node(source.snapshot(), "i-030791dc5a37cd257") == (31.0, False)


def test_firing_alerts_are_those_of_prometheus_own_rules(
    start_prometheus: StartEngine, serve: Serve, source_of: SourceOf
) -> None:
    lively, dead = serve(captured("dcgm-l4-eks")), serve("")
    dead.stop()
    engine = start_prometheus(
        ScrapeJob("dcgm", {"i-030791dc5a37cd257:9400": lively.address, "gpu07:9400": dead.address}), rules=RULES
    )
    engine.wait_for("ALERTS")
    alerts = source_of(engine).snapshot().alerts
    assert alerts is not None
    (alert,) = alerts
    assert (alert.name, alert.state, alert.severity) == ("ExporterDown", "firing", "critical")
    assert (alert.node, alert.summary) == ("gpu07", "gpu07:9400 does not answer")
    assert alert.since is not None


def test_a_broken_target_is_listed_with_its_error(start_engine: StartEngine, serve: Serve, source_of: SourceOf) -> None:
    lively, dead = serve(captured("dcgm-l4-eks")), serve("")
    dead.stop()
    engine = start_engine(ScrapeJob("dcgm", {"i-030791dc5a37cd257:9400": lively.address, "gpu07:9400": dead.address}))
    targets = {target.instance: target for target in source_of(engine).snapshot().targets or ()}
    assert targets["i-030791dc5a37cd257:9400"].health == "up"
    assert targets["gpu07:9400"].health == "down"
    assert targets["gpu07:9400"].node == "gpu07"
    assert "refused" in targets["gpu07:9400"].last_error


def test_an_engine_that_scrapes_nothing_of_ours_says_so(
    start_engine: StartEngine, serve: Serve, source_of: SourceOf
) -> None:
    engine = start_engine(ScrapeJob("other", {"web:80": serve("http_requests_total 5\n").address}))
    with pytest.raises(SourceError, match="scrapes 1 target"):
        source_of(engine).snapshot()

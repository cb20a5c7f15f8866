"""The engines that other tests rely on: they scrape, keep, and come back with what they kept."""

from __future__ import annotations

from collections.abc import Callable

from real.conftest import StartEngine
from real.daemons import Daemon, ScrapeJob, until
from real.exporters import TextExporter, captured


def test_the_chosen_instance_is_what_the_series_say(
    start_engine: StartEngine, serve: Callable[[str], TextExporter]
) -> None:
    exporter = serve("hot_gpus 2\n")
    engine = start_engine(ScrapeJob("dcgm", {"server-a:9400": exporter.address}))
    (sample,) = engine.query("hot_gpus")
    assert (sample.labels["instance"], sample.labels["job"], sample.value) == ("server-a:9400", "dcgm", 2)


def test_a_stopped_exporter_is_a_target_that_is_down(
    start_engine: StartEngine, serve: Callable[[str], TextExporter]
) -> None:
    exporter = serve(captured("dcgm-l4-eks"))
    engine = start_engine(ScrapeJob("dcgm", {"server-a:9400": exporter.address}))
    exporter.stop()
    engine.wait_for("up == 0")


def test_a_killed_engine_comes_back_on_its_port_with_what_it_knew(
    start_prometheus: StartEngine, serve: Callable[[str], TextExporter]
) -> None:
    engine = start_prometheus(ScrapeJob("dcgm", {"server-a:9400": serve("hot_gpus 2\n").address}))
    port, pid = engine.daemon.port, engine.daemon.pid
    engine.daemon.kill()
    engine.daemon.start()
    assert engine.daemon.port == port
    assert engine.daemon.pid != pid
    until(lambda: bool(engine.query("hot_gpus")), "the old samples")


def test_a_real_node_exporter_is_scraped(start_engine: StartEngine, node_exporter: Daemon) -> None:
    engine = start_engine(ScrapeJob("node", {"server-a:9100": f"127.0.0.1:{node_exporter.port}"}))
    (memory,) = engine.query("node_memory_MemTotal_bytes")
    assert memory.value > 1e8

"""A real Prometheus takes what the Slurm exporter serves, whole and unchanged, and promtool has nothing to say."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from exporter_readings import DOWN, FULL, HOSTILE, crowded
from gpumon_exporter.metrics.store import Choice, Store
from gpumon_exporter.service import site
from gpumon_exporter.web.listening import Address
from gpumon_exporter.web.protection import Protection
from gpumon_exporter.web.server import WebServer
from gpumon_exporter.web.site import Wishes
from needs import skipped_or_failed
from real.conftest import StartEngine
from real.daemons import Missing, ScrapeJob, program

USUAL = r"_total|_node_count"
"""vpenso's gauges are named like counters, and dashboards ask for them so; a count of nodes is no histogram."""
FOR_EVER = 1e9


@contextmanager
def served(store: Store) -> Generator[str]:
    """The exporter's pages on the loopback; gives host and port."""
    web = WebServer(Address("127.0.0.1", 0), site(store), Protection(None))
    web.start()
    try:
        yield web.names[0]
    finally:
        web.close()


def test_promtool_has_nothing_to_say_but_that_gauges_are_named_like_counters() -> None:
    try:
        promtool = program("promtool", "system")
    except Missing as missing:
        skipped_or_failed(missing)
        raise
    for reading in (FULL, DOWN, crowded(50, 100)):
        store = Store(Choice(), 1.0)
        store.publish(reading, FOR_EVER)
        for page in (store.metrics, store.jobs):
            text = b"".join(page(Wishes()).parts)
            done = subprocess.run([*promtool, "check", "metrics"], input=text, capture_output=True, check=False)
            assert done.returncode in {0, 3}, "broken text is exit code 1"
            assert not [line for line in done.stderr.decode().splitlines() if line and not re.search(USUAL, line)]


def test_a_scrape_keeps_every_series_and_a_strangers_name_unchanged(start_engine: StartEngine) -> None:
    store = Store(Choice(job_metrics=False), 1.0)
    store.publish(FULL, FOR_EVER)
    with served(store) as address:
        jobs = (ScrapeJob("slurm", {"head": address}), ScrapeJob("jobs", {"head": f"{address}/metrics/jobs"}))
        engine = start_engine(*jobs)
        assert [sample.value for sample in engine.query("up")] == [1, 1]
        (info,) = engine.query('gpumon_job_info{job_id="101"}')
        assert info.labels["name"] == HOSTILE
        assert info.labels["job"] == "jobs"
        (held,) = engine.query("count(gpumon_job_gpu)")
        assert held.value == 4
        (alloc,) = engine.query("slurm_gpus_alloc")
        assert alloc.value == 7
        store.publish(DOWN, FOR_EVER)
        engine.wait_for("slurm_up == 0")
        engine.wait_for("absent(slurm_gpus_alloc) and absent(gpumon_job_info)", "what Slurm said is gone")

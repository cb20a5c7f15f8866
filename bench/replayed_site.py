"""A site whose answers cost its server nothing, for what shall be measured at the dashboard alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from floor import Recorder, Request
from gpumon.live.source import PrometheusSource
from gpumon.prometheus.client import PrometheusClient
from gpumon.settings import PrometheusSettings, Settings
from real.daemons import until
from replay import APART_SECONDS, MOMENTS
from simulated_site import Site

HISTORY_SECONDS = APART_SECONDS * MOMENTS + 60
"""What there must be before the first of the moments for rates to be known."""
WARM_UP = 45
"""Refreshes in which even what is read in turns was asked for at every moment."""


@contextmanager
def replayed(place: Site, step: float) -> Generator[str]:
    """A server that answers like the site at some moments, which costs it nothing."""
    until(lambda: bool(place.engine.query(f"up offset {HISTORY_SECONDS}s")), "history", 240)
    command = [sys.executable, str(Path(__file__).parent / "replay.py"), place.url, str(step)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
            source = PrometheusSource(Settings(prometheus=PrometheusSettings(url=url)))
            for _ in range(WARM_UP):
                source.snapshot()
                time.sleep(step / 4)
            source.close()
            yield url
        finally:
            process.kill()


def first_requests(url: str) -> list[Request]:
    """What the first picture asks for."""
    recorder = Recorder()
    settings = PrometheusSettings(url=url)
    source = PrometheusSource(Settings(prometheus=settings), PrometheusClient(settings, transport=recorder))
    source.snapshot()
    source.close()
    return recorder.taken()

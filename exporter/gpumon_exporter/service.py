"""The exporter at work: it reads Slurm in the background and answers scrapes until it is told to end."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol

from gpumon_exporter import __version__
from gpumon_exporter.metrics.store import Choice, Store
from gpumon_exporter.options import Options
from gpumon_exporter.poller import Pace, Poller
from gpumon_exporter.slurm.records import Reading
from gpumon_exporter.web.protection import Protection
from gpumon_exporter.web.server import WebServer
from gpumon_exporter.web.site import Site, Wishes, index_page, text_page

PAGES = (
    ("/metrics", "everything"),
    ("/metrics/jobs", "single jobs and the GPUs that they hold"),
    ("/healthz", "whether the exporter works"),
)
_SWITCH_SECONDS = 0.0002
"""How soon a scrape gets its turn while a reading is worked on; Python's own 5 ms add up, ten turns to an answer."""
_LAST_WORDS_SECONDS = 2.0
"""How long a reading may take to notice that it is over."""

_log = logging.getLogger(__name__)


class Reader(Protocol):
    """Reads Slurm."""

    def read(self) -> Reading:
        """One reading, also when Slurm does not answer."""
        ...

    def stop(self) -> None:
        """Ends a command that runs, and lets none begin."""
        ...


def serve(options: Options, reader: Reader) -> int:
    """Works until SIGTERM or SIGINT; the exit code."""
    pace = Pace(options.interval, options.timeout)
    store = Store(Choice(not options.no_vpenso_names, not options.no_job_metrics), pace.first_within)
    web = WebServer(options.listen, site(store), Protection(options.web_config_file))
    stopped = threading.Event()
    poller = threading.Thread(target=Poller(reader.read, store.publish, pace, stopped).run, name="poller", daemon=True)
    sys.setswitchinterval(_SWITCH_SECONDS)
    with _told_to_end(stopped) as was_told:
        web.start()
        poller.start()
        _log.info("gpumon-slurm-exporter %s listens on %s", __version__, ", ".join(web.names))
        stopped.wait()
        web.close()
        reader.stop()
        poller.join(_LAST_WORDS_SECONDS)
    return 0 if was_told() else 1


def once(options: Options, reader: Reader) -> int:
    """Prints the metrics of one reading; the exit code is 1 when Slurm does not answer."""
    store = Store(Choice(not options.no_vpenso_names), 0.0)
    reading = reader.read()
    store.publish(reading, options.interval)
    sys.stdout.buffer.write(b"".join(store.metrics(Wishes()).parts))
    sys.stdout.flush()
    for result in reading.commands:
        if not result.is_ok:
            _log.warning("%s: %s", result.name, result.error)
    return 0 if reading.is_up else 1


def site(store: Store) -> Site:
    """The pages of the exporter."""
    return {
        "/": index_page(PAGES),
        "/metrics": store.metrics,
        "/metrics/jobs": store.jobs,
        "/healthz": text_page(store.summary),
    }


@contextmanager
def _told_to_end(stopped: threading.Event) -> Generator[Callable[[], bool]]:
    """Takes SIGTERM and SIGINT as the wish to end; gives whether one came."""
    told = threading.Event()

    def end(*_: object) -> None:
        told.set()
        stopped.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

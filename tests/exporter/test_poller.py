"""Slurm is read on time, never twice at once, and its troubles are said once."""

from __future__ import annotations

import logging
import threading

import pytest

from exporter_readings import DOWN, FULL
from gpumon_exporter.poller import Pace, Poller
from gpumon_exporter.slurm.records import Reading

PATIENCE = 20.0


def polled(readings: list[Reading], interval: float = 0.01) -> list[tuple[Reading, float]]:
    """What is published until these readings are used up."""
    stopped = threading.Event()
    published: list[tuple[Reading, float]] = []
    left = list(readings)

    def publish(reading: Reading, good_for: float) -> None:
        published.append((reading, good_for))
        if not left:
            stopped.set()

    Poller(lambda: left.pop(0), publish, Pace(interval, 1.0), stopped).run()
    return published


def test_every_reading_is_published_in_its_order() -> None:
    readings = [FULL, DOWN, FULL]
    assert [reading for reading, _ in polled(readings)] == readings


@pytest.mark.parametrize(("took", "good_for"), [(0.1, 25.0), (14.9, 25.0), (15.1, 40.0), (40.0, 55.0)])
def test_a_reading_is_shown_until_the_next_one_should_long_be_there(took: float, good_for: float) -> None:
    assert Pace(15.0, 10.0).good_for(took) == good_for


def test_a_trouble_is_said_once_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        polled([DOWN, DOWN, DOWN, FULL, FULL])
    assert [record.getMessage() for record in caplog.records] == [
        "squeue: no answer",
        "squeue: works again",
        "sdiag: sdiag gave no answer within 10 s",
    ]


def test_a_stopped_poller_publishes_nothing_more() -> None:
    stopped = threading.Event()
    published: list[Reading] = []

    def read() -> Reading:
        stopped.set()
        return DOWN

    Poller(read, lambda reading, _: published.append(reading), Pace(0.01, 1.0), stopped).run()
    assert not published


def test_it_stops_at_once_in_the_middle_of_its_pause() -> None:
    stopped, was_read = threading.Event(), threading.Event()

    def publish(reading: Reading, good_for: float) -> None:
        was_read.set()

    poller = Poller(lambda: FULL, publish, Pace(3600.0, 1.0), stopped)
    thread = threading.Thread(target=poller.run)
    thread.start()
    assert was_read.wait(PATIENCE)
    stopped.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_mistake_of_ours_ends_everything() -> None:
    stopped = threading.Event()

    def read() -> Reading:
        raise ZeroDivisionError

    def publish(reading: Reading, good_for: float) -> None:
        raise AssertionError

    with pytest.raises(ZeroDivisionError):
        Poller(read, publish, Pace(1.0, 1.0), stopped).run()
    assert stopped.is_set()

"""A scrape gets the last reading while it is fresh, and otherwise no word of Slurm at all."""

from __future__ import annotations

import gzip
import threading
from dataclasses import replace

import pytest

from exporter_readings import DOWN, FULL, Series, crowded, names, series, value
from gpumon_exporter.clock import Clock
from gpumon_exporter.metrics.store import OPENMETRICS, PLAIN, Choice, Store
from gpumon_exporter.web.site import Answer, Wishes

ASKS_FOR_OPENMETRICS = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.2"
OF_SLURM = ("slurm_", "gpumon_job", "gpumon_node", "gpumon_partition", "gpumon_user", "gpumon_pending", "gpumon_res")


class Watch:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.passed = 100.0

    def clock(self) -> Clock:
        """It, for a store."""
        return Clock(passed=lambda: self.passed)


@pytest.fixture
def watch() -> Watch:
    """Stands still until it is turned."""
    return Watch()


@pytest.fixture
def store(watch: Watch) -> Store:
    """A store whose first reading is awaited for 25 s."""
    return Store(Choice(), 25.0, watch.clock())


def text(answer: Answer) -> str:
    """An answer's text, unpacked."""
    body = b"".join(answer.parts)
    return (gzip.decompress(body) if answer.is_gzipped else body).decode()


def told(store: Store, accept: str = "") -> Series:
    """What a scrape of everything gets."""
    return series(text(store.metrics(Wishes(accept))), is_openmetrics=bool(accept))


def of_slurm(found: Series) -> set[str]:
    """Names of what only Slurm can know."""
    return {name for name in names(found) if name.startswith(OF_SLURM) and name != "slurm_up"}


def test_both_formats_tell_the_same(store: Store) -> None:
    store.publish(FULL, 25.0)
    plain, openmetrics = told(store), told(store, ASKS_FOR_OPENMETRICS)
    changing = ("process_", "gpumon_exporter_reading_age")
    assert {k: v for k, v in plain.items() if not k[0].startswith(changing)} == {
        k: v for k, v in openmetrics.items() if not k[0].startswith(changing)
    }
    assert names(plain) == names(openmetrics)
    assert store.metrics(Wishes("")).content_type == PLAIN
    assert store.metrics(Wishes(ASKS_FOR_OPENMETRICS)).content_type == OPENMETRICS
    assert text(store.jobs(Wishes(ASKS_FOR_OPENMETRICS))).endswith("# EOF\n")


@pytest.mark.parametrize("accept", ["", ASKS_FOR_OPENMETRICS])
def test_a_compressed_answer_is_the_same_text(store: Store, accept: str) -> None:
    store.publish(crowded(20, 50), 25.0)
    for page in (store.jobs, store.metrics):
        packed, plain = page(Wishes(accept, gzip=True)), page(Wishes(accept))
        assert packed.is_gzipped
        assert not plain.is_gzipped
        found = series(text(packed), is_openmetrics=bool(accept))
        assert found.keys() == series(text(plain), is_openmetrics=bool(accept)).keys()


def test_jobs_are_on_a_page_of_their_own_and_on_that_of_everything_unless_switched_off(watch: Watch) -> None:
    for is_on in (True, False):
        store = Store(Choice(job_metrics=is_on), 25.0, watch.clock())
        store.publish(FULL, 25.0)
        assert ("gpumon_job_info" in names(told(store))) is is_on
        assert "gpumon_finished_job_info" in names(told(store))
        jobs = series(text(store.jobs(Wishes())))
        assert all(name.startswith("gpumon_job_") for name in names(jobs))
        assert "gpumon_job_gpu" in names(jobs)


def test_vpenso_names_can_be_left_to_another_exporter(watch: Watch) -> None:
    store = Store(Choice(vpenso_names=False), 25.0, watch.clock())
    store.publish(FULL, 25.0)
    assert {name for name in names(told(store)) if name.startswith("slurm_")} == {"slurm_up"}


def test_before_the_first_reading_nobody_says_that_slurm_is_up_or_down(store: Store, watch: Watch) -> None:
    assert value(told(store), "slurm_up") is None
    assert not of_slurm(told(store))
    assert "gpumon_exporter_info" in names(told(store))
    assert store.summary() == "ok\nthe first reading of Slurm is under way, it never answered\n"
    watch.passed += 25.0
    assert value(told(store), "slurm_up") == 0, "it should long be there"


def test_when_slurm_does_not_answer_its_series_are_gone_and_the_age_grows(store: Store, watch: Watch) -> None:
    store.publish(FULL, 25.0)
    assert (value(told(store), "slurm_up"), value(told(store), "gpumon_exporter_reading_age_seconds")) == (1, 0)
    watch.passed += 15.0
    store.publish(DOWN, 25.0)
    found = told(store)
    assert value(found, "slurm_up") == 0
    assert value(found, "gpumon_exporter_reading_age_seconds") == 15
    assert value(found, "gpumon_exporter_last_reading_time_seconds") == 2000
    assert value(found, "gpumon_exporter_command_up", command="squeue") == 0
    assert value(found, "gpumon_exporter_command_last_success_time_seconds", command="squeue") == 2000
    assert not of_slurm(found)
    assert not series(text(store.jobs(Wishes())))
    assert store.summary() == "ok\nSlurm does not answer, last answer 15.0 s ago\n"
    store.publish(replace(FULL, taken_at=2030.0), 25.0)
    assert value(told(store), "slurm_up") == 1
    assert of_slurm(told(store))


def test_a_reading_is_not_shown_for_ever_while_the_next_one_hangs(store: Store, watch: Watch) -> None:
    store.publish(FULL, 25.0)
    watch.passed += 24.9
    assert of_slurm(told(store))
    watch.passed += 0.2
    found = told(store)
    assert value(found, "slurm_up") == 0
    assert value(found, "gpumon_exporter_reading_age_seconds") == pytest.approx(25.1)
    assert not of_slurm(found)


def test_the_exporters_own_series_tell_how_it_does(store: Store) -> None:
    store.publish(FULL, 25.0)
    found = told(store)
    assert value(found, "gpumon_exporter_info", version="0.1.0", slurm_version="24.11.5", cluster="lab") == 1
    assert value(found, "gpumon_exporter_command_up", command="sdiag") == 0
    assert value(found, "gpumon_exporter_command_duration_seconds", command="sdiag") == 10
    assert value(found, "gpumon_exporter_command_last_success_time_seconds", command="sdiag") is None
    assert value(found, "gpumon_exporter_left_out", what="pending_jobs") == 12
    assert value(found, "gpumon_exporter_hidden", what="jobs") == 1
    assert value(found, "gpumon_exporter_jobs_without_gpu_map") == 1
    assert (value(found, "process_resident_memory_bytes") or 0) > 1e6


def test_scrapes_during_a_change_get_one_reading_or_the_other_whole(store: Store) -> None:
    readings = [replace(crowded(size, 3 * size), cluster=str(size)) for size in (5, 9)]
    store.publish(readings[0], 1e9)
    ended = threading.Event()
    seen: set[tuple[int, int]] = set()

    def scrape() -> None:
        while not ended.is_set():
            found = text(store.metrics(Wishes(gzip=True)))
            seen.add((found.count("\ngpumon_job_info{"), found.count("\ngpumon_node_info{")))

    threads = [threading.Thread(target=scrape) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(40):
        store.publish(readings[turn % 2], 1e9)
    ended.set()
    for thread in threads:
        thread.join()
    assert seen <= {(20, 5), (36, 9)}
    assert seen

"""The last reading as pages that are ready before anybody asks; too old a reading is no reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.exposition import choose_encoder

from gpumon_exporter.clock import Clock
from gpumon_exporter.metrics import health
from gpumon_exporter.metrics.exposition import EMPTY, Family, Samples, block
from gpumon_exporter.metrics.jobs import job_families
from gpumon_exporter.metrics.nodes import node_families
from gpumon_exporter.metrics.pages import Page
from gpumon_exporter.metrics.partitions import partition_families, reservation_families
from gpumon_exporter.metrics.queue import finished_families, queue_families
from gpumon_exporter.metrics.vpenso import vpenso_families
from gpumon_exporter.slurm.records import Reading
from gpumon_exporter.web.site import Answer, Wishes

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True)
class Choice:
    """What of a reading is told."""

    vpenso_names: bool = True
    """The slurm_* series."""
    job_metrics: bool = True
    """Single jobs on the page of everything, too."""


@dataclass(frozen=True)
class _State:
    """What is shown."""

    everything: Page
    jobs: Page
    good_until: float
    """On the clock that counts what passed: later the reading is too old, or should long be there."""
    facts: Reading | None = None
    """How the reading went, without what Slurm said; None before the first one."""
    last_up: float | None = None
    """When Slurm last answered; None when it never did."""
    last_up_passed: float = 0.0
    """The same on the clock that counts what passed."""


_NOTHING = Page.of()


class Store:
    """Answers scrapes from the last reading, whatever happens to the next one."""

    def __init__(self, choice: Choice, first_within: float, clock: Clock | None = None) -> None:
        """A store whose first reading comes within so many seconds: before, nobody can say whether Slurm is up."""
        self._choice = choice
        self._clock = clock or Clock()
        self._state = _State(_NOTHING, _NOTHING, self._clock.passed() + first_within)

    def publish(self, reading: Reading, good_for: float) -> None:
        """Renders a reading and shows it from now on, for at most so many seconds."""
        jobs = block(job_families(reading)) if reading.is_up else EMPTY
        others = block(_other_families(reading, self._choice)) if reading.is_up else EMPTY
        shown = (others, jobs) if self._choice.job_metrics else (others,)
        passed = self._clock.passed()
        self._state = _State(
            everything=Page.of(*shown),
            jobs=Page.of(jobs),
            good_until=passed + good_for,
            facts=_facts(reading),
            last_up=reading.taken_at if reading.is_up else self._state.last_up,
            last_up_passed=passed if reading.is_up else self._state.last_up_passed,
        )

    def metrics(self, wishes: Wishes) -> Answer:
        """The page of everything."""
        state = self._state
        standing = health.Standing(state.facts, self._is_up(state), state.last_up, self._age(state))
        tail = health.text(health.health(standing), is_openmetrics=_wants_openmetrics(wishes))
        return _answer(state.everything if standing.is_up else _NOTHING, tail, wishes)

    def jobs(self, wishes: Wishes) -> Answer:
        """The page of single jobs."""
        state = self._state
        tail = b"# EOF\n" if _wants_openmetrics(wishes) else b""
        return _answer(state.jobs if self._is_up(state) else _NOTHING, tail, wishes)

    def summary(self) -> str:
        """How the last reading went, for people."""
        state = self._state
        age = self._age(state)
        words = {None: "the first reading of Slurm is under way", True: "Slurm answers", False: "Slurm does not answer"}
        last = "it never answered" if age is None else f"last answer {age:.1f} s ago"
        return f"ok\n{words[self._is_up(state)]}, {last}\n"

    def _is_up(self, state: _State) -> bool | None:
        """Whether a reading may be shown; None while the first one is awaited."""
        is_fresh = self._clock.passed() < state.good_until
        if state.facts is None:
            return None if is_fresh else False
        return state.facts.is_up and is_fresh

    def _age(self, state: _State) -> float | None:
        """Seconds since Slurm last answered; None when it never did."""
        return None if state.last_up is None else self._clock.passed() - state.last_up_passed


def _other_families(reading: Reading, choice: Choice) -> Iterator[tuple[Family, Samples]]:
    """Everything but single jobs."""
    yield from node_families(reading)
    yield from partition_families(reading)
    yield from reservation_families(reading)
    yield from queue_families(reading)
    yield from finished_families(reading)
    if choice.vpenso_names:
        yield from vpenso_families(reading)


def _facts(reading: Reading) -> Reading:
    """A reading without what stands in the pages, so that it needs no memory."""
    return Reading(
        taken_at=reading.taken_at,
        is_up=reading.is_up,
        commands=reading.commands,
        slurm_version=reading.slurm_version,
        cluster=reading.cluster,
        left_out=reading.left_out,
        jobs_without_gpu_map=reading.jobs_without_gpu_map,
        hidden=reading.hidden,
    )


def _wants_openmetrics(wishes: Wishes) -> bool:
    return choose_encoder(wishes.accept)[1].startswith("application/openmetrics-text")


def _answer(page: Page, tail: bytes, wishes: Wishes) -> Answer:
    content_type = OPENMETRICS if _wants_openmetrics(wishes) else PLAIN
    return Answer(content_type, page.gzipped(tail) if wishes.gzip else page.plain(tail), wishes.gzip)

"""Since when a held GPU has done nothing: watched and looked up, never longer than true, and asked for rarely."""

from __future__ import annotations

import httpx
import pytest

from fake_prometheus import FakePrometheus
from gpumon.live import gpus as tiers
from gpumon.model import ClusterSnapshot, Severity
from gpumon.source import Parts
from gpumon.usage import job_usage
from holding import SLURM, card, holds, job, line, mig, site, slurm_node, source

HOUR, DAY = 3600, 86_400
UTIL, ENGINE = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE"


def was(server: FakePrometheus, uuid: str, *busy: tuple[int, int], since: int = 2 * DAY, **labels: str) -> None:
    """A card's history: idle, but for the times in which it was busy, told as seconds ago, from and to."""
    every = 15 if since <= 2 * HOUR else 60
    values = [(ago, 90 if any(to <= ago <= start for start, to in busy) else 0) for ago in range(0, since, every)]
    server.remember(UTIL, values, UUID=uuid, **labels)


def idle_for(snapshot: ClusterSnapshot) -> dict[str, float | None]:
    """By GPU, for how many seconds it has been idle."""
    return {gpu.key: None if gpu.idle_since is None else snapshot.taken_at - gpu.idle_since for gpu in snapshot.gpus}


def held(server_now: float, *cards: str, started: float = DAY + HOUR) -> FakePrometheus:
    """Idle cards of one node that one job holds."""
    slurm = slurm_node("a", len(cards), len(cards)) + holds(7, "a", range(len(cards)))
    slurm += job(7, "a", gpus=len(cards), start_time_seconds=server_now - started)
    return site("".join(cards), slurm)


def history_queries(server: FakePrometheus) -> list[str]:
    return [promql for promql in server.asked if "max_over_time" in promql]


NOW = FakePrometheus().now


def test_a_look_back_is_exact_to_its_step_and_never_claims_too_much() -> None:
    server = held(NOW, *(card("a", index, 0) for index in range(4)))
    was(server, "GPU-a-0", (DAY, 600))
    was(server, "GPU-a-1", (3 * HOUR, 2 * HOUR))
    was(server, "GPU-a-2")
    was(server, "GPU-a-3", (HOUR, 20), since=2 * HOUR)
    idle = idle_for(source(server).snapshot())
    assert 540 <= (idle["GPU-a-0"] or 0) <= 600
    assert 2 * HOUR - 600 <= (idle["GPU-a-1"] or 0) <= 2 * HOUR
    assert idle["GPU-a-2"] == DAY
    assert idle["GPU-a-3"] == 2.0, "when it was scraped last it was idle"


def test_a_gpu_is_not_idle_before_its_job_began() -> None:
    server = held(NOW, card("a", 0, 0), started=1500)
    was(server, "GPU-a-0")
    live = source(server)
    assert idle_for(live.snapshot()) == {"GPU-a-0": 1500}
    (asked,) = history_queries(server)
    assert "[60s]" in asked


def test_busy_free_and_silent_gpus_are_not_idle() -> None:
    slurm = slurm_node("a", 3, 2) + job(7, "a", gpus=2, start_time_seconds=NOW - HOUR) + holds(7, "a", (0, 1))
    server = site(card("a", 0, 0) + card("a", 1, 5) + card("a", 2, 0), slurm)
    for index in range(3):
        was(server, f"GPU-a-{index}")
    live = source(server)
    assert idle_for(live.snapshot()) == {"GPU-a-0": HOUR, "GPU-a-1": None, "GPU-a-2": None}
    server.fall_silent("dcgm", "gpus:9400")
    assert set(idle_for(live.snapshot()).values()) == {None}


def test_the_threshold_is_the_sites_own() -> None:
    server = held(NOW, card("a", 0, 4.9))
    server.remember(UTIL, [(ago, 4.9 if ago < 500 else 5.0) for ago in range(0, 2 * HOUR, 15)], UUID="GPU-a-0")
    assert 440 <= (idle_for(source(server).snapshot())["GPU-a-0"] or 0) <= 500


def test_a_silence_of_the_exporter_ends_the_look() -> None:
    server = held(NOW, card("a", 0, 0))
    server.remember(UTIL, [(ago, 0) for ago in range(0, DAY, 15) if not 700 <= ago <= 1900], UUID="GPU-a-0")
    assert 600 <= (idle_for(source(server).snapshot())["GPU-a-0"] or 0) <= 720


def test_what_is_no_number_is_no_idleness() -> None:
    server = held(NOW, card("a", 0, 0))
    values = [(ago, "9223372036854775794" if ago > 900 else 0) for ago in range(0, HOUR, 15)]
    server.remember(UTIL, values, UUID="GPU-a-0")
    assert 840 <= (idle_for(source(server).snapshot())["GPU-a-0"] or 0) <= 900


def test_slices_idle_by_their_engines() -> None:
    slurm = slurm_node("m", 2, 2) + job(7, "m", gpus=2, start_time_seconds=NOW - HOUR) + holds(7, "m", (0, 1), "mig")
    server = site(mig("m", 0, 7, 0.001) + mig("m", 0, 8, 0.002), slurm)
    for instance, ended in (("7", 900), ("8", HOUR)):
        values = [(ago, 0.0 if ago < ended else 0.8) for ago in range(0, 2 * HOUR, 15)]
        server.remember(ENGINE, values, UUID="GPU-m-0", GPU_I_ID=instance)
    server.remember(UTIL, [(ago, 100) for ago in range(0, HOUR, 15)], UUID="GPU-m-0")
    idle = idle_for(source(server).snapshot())
    assert 840 <= (idle["GPU-m-0/7"] or 0) <= 900
    assert idle["GPU-m-0/8"] == HOUR


def test_a_card_that_tells_no_utilization_idles_by_its_engine() -> None:
    engine = line(ENGINE, 0.0, gpu=0, UUID="GPU-a-0", Hostname="a")
    server = held(NOW, card("a", 0, None) + engine)
    server.remember(ENGINE, [(ago, 0.9 if ago > 300 else 0.0) for ago in range(0, HOUR, 15)], UUID="GPU-a-0")
    assert 240 <= (idle_for(source(server).snapshot())["GPU-a-0"] or 0) <= 300


def test_under_a_label_without_a_known_start_only_that_jobs_own_time_counts() -> None:
    server = site(card("a", 0, 0, hpc_job="7"))
    was(server, "GPU-a-0", since=1200, hpc_job="7")
    server.remember(UTIL, [(ago, 0) for ago in range(1200, DAY, 60)], UUID="GPU-a-0", hpc_job="6")
    assert 1100 <= (idle_for(source(server).snapshot())["GPU-a-0"] or 0) <= 1200


def test_without_a_known_start_nothing_before_the_first_look_is_claimed() -> None:
    slurm = slurm_node("a", 1, 1) + job(7, "a", gpus=1) + holds(7, "a", (0,))
    server = site(card("a", 0, 0), slurm)
    was(server, "GPU-a-0")
    live = source(server)
    assert idle_for(live.snapshot()) == {"GPU-a-0": 0.0}
    server.pass_time(15)
    assert idle_for(live.snapshot()) == {"GPU-a-0": 15.0}


def test_while_it_watches_nothing_is_asked_until_some_minutes_have_passed() -> None:
    server = held(NOW, card("a", 0, 0))
    was(server, "GPU-a-0", (DAY, 1200))
    live = source(server)
    first = idle_for(live.snapshot())["GPU-a-0"] or 0.0
    assert len(history_queries(server)) == 2
    for turn in range(1, 20):
        server.pass_time(15)
        assert idle_for(live.snapshot())["GPU-a-0"] == first + turn * 15
    assert len(history_queries(server)) == 2
    server.pass_time(15)
    live.snapshot()
    assert len(history_queries(server)) == 4


def test_a_gpu_that_turns_idle_is_idle_since_that_was_seen() -> None:
    server = held(NOW, card("a", 0, 90))
    live = source(server)
    assert idle_for(live.snapshot()) == {"GPU-a-0": None}
    server.pass_time(15)
    server.series = [(labels, "0" if labels["__name__"] == UTIL else value) for labels, value in server.series]
    assert idle_for(live.snapshot()) == {"GPU-a-0": 2.0}
    server.pass_time(30)
    assert idle_for(live.snapshot()) == {"GPU-a-0": 32.0}
    assert history_queries(server) == []


def test_a_look_refutes_what_was_not_seen_and_keeps_what_was_seen_better() -> None:
    server = held(NOW, card("a", 0, 0), card("a", 1, 0), started=DAY)
    was(server, "GPU-a-0", (DAY, HOUR + 100))
    was(server, "GPU-a-1", (DAY, HOUR + 100))
    live = source(server)
    first = idle_for(live.snapshot())
    server.pass_time(300)
    server.past.clear()
    was(server, "GPU-a-0", (DAY, HOUR + 400))
    was(server, "GPU-a-1", (DAY, HOUR + 400), (130, 120))
    second = idle_for(live.snapshot())
    assert HOUR + 400 >= (second["GPU-a-0"] or 0) >= (first["GPU-a-0"] or 0) + 300
    assert 60 <= (second["GPU-a-1"] or 0) <= 120


def test_after_a_long_pause_everything_is_looked_up() -> None:
    server = held(NOW, card("a", 0, 0))
    was(server, "GPU-a-0")
    live = source(server)
    live.snapshot()
    server.asked.clear()
    server.pass_time(120)
    live.snapshot()
    assert history_queries(server)


def test_another_jobs_time_is_not_counted() -> None:
    server = held(NOW, card("a", 0, 0))
    was(server, "GPU-a-0")
    live = source(server)
    assert idle_for(live.snapshot()) == {"GPU-a-0": DAY}
    server.pass_time(15)
    server.series = [row for row in server.series if row[0].get("job_id") != "7"]
    text = job(8, "a", gpus=1, start_time_seconds=server.now - 5) + holds(8, "a", (0,))
    server.scrape(text, job=SLURM[0], instance=SLURM[1])
    assert idle_for(live.snapshot()) == {"GPU-a-0": 5.0}


def test_what_a_shared_gpu_did_before_a_job_is_not_that_jobs_waste() -> None:
    slurm = slurm_node("a", 1, 0, shared=1) + holds(7, "a", (0,), "shard") + holds(8, "a", (0,), "shard")
    slurm += job(7, "a", gpus=0, start_time_seconds=NOW - 3000) + job(8, "a", gpus=0, start_time_seconds=NOW - 600)
    server = site(card("a", 0, 0), slurm)
    was(server, "GPU-a-0")
    snapshot = source(server).snapshot()
    assert idle_for(snapshot) == {"GPU-a-0": 3000}
    usages = [job_usage(snapshot.job_by_id[number], snapshot) for number in ("7", "8")]
    assert [usage.idle_since for usage in usages] == [NOW - 3000, NOW - 600]
    assert [usage.wasted_gpu_seconds for usage in usages] == [1500, 300]


def test_history_that_cannot_be_read_leaves_it_open_and_is_not_tried_at_every_refresh() -> None:
    server = held(NOW, card("a", 0, 0))
    was(server, "GPU-a-0")
    server.fault = lambda asked: httpx.Response(503, text="busy") if "max_over_time" in asked else None
    live = source(server)
    snapshot = live.snapshot()
    assert idle_for(snapshot) == {"GPU-a-0": None}
    assert ("jobs", Severity.ERROR) in {(problem.part, problem.severity) for problem in snapshot.problems}
    asked = len(history_queries(server))
    server.pass_time(15)
    assert idle_for(live.snapshot()) == {"GPU-a-0": None}
    assert len(history_queries(server)) == asked
    server.fault = lambda _: None
    server.pass_time(300)
    server.past.clear()
    was(server, "GPU-a-0")
    assert idle_for(live.snapshot()) == {"GPU-a-0": DAY}


def test_idleness_is_asked_for_only_where_it_is_wanted() -> None:
    server = held(NOW, card("a", 0, 0))
    was(server, "GPU-a-0")
    live = source(server)
    assert idle_for(live.snapshot(Parts.ALL ^ Parts.IDLE)) == {"GPU-a-0": None}
    assert history_queries(server) == []


@pytest.mark.parametrize(("one_query", "turns", "reach"), [(500, 4000, DAY), (1, 4000, 6 * HOUR), (1, 2, 2 * HOUR)])
def test_large_clusters_are_looked_at_less_far_back(
    monkeypatch: pytest.MonkeyPatch, one_query: int, turns: int, reach: int
) -> None:
    monkeypatch.setattr(tiers, "ONE_QUERY_UP_TO", one_query)
    monkeypatch.setattr(tiers, "IN_TURNS_FROM", turns)
    server = held(NOW, card("a", 0, 0), card("a", 1, 0))
    was(server, "GPU-a-0")
    was(server, "GPU-a-1")
    assert set(idle_for(source(server).snapshot()).values()) == {reach}


def test_a_slow_scrape_widens_the_steps_instead_of_tearing_gaps() -> None:
    server = held(NOW, card("a", 0, 0))
    server.interval = "60s"
    server.remember(UTIL, [(ago, 0) for ago in range(50, DAY, 60)], UUID="GPU-a-0")
    snapshot = source(server).snapshot()
    assert snapshot.scrape_interval_seconds == 60
    assert idle_for(snapshot) == {"GPU-a-0": pytest.approx(DAY, abs=600)}


def test_the_number_of_questions_does_not_grow_with_the_gpus() -> None:
    server = held(NOW, *(card("a", index, 0) for index in range(64)))
    for index in range(64):
        was(server, f"GPU-a-{index}", since=HOUR)
    source(server).snapshot()
    assert len(history_queries(server)) == 2

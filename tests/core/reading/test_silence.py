"""Who answers, who does not, since when, and how often they are asked."""

from __future__ import annotations

from gpumon.prometheus.labels import TargetLabels
from gpumon.prometheus.wire import Matrix, Sample, Series, Vector
from gpumon.reading.silence import kinds, listed, read_pulses, scrape_interval

UP = TargetLabels(job="dcgm", instance="gpu01:9400")
DEAD = TargetLabels(job="dcgm", instance="gpu02:9400")


def pulses() -> tuple[Vector[TargetLabels], Vector[TargetLabels]]:
    times = Vector([Sample(UP, (1000.0, "998.5")), Sample(DEAD, (1000.0, "999"))])
    return times, Vector([Sample(DEAD, (1000.0, "0"))])


def test_a_target_that_answers_was_heard_when_it_was_scraped() -> None:
    found = read_pulses(*pulses())
    assert found.heard_at(("dcgm", "gpu01:9400")) == 998.5
    assert found.down == {("dcgm", "gpu02:9400")}


def test_a_failed_scrape_is_not_being_heard() -> None:
    found = read_pulses(*pulses())
    assert found.heard_at(("dcgm", "gpu02:9400")) is None


def test_a_silent_target_was_heard_at_its_last_good_scrape() -> None:
    raw = Matrix([Series(DEAD, [(900.0, "1"), (915.0, "1"), (930.0, "0"), (945.0, "0")])])
    assert read_pulses(*pulses()).with_silence(raw).heard_at(("dcgm", "gpu02:9400")) == 915.0


def test_a_target_never_heard_stays_unknown() -> None:
    raw = Matrix([Series(DEAD, [(930.0, "0")])])
    assert read_pulses(*pulses()).with_silence(raw).heard_at(("dcgm", "gpu02:9400")) is None


def test_an_unknown_target_was_never_heard() -> None:
    assert read_pulses(*pulses()).heard_at(("other", "x")) is None


def test_the_interval_is_the_usual_distance() -> None:
    raw = Matrix([Series(UP, [(0.0, "1"), (15.001, "1"), (30.0, "1"), (60.0, "1"), (75.0, "1")])])
    assert scrape_interval(raw) == 15.0
    assert scrape_interval(Matrix([Series(UP, [(0.0, "1")])])) is None


def test_kinds_are_told_by_deeds_then_by_the_job_then_by_port_and_name() -> None:
    labels = [("a", "x:1"), ("a", "y:2"), ("b", "z:9100"), ("slurm-head", "h:1234"), ("redis", "r:6379")]
    times = Vector([Sample(TargetLabels(job=job, instance=instance), (0.0, "0")) for job, instance in labels])
    found = kinds(read_pulses(times, Vector([])), {"dcgm": [("a", "x:1")]})
    assert [found[key] for key in labels] == ["dcgm", "dcgm", "node", "slurm", "other"]


def test_many_hosts_are_named_shortly() -> None:
    assert listed(["b:1", "a:1"]) == "a, b"
    assert listed([f"n{place}:1" for place in range(9)]) == "n0, n1 and 7 more"

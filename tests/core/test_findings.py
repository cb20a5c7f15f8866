"""What is found in a snapshot, and what is not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from msgspec.structs import replace as replaced

import clusters
from clusters import GIB, NOW
from gpumon.findings import Finding, Level, findings, worst
from gpumon.findings.xid import XIDS
from gpumon.model import (
    Alert,
    ClusterSnapshot,
    Exporter,
    Filesystem,
    Gpu,
    GpuDevice,
    Job,
    Node,
    NodeSlurm,
    Problem,
    Severity,
)
from gpumon.settings import Thresholds

NOTE, WARNING, ERROR = Severity.NOTE, Severity.WARNING, Severity.ERROR


def found(snapshot: ClusterSnapshot, **thresholds: float) -> tuple[Finding, ...]:
    """What is found with these thresholds over the usual ones."""
    return findings(snapshot, replace(Thresholds(), **thresholds))


def of_gpu(**known: Any) -> list[tuple[Severity, str]]:
    """Severity and kind of what is found about one GPU."""
    return [(each.severity, each.kind) for each in found(clusters.of_gpus(clusters.gpu("gpu7", 3, **known)))]


def of_node(**known: Any) -> tuple[Finding, ...]:
    """What is found about one node with two healthy GPUs."""
    gpus = (clusters.gpu("gpu7", 0), clusters.gpu("gpu7", 1))
    return found(clusters.cluster((clusters.node("gpu7", gpus, **known), gpus)))


def test_nothing_is_found_in_a_healthy_cluster() -> None:
    assert found(clusters.healthy()) == ()
    assert worst(()) is Level.OK


def test_what_is_not_known_is_never_found() -> None:
    bare = ClusterSnapshot(
        taken_at=NOW, gpus=(Gpu(GpuDevice("GPU-1", "gpu1")),), nodes=(Node("gpu1", gpus=("GPU-1",)),), jobs=(Job("1"),)
    )
    assert found(bare) == ()
    assert found(ClusterSnapshot()) == ()
    assert found(replace(bare, nodes=(Node("gpu1", gpus=("GPU-1",), slurm=NodeSlurm()),))) == ()


def test_the_most_urgent_comes_first_and_the_order_is_stable() -> None:
    snapshot = clusters.troubled()
    kinds = [(each.severity.value, each.kind) for each in found(snapshot)]
    assert kinds == [
        ("error", "xid"),
        ("error", "alert"),
        ("error", "problem"),
        ("warning", "out_of_use"),
        ("warning", "silent"),
        ("warning", "hot"),
        ("note", "idle"),
    ]
    assert found(snapshot) == found(snapshot)
    two = clusters.of_gpus(*(clusters.gpu(name, 0, temperature_celsius=86.0) for name in ("b", "a", "c")))
    assert [each.node for each in found(two)] == ["b", "a", "c"]


def test_a_finding_leads_to_its_node_and_gpu() -> None:
    xid = found(clusters.troubled())[0]
    assert (xid.subject, xid.node, xid.gpu, xid.part) == ("GPU 1 of gpu1", "gpu1", "GPU-gpu1-1", "gpus")
    assert xid.text == "GPU 1 of gpu1 last reported XID 79: the GPU has fallen off the bus"
    assert xid.advice


def test_the_worst_finding_is_the_level_of_all() -> None:
    levels = {NOTE: Level.NOTE, WARNING: Level.WARNING, ERROR: Level.CRITICAL}
    one = {severity: Finding(severity, "hot", "x", "gpus", "x") for severity in Severity}
    for severity, level in levels.items():
        assert worst([one[severity]]) is level
    assert worst([one[NOTE], one[ERROR], one[WARNING]]) is Level.CRITICAL


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(84.9, []), (85.0, [(WARNING, "hot")]), (91.9, [(WARNING, "hot")]), (92.0, [(ERROR, "hot")]), (None, [])],
)
def test_a_gpu_is_hot_from_its_threshold_on(degrees: float | None, expected: list[object]) -> None:
    assert of_gpu(temperature_celsius=degrees) == expected


def test_thresholds_are_the_users() -> None:
    snapshot = clusters.of_gpus(clusters.gpu("gpu7", 3, temperature_celsius=61.0))
    (hot,) = found(snapshot, temperature_celsius=60.0)
    assert hot.text == "GPU 3 of gpu7 is hot: 61°C"


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"xid": 0}, []),
        ({"xid": None}, []),
        ({"xid": 79}, [(ERROR, "xid")]),
        ({"xid": 48}, [(ERROR, "xid")]),
        ({"xid": 63}, [(WARNING, "xid")]),
        ({"xid": 9999}, [(WARNING, "xid")]),
        ({"xid": 13}, [(NOTE, "xid")]),
        ({"xid": 31}, [(NOTE, "xid")]),
        ({"xid": 43}, [(NOTE, "xid")]),
        ({"xid": 45}, [(NOTE, "xid")]),
        ({"xid": 79, "xid_recent": 2}, [(ERROR, "xid")]),
        ({"xid": 79, "xid_recent": 0}, [(WARNING, "xid")]),
        ({"xid": 45, "xid_recent": 0}, [(NOTE, "xid")]),
        ({"ecc_uncorrected": 0.0}, []),
        ({"ecc_uncorrected": 2.0}, [(ERROR, "ecc")]),
        ({"row_remap_failed": True, "row_remap_pending": True}, [(ERROR, "remap")]),
        ({"row_remap_failed": False, "row_remap_pending": True}, [(WARNING, "remap")]),
        ({"row_remap_failed": False, "row_remap_pending": False}, []),
        ({"throttle_reasons": ("power cap", "clock setting", "sync boost")}, []),
        ({"throttle_reasons": ("software thermal",)}, [(WARNING, "throttled")]),
        ({"throttle_reasons": ("hardware slowdown",)}, [(WARNING, "throttled")]),
        ({"throttle_reasons": None}, []),
    ],
)
def test_a_card_is_judged_by_its_own_reports(known: dict[str, Any], expected: list[object]) -> None:
    assert of_gpu(**known) == expected


def test_every_known_xid_is_said_in_words_with_advice() -> None:
    for code, xid in XIDS.items():
        (finding,) = found(clusters.of_gpus(clusters.gpu("gpu7", 3, xid=code)))
        assert f"XID {code}: {xid.words}" in finding.text
        assert finding.advice == xid.advice
        assert finding.severity is xid.severity


def test_throttling_names_its_causes_once() -> None:
    reasons = ("hardware slowdown", "software thermal", "hardware thermal", "power brake")
    (finding,) = found(clusters.of_gpus(clusters.gpu("gpu7", 3, throttle_reasons=reasons)))
    assert finding.text == "GPU 3 of gpu7 is slowed down by heat and the power brake"


def test_old_numbers_are_not_judged() -> None:
    assert of_gpu(temperature_celsius=99.0, xid=79, ecc_uncorrected=5.0, is_stale=True) == [(WARNING, "silent")]
    full = (Filesystem("/", 100.0, 0.0),)
    (finding,) = of_node(filesystems=full, memory_available_bytes=0.0, is_stale=True)
    assert finding.kind == "silent"


def test_the_slices_of_a_card_do_not_repeat_what_is_wrong_with_it() -> None:
    slices = tuple(
        clusters.mig("gpu7", 0, str(number), temperature_celsius=90.0, xid=79, throttle_reasons=("power brake",))
        for number in range(7)
    )
    kinds = [each.kind for each in found(clusters.of_gpus(*slices))]
    assert kinds == ["xid", "hot", "throttled"]


def test_one_slice_is_enough_to_tell_about_its_card() -> None:
    slices = (clusters.mig("gpu7", 0, "1", xid=None, temperature_celsius=None), clusters.mig("gpu7", 0, "2", xid=79))
    (finding,) = found(clusters.of_gpus(*slices))
    assert finding.subject == "GPU 0 of gpu7"


def test_cards_without_a_number_are_told_apart_by_their_uuid() -> None:
    cards = [clusters.gpu("gpu7", number, xid=79) for number in range(2)]
    cards = [replaced(each, device=replaced(each.device, index=None)) for each in cards]
    assert [each.subject for each in found(clusters.of_gpus(*cards))] == [
        "GPU GPU-gpu7-0 of gpu7",
        "GPU GPU-gpu7-1 of gpu7",
    ]


def idle(*gpus: Gpu, **known: Any) -> tuple[Finding, ...]:
    """What is found about these GPUs of jobs 1 and 2."""
    jobs = (clusters.job(1), clusters.job(2, user="bob"))
    return found(clusters.of_gpus(*gpus, **{"jobs": jobs, **known}))


def test_a_job_whose_gpus_are_idle_now_is_one_note() -> None:
    gpus = [clusters.gpu("gpu7", number, utilization=0.01, jobs=("1",)) for number in range(6)]
    (finding,) = idle(*gpus, clusters.gpu("gpu7", 6, utilization=0.9, jobs=("1",)))
    assert finding.severity is NOTE
    assert finding.subject == "job 1 of ann"
    what, where = finding.text.split(": ")
    assert what == "Job 1 of ann holds 6 GPUs that are idle now (below 5%)"
    assert where == "GPU 0 of gpu7, 1 of gpu7, 2 of gpu7, 3 of gpu7 and 2 more"
    assert finding.gpu == "GPU-gpu7-0"


def test_jobs_that_share_an_idle_gpu_are_named_together() -> None:
    (finding,) = idle(clusters.gpu("gpu7", 0, utilization=0.0, jobs=("1", "2")))
    assert finding.text.startswith("Jobs 1 and 2 of ann, bob hold 1 GPU that is idle now (")


def test_a_job_that_is_not_listed_is_named_by_its_id() -> None:
    (finding,) = idle(clusters.gpu("gpu7", 0, utilization=0.0, jobs=("77",)), jobs=None)
    assert finding.subject == "job 77"


@pytest.mark.parametrize(
    "known",
    [
        {"utilization": 0.05, "jobs": ("1",)},
        {"utilization": None, "jobs": ("1",)},
        {"utilization": 0.0, "jobs": ()},
        {"utilization": 0.0, "jobs": None},
    ],
)
def test_a_gpu_that_is_busy_free_or_unknown_is_not_idle(known: dict[str, Any]) -> None:
    assert idle(clusters.gpu("gpu7", 0, **known)) == ()


def test_slices_are_idle_each_by_itself() -> None:
    (finding,) = idle(
        clusters.mig("gpu7", 0, "1", utilization=0.0, jobs=("1",)),
        clusters.mig("gpu7", 0, "2", utilization=0.9, jobs=("2",)),
    )
    assert "GPU 0.1 of gpu7" in finding.text


def test_gpus_that_slurm_has_and_the_exporter_does_not_see_are_lost() -> None:
    (finding,) = of_node(slurm=NodeSlurm("mixed", gpus_total=4))
    assert (finding.severity, finding.kind) == (ERROR, "lost")
    assert finding.text == "gpu7 has 4 GPUs in Slurm, but its dcgm-exporter sees 2"


@pytest.mark.parametrize(
    "known",
    [
        {"slurm": NodeSlurm("mixed", gpus_total=2)},
        {"slurm": NodeSlurm("mixed", gpus_total=1)},
        {"slurm": NodeSlurm("mixed", gpus_total=None)},
        {"slurm": None},
        {"slurm": NodeSlurm("mixed", gpus_total=4), "exporters": ()},
    ],
)
def test_gpus_are_not_lost_where_nothing_says_so(known: dict[str, Any]) -> None:
    assert of_node(**known) == ()


def test_gpus_are_not_lost_when_their_exporter_is_silent() -> None:
    down = (Exporter("node", "node", "gpu7:9100", True), Exporter("dcgm", "dcgm", "gpu7:9400", False))
    assert [each.kind for each in of_node(slurm=NodeSlurm("mixed", gpus_total=4), exporters=down)] == ["silent"]


def test_gpus_are_not_lost_when_no_gpus_were_asked_for() -> None:
    snapshot = clusters.healthy()
    assert found(replace(snapshot, gpus=(), nodes=tuple(replaced(each, gpus=()) for each in snapshot.nodes))) == ()


@pytest.mark.parametrize(
    ("slurm", "severity", "text"),
    [
        (
            NodeSlurm("idle", ("drain",), "fan broken", "root", NOW - 7200),
            WARNING,
            "gpu7 is idle+drain for 2h: fan broken (root)",
        ),
        (NodeSlurm("down", (), "Not responding"), ERROR, "gpu7 is down: Not responding"),
        (NodeSlurm("mixed", ("not_responding",)), ERROR, "gpu7 is mixed+not_responding"),
        (NodeSlurm("draining"), WARNING, "gpu7 is draining"),
    ],
)
def test_a_node_out_of_use_is_told_with_its_reason(slurm: NodeSlurm, severity: Severity, text: str) -> None:
    (finding,) = of_node(slurm=slurm)
    assert (finding.severity, finding.kind, finding.text) == (severity, "out_of_use", text)


@pytest.mark.parametrize("state", ["idle", "allocated", "mixed", "completing", "reserved", "planned", None])
def test_a_node_in_use_is_fine(state: str | None) -> None:
    assert of_node(slurm=NodeSlurm(state)) == ()


def exporters(node: bool, dcgm: bool) -> tuple[Exporter, ...]:
    """Exporters that answer or do not."""
    return (
        Exporter("node", "node", "gpu7:9100", node, NOW - 200),
        Exporter("dcgm", "dcgm", "gpu7:9400", dcgm, NOW - 100),
    )


def test_a_silent_exporter_is_a_warning() -> None:
    (finding,) = of_node(exporters=exporters(True, False))
    assert finding.severity is WARNING
    assert finding.text == "gpu7 has told nothing through dcgm-exporter for 100s"


def test_a_node_of_which_nobody_tells_anything_is_an_error() -> None:
    (finding,) = of_node(exporters=exporters(False, False), is_stale=True)
    assert finding.severity is ERROR
    assert finding.text == "gpu7 is silent for 100s: node_exporter and dcgm-exporter do not answer"


def test_a_silent_node_that_is_out_of_use_anyway_is_a_warning() -> None:
    down = of_node(exporters=exporters(False, False), slurm=NodeSlurm("idle", ("drain",)))
    assert [each.severity for each in down] == [WARNING, WARNING]


def test_a_silent_exporter_is_not_told_twice() -> None:
    texts = [each.text for each in found(clusters.troubled()) if "silent" in each.text or "nothing" in each.text]
    assert texts == ["gpu11 has told nothing through dcgm-exporter for 3m"]


def test_old_numbers_behind_a_living_exporter_are_told() -> None:
    gpus = (clusters.gpu("gpu7", 0, is_stale=True), clusters.gpu("gpu7", 1))
    slurm = NodeSlurm("mixed")
    told = found(clusters.cluster((clusters.node("gpu7", gpus, slurm=slurm, is_stale=True), gpus)))
    assert [each.text for each in told] == [
        "gpu7 has 1 GPU whose numbers are old",
        "gpu7 has old numbers: node_exporter has told nothing new",
    ]


@pytest.mark.parametrize(
    ("free", "expected"), [(11.0, []), (10.0, [WARNING]), (1.5, [WARNING]), (1.0, [ERROR]), (0.0, [ERROR])]
)
def test_a_disk_is_nearly_full_from_its_threshold_on(free: float, expected: list[Severity]) -> None:
    told = of_node(filesystems=(Filesystem("/scratch", 100.0, free), Filesystem("/", 100.0, 99.0)))
    assert [each.severity for each in told] == expected
    assert all("/scratch" in each.text for each in told)


def test_a_disk_without_a_size_is_not_full() -> None:
    assert of_node(filesystems=(Filesystem("/proc", 0.0, 0.0),)) == ()


@pytest.mark.parametrize(("free", "count"), [(26.0, 0), (25.0, 1), (None, 0)])
def test_memory_is_short_from_its_threshold_on(free: float | None, count: int) -> None:
    told = of_node(memory_total_bytes=500 * GIB, memory_available_bytes=None if free is None else free * GIB)
    assert len(told) == count


@pytest.mark.parametrize(
    ("severity", "expected"),
    [("critical", ERROR), ("Page", ERROR), ("warning", WARNING), ("", WARNING), ("sev2", WARNING), ("info", NOTE)],
)
def test_a_firing_alert_is_as_urgent_as_it_says(severity: str, expected: Severity) -> None:
    alert = Alert("GpuHot", "firing", severity, "gpu7", "GPU 3 is hot", (), NOW - 300)
    (finding,) = found(ClusterSnapshot(taken_at=NOW, alerts=(alert,)))
    assert (finding.severity, finding.node) == (expected, "gpu7")
    assert finding.text == "Alert GpuHot fires on gpu7 for 5m: GPU 3 is hot"


def test_alerts_that_wait_or_only_prove_alerting_are_not_found() -> None:
    alerts = (Alert("Watchdog", "firing", "none"), Alert("GpuHot", "pending", "critical"))
    assert found(ClusterSnapshot(alerts=alerts)) == ()


def test_problems_are_found_unless_nothing_is_missing() -> None:
    problems = tuple(Problem("jobs", f"a {each.value}", "do it", each) for each in Severity)
    told = found(ClusterSnapshot(problems=problems))
    assert [(each.severity, each.text, each.advice, each.part) for each in told] == [
        (ERROR, "a error", "do it", "jobs"),
        (WARNING, "a warning", "do it", "jobs"),
    ]


def test_hostile_names_are_shown_on_one_line_and_not_for_ever() -> None:
    told = found(clusters.hostile())
    assert {each.kind for each in told} >= {"xid", "hot", "idle", "lost", "out_of_use", "disk", "alert", "problem"}
    for each in told:
        for text in (each.text, each.advice, each.subject):
            assert not any(ord(character) < 32 or character in "\u202e\u200b" for character in text)
            assert len(text) < 1000


def test_the_same_thing_is_found_once() -> None:
    alert = Alert("GpuHot", "firing", "warning", "gpu7", "hot")
    twice = (replace(alert, labels=(("gpu", "0"),)), replace(alert, labels=(("gpu", "1"),)))
    assert len(found(ClusterSnapshot(alerts=twice))) == 1

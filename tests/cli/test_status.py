"""`gpumon status`: its words, its JSON, and its judgement for monitoring systems."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from cli_handmade import HandmadeSource, cluster, gpu, node
from gpumon.errors import ConfigError, FilterError, Refused
from gpumon.model import ClusterSnapshot, NodeSlurm, Problem, Queue, Severity
from gpumon.settings import Thresholds
from gpumon.source import Parts
from gpumon_cli.conditions import Condition, parse_conditions
from gpumon_cli.holders import holders_of, types_of
from gpumon_cli.measures import MEASURES

Given = Callable[..., HandmadeSource]
Run = Callable[..., Any]
PAGE = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text(encoding="utf-8")


def calm() -> ClusterSnapshot:
    """A cluster in which nothing needs a look."""
    return ClusterSnapshot(
        taken_at=cluster().taken_at,
        source="http://head:9090",
        gpus=(gpu("gpu1", 0, jobs=("100",)),),
        nodes=(node("gpu1", gpus=("GPU-gpu1-0",), slurm=NodeSlurm(state="mixed")),),
        jobs=cluster().jobs,
        queue=Queue(by_state={"running": 1}),
        alerts=(),
        targets=(),
    )


def test_the_answer_names_totals_types_holders_and_the_queue(given: Given, run: Run) -> None:
    source = given()
    said = run("status")
    assert "GPUs   4: 1 allocated, 1 free; 2 busy, 0 allocated but idle now, 1 with old numbers" in said.out
    assert "Jobs   1 pending, 1 running" in said.out
    assert re.search(r"A100-SXM4-80GB +3 +1 +1 +45%", said.out)
    assert re.search(r"A100-SXM4-80GB 1g.10gb +1 +1 +– +30%", said.out)
    assert re.search(r"ann +1 +0 +90%", said.out)
    assert source.asked == [Parts.ALL]


def test_a_drained_node_is_a_finding(given: Given, run: Run) -> None:
    given()
    said = run("status")
    assert said.code == 1
    assert "gpu10" in said.out


def test_a_calm_cluster_is_fine(given: Given, run: Run) -> None:
    given(calm())
    said = run("status")
    assert said.code == 0
    assert "Nothing needs a look." in said.out


def test_a_calm_cluster_that_is_not_wholly_known_is_called_so(given: Given, run: Run) -> None:
    given(replace(calm(), problems=(Problem("alerts", "the alerts could not be read", "", Severity.WARNING),)))
    said = run("status")
    assert "Nothing needs a look." not in said.out
    assert "the alerts could not be read" in said.out + said.err


def test_status_is_an_object_of_totals_and_findings(given: Given, run: Run) -> None:
    given()
    said = run("status", "--json")
    answer = json.loads(said.out)
    assert answer["schema"] == "gpumon.status/1"
    assert answer["totals"]["gpus"] == 4
    assert answer["holders"] == [{"user": "ann", "gpus": 1, "idle": 0, "utilization_share": 0.9}]
    assert answer["check"] is None
    assert answer["findings"]
    assert said.code == 1


def test_who_holds_is_unknown_rather_than_nobody(given: Given, run: Run) -> None:
    given(replace(calm(), gpus=(gpu("gpu1", 0, jobs=None),), jobs=None))
    said = run("status")
    assert "Who holds them is not known" in said.out
    assert "– allocated" in said.out
    assert json.loads(run("status", "--json").out)["holders"] is None


def test_slurms_own_counts_stand_in_where_gpus_do_not_tell() -> None:
    snapshot = cluster(gpus=(gpu("gpu1", 0, jobs=None),), jobs=None)
    holders = holders_of(snapshot, Thresholds())
    assert holders is not None
    assert [(holder.user, holder.gpus, holder.idle) for holder in holders] == [("ann", 1, None)]


def test_free_gpus_have_no_holder() -> None:
    assert holders_of(cluster(gpus=(gpu("gpu1", 0),), users=()), Thresholds()) == ()


def test_gpus_without_a_model_are_a_type_of_their_own() -> None:
    nameless = gpu("gpu1", 0)
    (use,) = types_of(
        ClusterSnapshot(gpus=(replace_model(nameless),)),
        Thresholds(),
    )
    assert use.model is None
    assert use.name == "–"


def replace_model(known: Any) -> Any:
    import msgspec

    return msgspec.structs.replace(known, device=msgspec.structs.replace(known.device, model=None))


@pytest.mark.parametrize(
    ("flags", "code", "word"),
    [
        (["--warn", "hot>0"], 0, "OK"),
        (["--crit", "hot>0"], 0, "OK"),
        (["--warn", "down>0"], 1, "WARNING"),
        (["--crit", "down>0"], 2, "CRITICAL"),
        (["--warn", "down>0", "--crit", "down>=2"], 1, "WARNING"),
        (["--warn", "down>0", "--crit", "down>=1"], 2, "CRITICAL"),
        (["--crit", "util<60"], 2, "CRITICAL"),
        (["--crit", "util<10, gpus!=4"], 0, "OK"),
        (["--warn", "gpus=4"], 1, "WARNING"),
    ],
)
def test_a_check_ends_as_monitoring_plugins_do(flags: list[str], code: int, word: str, given: Given, run: Run) -> None:
    given()
    said = run("status", *flags)
    assert said.code == code
    assert said.out.startswith(f"{word} - ")
    assert said.out.count("\n") == 1


def test_the_first_line_says_what_holds_and_carries_performance_data(given: Given, run: Run) -> None:
    given()
    said = run("status", "--warn", "down>0,util<10", "--crit", "down>=2")
    line, data = said.out.strip().split(" | ")
    assert line == "WARNING - down is 1 (down>0)"
    assert "down=1;~:0;@2:;0" in data.split()
    assert "util=40%;10:;;0;100" in data.split()


def test_what_is_not_known_is_unknown_and_never_ok(given: Given, run: Run) -> None:
    given(cluster(alerts=None))
    said = run("status", "--crit", "alerts>0")
    assert said.code == 3
    assert said.out.startswith("UNKNOWN - alerts>0 cannot be judged")
    assert "alerts=" not in said.out


def test_known_trouble_stands_above_what_is_unknown(given: Given, run: Run) -> None:
    given(cluster(alerts=None))
    assert run("status", "--warn", "alerts>0", "--crit", "down>0").code == 2
    assert run("status", "--crit", "alerts>0", "--warn", "down>0").code == 1


def test_a_check_of_a_source_out_of_reach_is_unknown_on_standard_output(given: Given, run: Run) -> None:
    given(Refused("Prometheus at http://head:9090 | refused."))
    said = run("status", "--crit", "hot>0")
    assert (said.code, said.out) == (3, "UNKNOWN - Prometheus at http://head:9090 / refused.\n")


@pytest.mark.parametrize("flags", [["--crit", "hto>0"], ["--warn=hot"], ["--warn", "hot>0", "--bogus"], ["--crit"]])
def test_a_mistaken_check_is_unknown_and_not_critical(flags: list[str], given: Given, run: Run) -> None:
    given()
    said = run("status", *flags)
    assert said.code == 3
    assert said.out.startswith("UNKNOWN - ")
    assert said.out.count("\n") == 1


def test_a_check_with_a_broken_configuration_is_unknown(
    given: Given, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpumon_cli import sources

    def broken(_: object) -> None:
        raise ConfigError(["f: a is not a key", "f: b is not a key"])

    monkeypatch.setattr(sources, "settings_of", broken)
    assert run("status", "--crit", "hot>0").code == 3


def test_a_check_in_json_carries_its_conditions(given: Given, run: Run) -> None:
    given()
    said = run("status", "--json", "--crit", "down>0")
    assert said.code == 2
    assert json.loads(said.out)["check"] == {
        "state": "CRITICAL",
        "conditions": [
            {"measure": "down", "condition": "down>0", "severity": "critical", "value": 1, "holds": True},
        ],
    }


def test_a_simulated_check_says_demo(given: Given, run: Run) -> None:
    given(cluster(is_simulated=True))
    assert "DEMO" in run("status", "--warn", "hot>0").out.split("|")[0]


def test_conditions_may_be_written_with_blanks_and_percent() -> None:
    assert parse_conditions([" util < 10 % , hot>0", "DOWN>=2"]) == (
        Condition("util", "<", 10),
        Condition("hot", ">", 0),
        Condition("down", ">=", 2),
    )


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("hto>0", 0, "did you mean hot?"),
        ("hot>0, utl<5", 7, "did you mean util?"),
        ("hot>0,zzz<5", 6, "known are gpus"),
        ("hot", 0, "a measure, a sign and a number"),
        ("hot>", 0, "a measure, a sign and a number"),
        ("hot>many", 0, "a measure"),
        ("hot>0,", 6, "a measure"),
        ("", 0, "a measure"),
        ("hot>nan", 0, "a measure"),
    ],
)
def test_a_wrong_condition_is_pointed_at(text: str, position: int, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_conditions([text])
    assert caught.value.position == position
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("sign", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
        ("=", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_a_condition_and_its_range_agree(sign: str, below: bool, at: bool, above: bool) -> None:
    condition = Condition("hot", sign, 5)
    assert [condition.holds(value) for value in (4, 5, 6)] == [below, at, above]
    assert [alarms(condition.range, value) for value in (4, 5, 6)] == [below, at, above]


def alarms(text: str, value: float) -> bool:
    """As the Monitoring Plugins guidelines read a range."""
    inside = text.startswith("@")
    start, _, end = text.lstrip("@").partition(":")
    low = float("-inf") if start == "~" else float(start)
    high = float(end) if end else float("inf")
    return (low <= value <= high) == inside


def test_the_page_names_every_measure() -> None:
    assert not [key for key in MEASURES if f"| `{key}` |" not in PAGE]


def test_the_help_names_every_measure(capsys: pytest.CaptureFixture[str]) -> None:
    from gpumon_cli.main import main

    with pytest.raises(SystemExit):
        main(["status", "--help"])
    printed = capsys.readouterr().out
    assert not [key for key in MEASURES if f"  {key} " not in printed]

"""Words of the screen: concerns, data quality, folding, tones, charts."""

from __future__ import annotations

import subprocess
import sys

import pytest
from msgspec.structs import replace
from rich.text import Text

from clusters import NOW, gpu, healthy, node, troubled
from gpumon.columns import JOB_COLUMNS, USER_COLUMNS
from gpumon.model import ClusterSnapshot, Dialect, Lack, NodeSlurm, Problem, Severity
from gpumon.settings import Thresholds
from gpumon.source import Point
from gpumon_tui.charts import SHARES, Curve, Span, draw_curves
from gpumon_tui.picture import Picture, take_picture
from gpumon_tui.tones import heat_tone, state_tone, use_tone
from gpumon_tui.widgets.attention import concerns_of
from gpumon_tui.widgets.fitting import width_of
from gpumon_tui.widgets.folding import fold
from gpumon_tui.widgets.narrowing import compact, narrowed
from gpumon_tui.widgets.quality import sentences
from tui_scripted import ScriptedSource


def test_problems_are_concerns_the_worst_first_and_each_once() -> None:
    problem = Problem("gpus", "half of it is old")
    whole = replace(healthy(), problems=(problem, problem, Problem("jobs", "all of it is gone", "", Severity.ERROR)))
    said = [concern.text for concern in concerns_of(Picture(snapshot=whole))]
    assert said.index("all of it is gone") < said.index("half of it is old")
    assert len(said) == len(set(said))


def test_a_picture_is_worked_out_from_one_snapshot() -> None:
    picture = take_picture(ScriptedSource(troubled()), Thresholds())
    assert picture.totals.gpus == 10
    assert not picture.is_empty
    assert Picture().is_empty


def test_data_quality_names_lacks_and_remedies() -> None:
    lack = Lack(("sm_active",), "DCGM_FI_PROF_SM_ACTIVE", "SM activity", "add the line")
    dialect = Dialect("gpus", "dcgm-exporter", "MIG", 1, NOW - 400, (lack,))
    said = dict(sentences(Picture(snapshot=ClusterSnapshot(taken_at=NOW, dialects=(dialect,), queries=7))))
    assert said["! gpus: dcgm-exporter (MIG), 1 target, newest sample 6m old"] == "warn"
    assert "  – DCGM_FI_PROF_SM_ACTIVE is not exported: no SM activity" in said
    assert said["    add the line"] == "quiet"
    assert any("7 requests" in sentence for sentence in said)


def test_an_unknown_age_of_samples_is_not_made_up() -> None:
    dialect = Dialect("jobs", "gpumon-slurm-exporter")
    said = dict(sentences(Picture(snapshot=ClusterSnapshot(taken_at=NOW, dialects=(dialect,)))))
    assert "✓ jobs: gpumon-slurm-exporter" in said


@pytest.mark.parametrize("width", [0, 1, 3, 4, 10, 40, 200])
@pytest.mark.parametrize("text", ["", "  indented words go on and on and on", "x" * 100, "宽" * 60, "a 宽宽宽宽宽宽 b"])
def test_folded_lines_never_are_wider_than_allowed(text: str, width: int) -> None:
    lines = list(fold(text, width))
    assert all(width_of(line) <= width for line in lines)
    if width > 4:
        assert "".join("".join(lines).split()) == "".join(text.split())


def test_folded_lines_keep_their_indent() -> None:
    assert list(fold("  one two three four", 14)) == ["  one two", "three four"]
    assert list(fold("  one two three four", 16)) == ["  one two three", "    four"]


@pytest.mark.parametrize(("celsius", "tone"), [(None, ""), (60.0, ""), (85.0, "warn"), (92.0, "bad")])
def test_hot_is_coloured_from_the_thresholds_on(celsius: float | None, tone: str) -> None:
    assert heat_tone(celsius, Thresholds()) == tone


def test_idle_is_a_warning_only_when_somebody_holds_the_gpu() -> None:
    assert use_tone(gpu("n", 0, utilization=0.0, jobs=("1",)), Thresholds()) == "warn"
    assert use_tone(gpu("n", 0, utilization=0.0, jobs=()), Thresholds()) == "quiet"
    assert use_tone(gpu("n", 0, utilization=0.5), Thresholds()) == "good"
    assert use_tone(gpu("n", 0, utilization=None), Thresholds()) == ""


def test_a_node_that_is_down_is_worse_than_one_that_drains() -> None:
    assert state_tone(node("n", slurm=NodeSlurm(state="down"))) == "bad"
    assert state_tone(node("n", slurm=NodeSlurm(state="idle", flags=("drain",)))) == "warn"
    assert state_tone(node("n")) == ""
    assert state_tone(node("n", slurm=None)) == ""


def test_narrow_tables_begin_with_what_is_asked_for_most() -> None:
    assert [column.title for column in compact(USER_COLUMNS)][:4] == ["USER", "RUN", "WAIT", "GPUS"]
    assert [column.width for column in narrowed(JOB_COLUMNS, {"user": 7, "job": 9})] == [7, 9]


@pytest.mark.parametrize("size", [(20, 6), (60, 12), (90, 13)])
def test_a_chart_has_exactly_the_size_it_was_asked_for(size: tuple[int, int]) -> None:
    points = [Point(NOW - 1800 + 15 * step, step / 120) for step in range(121)]
    drawn = Text.from_ansi(draw_curves([Curve(points, (100, 200, 150))], SHARES, Span(1800.0, NOW), *size)).plain.split(
        "\n"
    )
    lines = drawn[:-1] if not drawn[-1] else drawn
    assert len(lines) == size[1]
    assert all(len(line) <= size[0] for line in lines)
    assert "100%" in drawn[0]


@pytest.mark.parametrize("points", [[], [Point(NOW, 0.5)]])
def test_a_chart_of_next_to_nothing_is_drawn_too(points: list[Point]) -> None:
    assert draw_curves([Curve(points, (1, 2, 3))], SHARES, Span(1800.0, NOW), 40, 8)


def test_the_app_is_loaded_without_what_the_first_frame_does_not_need() -> None:
    program = (
        "import sys; import gpumon_tui.app;"
        "lines = {'gpumon_tui.widgets.filter_line', 'gpumon_tui.widgets.command_line', 'gpumon_tui.commands'};"
        "heavy = {'httpx', 'plotext', 'paramiko', 'requests', *lines};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"

"""Whatever name the real sbatch accepts comes out of gpumon as it is, and harms no terminal."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from real.daemons import Daemon, Engine, until
from real.slurm import gpumon
from real.slurm.names import FORGED_LINE, FORGED_RECORD, STRANGE_NAMES
from real.slurm.scenario import Scenario
from real.slurm.told import told
from slurm_site.layout import BOB

pytestmark = pytest.mark.xdist_group("slurm")
RELEASES = ("system", "newest")

LONGEST_BYTES = 900
"""sbatch takes somewhat more."""
TURNING = "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Letters that turn the direction of a line, or are nothing to see."""
PIECES = (
    "JobId=1 ", "JobState=RUNNING ", " GRES=gpu:h100:8(IDX:0-7)", "|", ",", ";", ":", "=", "'", '"', "\\", "\\n", "\n",
    "\r", "\t", " ", "%", "%j", "\x1b[2J", "\x1b]0;title\x07", "\x9b1m", "\u202e", "\u200b", "[bold]", "{}", '"} 1\n',
    "# EOF\n", "é", "模", "🚀", "(null)", "N/A", "None", "0", "nan",
)  # fmt: skip
NAMES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join),
).filter(lambda name: len(name.encode()) < LONGEST_BYTES)


def submit_together(scenario: Scenario, names: Sequence[str]) -> list[str]:
    """The numbers of waiting jobs with these names: parts of one heterogeneous job, to make it one submission."""
    parts = [["--hold", "--partition=cpu", f"--job-name={name}"] for name in names]
    first, *rest = parts
    later = [word for part in rest for word in (":", "--account=ml_nlp", *part)]
    head = int(scenario.site.submit(BOB, *first, *later))
    numbers = [str(head + place) for place in range(len(names))]
    readable = (os.fsencode(name).decode(errors="replace") for name in names)
    scenario.names.update(zip(numbers, readable, strict=True))
    return numbers


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(names=st.lists(NAMES, min_size=50, max_size=100))
def test_any_name_comes_out_unchanged_and_can_be_printed(
    names: list[str], scenario: Scenario, exporter_of_site: Daemon, engine: Engine, tmp_path: Path
) -> None:
    numbers = submit_together(scenario, names)
    try:
        wait_for_scrape_of(engine, exporter_of_site, numbers)
        found = gpumon.jobs(engine, tmp_path)
        assert {number: found[number]["name"] for number in numbers} == dict(zip(numbers, names, strict=True))
        printed = gpumon.run(engine, tmp_path, "jobs").stdout
        assert not [letter for letter in printed if is_harmful(letter)]
    finally:
        scenario.site.run("scancel", numbers[0])


def wait_for_scrape_of(engine: Engine, daemon: Daemon, numbers: Sequence[str]) -> None:
    """Returns once Prometheus has all of these jobs."""
    wanted = set(numbers)

    def are_there() -> bool:
        return wanted <= {sample.labels["job_id"] for sample in engine.query("gpumon_job_info")}

    until(are_there, f"{len(wanted)} jobs of which the exporter tells {len(told(daemon)['gpumon_job_info'])}")


def is_harmful(letter: str) -> bool:
    """Whether a terminal might do something else with it than to draw it."""
    return letter != "\n" and (unicodedata.category(letter) == "Cc" or letter in TURNING)


def test_the_strange_names_of_running_jobs_come_out_unchanged(
    scenario: Scenario, engine: Engine, tmp_path: Path
) -> None:
    found = gpumon.jobs(engine, tmp_path)
    strange = {number: name for number, name in scenario.names.items() if number in found}
    assert {*strange.values()} > {*STRANGE_NAMES, FORGED_LINE, FORGED_RECORD}
    assert {number: found[number]["name"] for number in strange} == strange
    assert not {"9999", "9998"} & set(found), "no name has forged a job"


def test_a_name_that_is_no_utf8_is_replaced(
    scenario: Scenario, exporter_of_site: Daemon, engine: Engine, tmp_path: Path
) -> None:
    (number,) = submit_together(scenario, ["caf\udce9"])
    try:
        wait_for_scrape_of(engine, exporter_of_site, [number])
        assert gpumon.jobs(engine, tmp_path)[number]["name"] == "caf\ufffd"
    finally:
        scenario.site.run("scancel", number)

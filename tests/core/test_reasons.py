"""Slurm's reasons in plain words."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gpumon.reasons import in_words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", ""),
        ("Resources", "next in line: waits for resources to become free"),
        ("AssocGrpGRES", "its account uses all the GPUs that it may"),
        ("AssocGrpGRESMinutes", "its account uses all the GPUs that it may over time"),
        ("AssocMaxJobsLimit", "its account runs as many jobs as it may"),
        ("QOSMaxGRESPerUser", "its user uses all the GPUs allowed under its QOS"),
        ("QOSMaxJobsPerUserLimit", "its user uses all the jobs allowed under its QOS"),
        ("QOSMinGRES", "asks for fewer GPUs than its QOS demands"),
        ("MaxGRESPerAccount", "its account uses all the GPUs allowed"),
        (
            "ReqNodeNotAvail, UnavailableNodes:gpu05",
            "a node that it asks for is not available (UnavailableNodes:gpu05)",
        ),
        (
            "Nodes_required_for_job_are_DOWN,_DRAINED_or_reserved_for_jobs_in_higher_priority_partitions",
            "nodes that it needs are down, drained or kept for others",
        ),
        ("SomethingQuiteNew", "something quite new"),
        ("a text with blanks", "a text with blanks"),
    ],
)
def test_a_reason_is_said_in_words(reason: str, words: str) -> None:
    assert in_words(reason) == words


@given(st.text(max_size=80))
@example(",")
@example(",x")
@example("_")
def test_no_reason_is_lost_or_breaks_anything(reason: str) -> None:
    assert bool(in_words(reason)) == bool(reason)

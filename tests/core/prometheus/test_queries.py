"""Whatever a stranger named a node or a job, it stays one string literal in a query."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpumon.prometheus import queries
from gpumon.prometheus.queries import GPU_METRIC_BY_NAME, any_of, named, quoted

_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_UNESCAPED = {"\\n": "\n", "\\r": "\r", '\\"': '"', "\\\\": "\\"}


def read_back(literal: str) -> str:
    assert _LITERAL.fullmatch(literal)
    return re.sub(r"\\.", lambda match: _UNESCAPED[match.group()], literal[1:-1])


@given(st.text(max_size=300))
def test_a_quoted_value_reads_back_as_it_was(value: str) -> None:
    assert read_back(quoted(value)) == value


@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.text(max_size=30))
def test_an_alternative_matches_just_its_values(values: list[str], other: str) -> None:
    pattern = re.compile(read_back(any_of(values)), re.DOTALL)
    assert all(pattern.fullmatch(value) for value in values)
    assert bool(pattern.fullmatch(other)) is (other in values)


def test_a_selector_takes_metric_names_only() -> None:
    assert named(["b", "a"]) == '{__name__=~"a|b"}'
    with pytest.raises(ValueError, match="not a metric"):
        named(['x"} or up'])


def test_every_metric_fills_a_field_of_the_model_or_of_the_reading() -> None:
    extra = {"memory_reserved_bytes", "memory_total_bytes", "throttle_mask", "clock_events"}
    from gpumon.model import Gpu, GpuDetail

    known = {*Gpu.__struct_fields__, *GpuDetail.__struct_fields__, *extra}
    assert {metric.field for metric in GPU_METRIC_BY_NAME.values()} <= known


def test_slurm_names_of_every_dialect_are_asked_for() -> None:
    pattern = re.compile(read_back(queries.SLURM_SAMPLES.removeprefix("{__name__=~").removesuffix("}")))
    for name in ("slurm_queue_pending", "slurm_jobs", "slurm_jobs_pending", "slurm_nodes", "slurm_node_cpu_alloc",
                 "slurm_node_memory_bytes", "slurm_user_jobs_gpus_alloc", "slurm_partition_job_state_total",
                 "gpumon_node_info", "gpumon_pending_jobs", "slurm_reservation_info", "slurm_gpus_total"):  # fmt: skip
        assert pattern.fullmatch(name), name
    for name in ("slurm_job_info", "gpumon_job_info", "slurm_rpc_stats", "slurm_nodesx"):
        assert not pattern.fullmatch(name), name

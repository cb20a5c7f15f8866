"""How Prometheus' bytes become typed samples and numbers."""

from __future__ import annotations

import math
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpumon.prometheus.wire import MatrixData, ScalarData, VectorData, WireTarget, finite, query_decoder, without_nulls


class GpuLabels(msgspec.Struct, gc=False, frozen=True):
    """Two labels, and the metric's name."""

    name: str = msgspec.field(name="__name__", default="")
    UUID: str = ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0.0),
        ("1.5", 1.5),
        ("-40", -40.0),
        ("1e+09", 1e9),
        ("85899345920", 85899345920.0),
        ("2147483631", 2147483631.0),
        ("2147483648", 2147483648.0),
        ("140737488355328", 2.0**47),
        ("9.223372036854774e+18", 9.223372036854774e18),
        ("-9.3e18", -9.3e18),
    ],
)
def test_a_number_is_itself(text: str, number: float) -> None:
    assert finite(text) == number


@pytest.mark.parametrize("text", ["NaN", "nan", "+Inf", "-Inf", "Inf", "1e999", "", "abc", "0x10"])
def test_what_is_no_finite_number_is_unknown(text: str) -> None:
    assert finite(text) is None


@pytest.mark.parametrize("text", ["2147483632", "2147483633", "2147483634", "2147483635", "2147483647"])
def test_a_blank_of_dcgm_in_32_bits_is_unknown(text: str) -> None:
    assert finite(text) is None


@pytest.mark.parametrize("text", ["9223372036854775792", "9223372036854775794", "9.223372036854776e+18", "1e19"])
def test_a_blank_of_dcgm_in_64_bits_is_unknown(text: str) -> None:
    assert finite(text) is None


@given(st.text())
def test_any_text_is_a_finite_number_or_unknown(text: str) -> None:
    value = finite(text)
    assert value is None or math.isfinite(value)


def test_labels_fill_the_fields_of_their_struct_and_others_are_left_aside() -> None:
    answer = query_decoder(GpuLabels).decode(
        b'{"status":"success","data":{"resultType":"vector","result":'
        b'[{"metric":{"__name__":"m","UUID":"GPU-1","job":"dcgm"},"value":[1.5,"3"]}]}}'
    )
    assert isinstance(answer.data, VectorData)
    assert answer.data.result is not None
    (sample,) = answer.data.result
    assert sample.metric == GpuLabels(name="m", UUID="GPU-1")
    assert sample.value == (1.5, "3")


def test_a_missing_label_is_empty() -> None:
    answer = query_decoder(GpuLabels).decode(
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]}}'
    )
    assert isinstance(answer.data, VectorData)
    assert answer.data.result is not None
    assert answer.data.result[0].metric == GpuLabels()


def test_labels_can_be_had_all_as_a_dict() -> None:
    answer = query_decoder(dict[str, str]).decode(
        '{"status":"success","data":{"resultType":"matrix","result":'
        '[{"metric":{"user":"zoë","日本":"東京"},"values":[[1,"1"],[2.5,"NaN"]]}]}}'.encode()
    )
    assert isinstance(answer.data, MatrixData)
    assert answer.data.result is not None
    assert answer.data.result[0].metric == {"user": "zoë", "日本": "東京"}
    assert answer.data.result[0].values == [(1.0, "1"), (2.5, "NaN")]


def test_the_kind_of_result_may_come_after_the_result() -> None:
    answer = query_decoder(GpuLabels).decode(b'{"data":{"result":[1,"2"],"resultType":"scalar"},"status":"success"}')
    assert isinstance(answer.data, ScalarData)


def test_a_native_histogram_beside_numbers_is_no_number_and_no_failure() -> None:
    answer = query_decoder(GpuLabels).decode(
        b'{"status":"success","data":{"resultType":"vector","result":'
        b'[{"metric":{},"histogram":[1,{"count":"3"}]},{"metric":{},"value":[1,"2"]}]}}'
    )
    assert isinstance(answer.data, VectorData)
    assert answer.data.result is not None
    assert [finite(sample.value[1]) for sample in answer.data.result] == [None, 2.0]


def test_a_decoder_is_made_once_for_each_kind_of_labels() -> None:
    assert query_decoder(GpuLabels) is query_decoder(GpuLabels)
    assert query_decoder(dict[str, str]) is query_decoder(dict[str, str])


def test_warnings_infos_and_a_partial_answer_are_all_remarks() -> None:
    answer = query_decoder(GpuLabels).decode(b'{"status":"success","warnings":["w"],"infos":["i"],"isPartial":true}')
    assert answer.remarks[:2] == ("w", "i")
    assert "partial" in answer.remarks[2]


def test_an_answer_without_remarks_has_none() -> None:
    assert query_decoder(GpuLabels).decode(b'{"status":"success","warnings":null,"isPartial":false}').remarks == ()


def test_a_null_in_a_target_is_an_absent_field() -> None:
    (target,) = without_nulls([{"labels": {"job": "dcgm"}, "lastError": None, "lastSamplesScraped": 9}], WireTarget)
    assert target == WireTarget(labels={"job": "dcgm"})


def test_no_list_is_an_empty_one() -> None:
    assert without_nulls(None, WireTarget) == []


def test_decoders_can_be_made_in_several_threads_at_once() -> None:
    """Without a lock this ends the process: it runs in one of its own."""
    script = """
import sys, threading
import msgspec
from gpumon.prometheus.wire import query_decoder

sys.setswitchinterval(1e-6)
body = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1,"2"]}]}}'
for _ in range(60):
    class Labels(msgspec.Struct, gc=False, frozen=True):
        job: str = ""
        instance: str = ""

    gate = threading.Barrier(4)

    def run(labels=Labels):
        gate.wait()
        query_decoder(labels).decode(body)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)

"""The text is what prometheus_client would write, in both formats, whatever stands in a label."""

from __future__ import annotations

import gzip
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from exporter_readings import HOSTILE, series
from gpumon_exporter.metrics.exposition import Family, Samples, block, family_text, number
from gpumon_exporter.metrics.pages import Page

FAMILY = Family("gpumon_test_seconds", "Some words, in seconds.", ("alpha", "beta"))
LETTERS = st.characters(exclude_categories=["Cs"])
LABELS = st.tuples(st.text(LETTERS, max_size=12), st.text(LETTERS, max_size=12))
VALUES = st.integers(-(10**18), 10**18) | st.floats(allow_nan=False, allow_infinity=False)


class Gauges(Collector):
    """The same samples for prometheus_client."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def collect(self) -> Iterable[Metric]:
        """One family."""
        gauge = GaugeMetricFamily(FAMILY.name, FAMILY.documentation, labels=FAMILY.labels)
        for labels, told in self.samples:
            if told is not None:
                gauge.add_metric(labels, told)
        yield gauge


@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
@given(samples=st.dictionaries(LABELS, VALUES, min_size=1, max_size=6))
def test_the_text_means_what_prometheus_client_would_write(accept: str, samples: dict[tuple[str, ...], float]) -> None:
    registry = CollectorRegistry()
    registry.register(Gauges(samples.items()))
    theirs = choose_encoder(accept)[0](registry).decode()
    mine = family_text(FAMILY, samples.items()).decode()
    assert mine.split("\n")[:2] == theirs.split("\n")[:2]
    is_openmetrics = bool(accept)
    end = "# EOF\n" if is_openmetrics else ""
    assert series(mine + end, is_openmetrics=is_openmetrics) == series(theirs, is_openmetrics=is_openmetrics)
    assert [line.rpartition(" ")[0] for line in mine.split("\n")] == [
        line.rpartition(" ")[0] for line in theirs.removesuffix(end).split("\n")
    ]


@given(VALUES)
def test_no_digit_of_a_value_is_lost(told: float) -> None:
    assert float(number(told)) == float(told)


def test_a_hostile_label_stays_one_label() -> None:
    told = series(family_text(FAMILY, [((HOSTILE, ""), 1)]).decode())
    assert told == {(FAMILY.name, frozenset({("alpha", HOSTILE), ("beta", "")})): 1.0}


def test_what_no_utf_8_can_hold_is_replaced() -> None:
    assert family_text(FAMILY, [(("a\udcffb", "c"), 1)]).endswith(b'{alpha="a?b",beta="c"} 1\n')


def test_what_is_not_known_has_no_series_and_a_family_without_series_is_left_out() -> None:
    assert family_text(FAMILY, [(("a", "b"), None)]) == b""
    assert block([(FAMILY, ())]).plain == ()


@given(st.lists(st.binary(max_size=300), max_size=4), st.binary(max_size=300))
def test_a_compressed_page_is_one_gzip_stream_of_the_same_text(texts: list[bytes], tail: bytes) -> None:
    families = [Family(f"f{index}", text.hex()) for index, text in enumerate(texts)]
    blocks = [block([(family, [((), 1)])]) for family in families]
    page = Page.of(*blocks)
    plain = b"".join(page.plain(tail))
    assert gzip.decompress(b"".join(page.gzipped(tail))) == plain
    assert plain.endswith(tail)
    assert plain.count(b"# TYPE") >= len(texts)

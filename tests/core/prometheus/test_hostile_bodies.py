"""Whatever bytes a server sends, the client answers or fails with a SourceError; never with anything else."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from asking import Labels
from gpumon.errors import SourceError
from gpumon.prometheus.client import PrometheusClient
from gpumon.prometheus.wire import Matrix, Vector
from gpumon.settings import PrometheusSettings
from gpumon.text import shown

GOOD = (
    b'{"status":"success","warnings":["w"],"data":{"resultType":"vector","result":'
    b'[{"metric":{"node":"a"},"value":[1.5,"3"]},{"metric":{},"value":[2,"NaN"]}]}}'
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "data", "result", "resultType", "metric", "value", "alerts", "activeTargets"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def outcomes(status: int, headers: dict[str, str], body: bytes) -> None:
    """Asks everything there is to ask of a server that always answers so."""

    def answer(_: httpx.Request) -> httpx.Response:
        # a stream, since httpx would decode content already when the response is made, outside the client
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    client = PrometheusClient(PrometheusSettings(url="http://head:9090"), transport=httpx.MockTransport(answer))
    asked: list[Callable[[], object]] = [
        lambda: client.query("up", Labels),
        lambda: client.query("up", dict[str, str]),
        lambda: client.query_matrix("up[1m]", Labels),
        client.alerts,
        client.targets,
        client.metric_names,
        client.build_version,
    ]
    for ask in asked:
        (outcome,) = client.together([ask])
        if isinstance(outcome, SourceError):
            assert outcome.message
            assert shown(str(outcome)) == str(outcome)
        else:
            assert outcome is None or isinstance(outcome, (Vector, Matrix, list, frozenset, str))
    client.close()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([200, 204, 301, 400, 401, 403, 404, 405, 422, 500, 502, 503, 504]))
def test_arbitrary_bytes_are_an_answer_or_a_source_error(body: bytes, status: int) -> None:
    outcomes(status, {}, body)


@settings(max_examples=40, deadline=None)
@given(JSON, st.sampled_from([200, 400, 503]))
def test_arbitrary_json_is_an_answer_or_a_source_error(value: object, status: int) -> None:
    outcomes(status, {}, msgspec.json.encode(value))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.binary(max_size=3))
def test_a_good_answer_with_a_piece_replaced_is_an_answer_or_a_source_error(
    start: int, end: int, replacement: bytes
) -> None:
    outcomes(200, {}, GOOD[:start] + replacement + GOOD[end:])


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=50), st.sampled_from(["gzip", "deflate", "br", "gzip, deflate", "nonsense"]))
def test_arbitrarily_packed_bytes_are_an_answer_or_a_source_error(body: bytes, encoding: str) -> None:
    outcomes(200, {"Content-Encoding": encoding}, body)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_arbitrary_headers_are_an_answer_or_a_source_error(location: str) -> None:
    outcomes(302, {"Location": location}, b"")
    outcomes(500, {"Location": location, "Date": location, "Content-Length": location}, b"<title>x</title>")
    outcomes(200, {"Date": location, "Content-Length": location}, GOOD)

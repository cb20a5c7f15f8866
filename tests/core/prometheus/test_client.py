"""What the client sends, and what it makes of good answers."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate

import httpx
import pytest

from asking import ClientFor, Labels, Serve
from gpumon.errors import ConnectionLost, NotPrometheus, QueryRejected, Refused, SourceError
from gpumon.prometheus.wire import Sample, WireAlert
from gpumon.settings import PrometheusSettings, Secret
from loopback import PieceOrEnd, Request, reply, vector


def empty(_: Request) -> Iterable[PieceOrEnd]:
    """An empty vector."""
    return vector()


def always(response: list[PieceOrEnd]) -> Callable[[Request], Iterable[PieceOrEnd]]:
    """Answers everything alike."""
    return lambda _: response


def test_importing_and_making_a_client_does_not_import_httpx() -> None:
    program = (
        "import sys; from gpumon.prometheus.client import PrometheusClient; from gpumon.settings import *;"
        "PrometheusClient(PrometheusSettings()); assert 'httpx' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_query_is_posted_as_a_form_with_timeout_and_nocache(serve: Serve, client_for: ClientFor) -> None:
    server = serve(empty)
    client_for(server.url, timeout=2.5).query('up{job="a&b"}', Labels, at=1700000000.25)
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/api/v1/query")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.parameters == {
        "query": 'up{job="a&b"}',
        "time": "1700000000.250",
        "timeout": "2.5",
        "nocache": "1",
    }


def test_without_a_time_none_is_sent(serve: Serve, client_for: ClientFor) -> None:
    server = serve(empty)
    client_for(server.url).query("up", Labels)
    assert "time" not in server.requests[0].parameters


@pytest.mark.parametrize("prefix", ["", "/", "/prometheus", "/select/0/prometheus/"])
def test_the_path_prefix_is_kept_with_or_without_a_slash(serve: Serve, client_for: ClientFor, prefix: str) -> None:
    server = serve(empty)
    client = client_for(server.url + prefix)
    client.query("up", Labels)
    assert server.requests[0].path == prefix.rstrip("/") + "/api/v1/query"
    assert client.url == server.url + prefix.rstrip("/")


def test_samples_come_typed_with_prometheus_own_text(serve: Serve, client_for: ClientFor) -> None:
    server = serve(
        always(
            vector(
                '{"metric":{"node":"a"},"value":[1.5,"NaN"]}',
                '{"metric":{"node":"знак"},"value":[2,"+Inf"]}',
                '{"metric":{},"value":[3,"9223372036854775792"]}',
            )
        )
    )
    assert client_for(server.url).query("up", Labels).samples == [
        Sample(Labels("a"), (1.5, "NaN")),
        Sample(Labels("знак"), (2.0, "+Inf")),
        Sample(Labels(), (3.0, "9223372036854775792")),
    ]


def test_an_empty_vector_is_an_answer(serve: Serve, client_for: ClientFor) -> None:
    assert client_for(serve(empty).url).query("absent", Labels).samples == []


def test_a_null_result_is_an_empty_vector(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(reply('{"status":"success","data":{"resultType":"vector","result":null}}')))
    assert client_for(server.url).query("absent", Labels).samples == []


def test_warnings_are_kept(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(vector(extra=',"warnings":["store away"],"infos":["not a counter"]')))
    assert client_for(server.url).query("rate(x[1m])", Labels).warnings == ("store away", "not a counter")


def test_a_scalar_is_one_sample_without_labels(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(reply('{"status":"success","data":{"resultType":"scalar","result":[7,"1"]}}')))
    client = client_for(server.url)
    assert client.query("1", Labels).samples == [Sample(Labels(), (7.0, "1"))]
    assert client.query("1", dict[str, str]).samples == [Sample(dict[str, str](), (7.0, "1"))]


def test_a_string_is_not_a_number(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(reply('{"status":"success","data":{"resultType":"string","result":[7,"hello"]}}')))
    with pytest.raises(NotPrometheus, match="unexpected form"):
        client_for(server.url).query('"hello"', Labels)


def test_a_matrix_is_not_a_vector_nor_the_other_way_round(serve: Serve, client_for: ClientFor) -> None:
    matrix = serve(always(reply('{"status":"success","data":{"resultType":"matrix","result":[]}}')))
    with pytest.raises(NotPrometheus):
        client_for(matrix.url).query("up[1m]", Labels)
    with pytest.raises(NotPrometheus):
        client_for(serve(empty).url).query_matrix("up", Labels)


def test_raw_samples_come_with_their_own_times_whatever_the_content_type(serve: Serve, client_for: ClientFor) -> None:
    body = (
        '{"status":"success","data":{"resultType":"matrix","result":'
        '[{"metric":{"node":"a"},"values":[[1,"1"],[2.5,"2"]]}]}}'
    )
    server = serve(always(reply(body, content_type="application/stream+json")))
    matrix = client_for(server.url).query_matrix("up[1m]", Labels)
    assert [(series.metric.node, series.values) for series in matrix.series] == [("a", [(1.0, "1"), (2.5, "2")])]


def test_a_range_stays_below_11000_points(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(reply('{"status":"success","data":{"resultType":"matrix","result":[]}}')))
    client = client_for(server.url)
    client.query_range("up", Labels, start=0, end=604800, step=15)
    client.query_range("up", Labels, start=0, end=3600, step=15)
    week, hour = (request.parameters for request in server.requests)
    assert 604800 / float(week["step"]) + 1 < 11000
    assert float(hour["step"]) == 15
    assert (hour["start"], hour["end"]) == ("0.000", "3600.000")


def test_alerts_are_read_with_nulls_for_what_is_absent(serve: Serve, client_for: ClientFor) -> None:
    server = serve(
        always(
            reply(
                '{"status":"success","data":{"alerts":[{"labels":{"alertname":"Hot"},"annotations":null,'
                '"state":"firing","activeAt":"2026-01-01T00:00:00Z","value":"9e+01","extra":1}]}}'
            )
        )
    )
    assert client_for(server.url).alerts() == [
        WireAlert({"alertname": "Hot"}, {}, "firing", "2026-01-01T00:00:00Z", "9e+01")
    ]
    assert server.requests[0].target == "/api/v1/alerts"


@pytest.mark.parametrize("data", ["null", "{}", '{"alerts":null}', '{"alerts":[]}'])
def test_no_alerts_are_none(serve: Serve, client_for: ClientFor, data: str) -> None:
    assert client_for(serve(always(reply(f'{{"status":"success","data":{data}}}'))).url).alerts() == []


def test_targets_of_prometheus_and_victoriametrics_are_both_read(serve: Serve, client_for: ClientFor) -> None:
    server = serve(
        always(
            reply(
                '{"status":"success","data":{"activeTargets":['
                '{"discoveredLabels":{"__address__":"a:1"},"labels":{"job":"x"},"scrapePool":"x","scrapeUrl":"http://a:1",'
                '"globalUrl":"http://a:1","lastError":"","lastScrape":"2026-01-01T00:00:00Z","lastScrapeDuration":0.01,'
                '"health":"up","scrapeInterval":"15s","scrapeTimeout":"10s"},'
                '{"discoveredLabels":{},"labels":{"job":"y"},"scrapePool":"y","scrapeUrl":"http://b:1","lastError":"gone",'
                '"lastScrape":"2026-01-01T00:00:00Z","lastScrapeDuration":1,"lastSamplesScraped":7,"health":"down"}'
                '],"droppedTargets":[]}}'
            )
        )
    )
    told, brief = client_for(server.url).targets()
    assert (told.scrapeInterval, told.lastScrapeDuration, told.health) == ("15s", 0.01, "up")
    assert (brief.scrapeInterval, brief.globalUrl, brief.lastError) == ("", "", "gone")
    assert server.requests[0].parameters == {"state": "active"}


def test_a_target_of_a_wrong_shape_is_a_source_error(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(reply('{"status":"success","data":{"activeTargets":[{"labels":7}]}}')))
    with pytest.raises(NotPrometheus, match="unexpected form"):
        client_for(server.url).targets()


def test_metric_names_can_be_had_since_a_time(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(reply('{"status":"success","data":["up","DCGM_FI_DEV_GPU_UTIL","up"]}')))
    client = client_for(server.url)
    assert client.metric_names() == {"up", "DCGM_FI_DEV_GPU_UTIL"}
    client.metric_names(start=1000.0)
    assert server.requests[0].target == "/api/v1/label/__name__/values"
    assert server.requests[1].parameters["start"] == "1000.000"
    assert float(server.requests[1].parameters["end"]) > 1000


def test_no_metric_names_are_an_empty_set(serve: Serve, client_for: ClientFor) -> None:
    assert client_for(serve(always(reply('{"status":"success","data":null}'))).url).metric_names() == frozenset()


@pytest.mark.parametrize(
    ("response", "version"),
    [
        (reply('{"status":"success","data":{"version":"2.42.0","goVersion":"go1.19"}}'), "2.42.0"),
        (reply('{"status":"success","data":{}}'), None),
        (reply('{"status":"success","data":{"version":""}}'), None),
        (reply("404 page not found", "404 Not Found", "text/plain"), None),
        (reply('unsupported path requested: "/api/v1/status/buildinfo"', "400 Bad Request", "text/plain"), None),
    ],
)
def test_the_version_is_unknown_where_the_server_does_not_say(
    serve: Serve, client_for: ClientFor, response: list[PieceOrEnd], version: str | None
) -> None:
    assert client_for(serve(always(response)).url).build_version() == version


def test_connections_are_kept_and_at_most_four(serve: Serve, client_for: ClientFor) -> None:
    def slow(_: Request) -> Iterable[PieceOrEnd]:
        time.sleep(0.002)
        return vector()

    server = serve(slow)
    client = client_for(server.url)
    for _ in range(4):
        client.together([lambda: client.query("up", Labels)] * 10)
    assert len(server.requests) == client.requests == 40
    assert server.connections <= 4


def test_one_after_the_other_uses_one_connection(serve: Serve, client_for: ClientFor) -> None:
    server = serve(empty)
    client = client_for(server.url)
    for _ in range(10):
        client.query("up", Labels)
    assert server.connections == 1


def test_a_kept_connection_that_went_away_is_made_anew(serve: Serve, client_for: ClientFor) -> None:
    gone: list[bool] = []

    def hangs_up_on_the_second(request: Request) -> Iterable[PieceOrEnd]:
        if request.parameters["query"] == "second" and not gone:
            gone.append(True)
            return [None]
        return vector()

    server = serve(hangs_up_on_the_second)
    client = client_for(server.url)
    client.query("first", Labels)
    client.query("second", Labels)
    assert [request.parameters["query"] for request in server.requests] == ["first", "second", "second"]


def test_a_server_that_takes_only_get_is_asked_so_from_then_on(serve: Serve, client_for: ClientFor) -> None:
    def only_get(request: Request) -> Iterable[PieceOrEnd]:
        return vector() if request.method == "GET" else reply("no", "405 Method Not Allowed", "text/plain")

    server = serve(only_get)
    client = client_for(server.url)
    client.query("up > 1", Labels)
    client.query("up > 2", Labels)
    assert [request.method for request in server.requests] == ["POST", "GET", "GET"]
    assert server.requests[2].parameters["query"] == "up > 2"


def test_a_proxy_that_forbids_the_method_is_asked_with_get(serve: Serve, client_for: ClientFor) -> None:
    def only_get(request: Request) -> Iterable[PieceOrEnd]:
        return vector() if request.method == "GET" else reply("Method not permitted", "403 Forbidden", "text/plain")

    server = serve(only_get)
    client_for(server.url).query("up", Labels)
    assert [request.method for request in server.requests] == ["POST", "GET"]


def test_a_server_that_takes_neither_is_an_error_and_not_a_loop(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(reply("no", "405 Method Not Allowed", "text/plain")))
    with pytest.raises(NotPrometheus, match="405"):
        client_for(server.url).query("up", Labels)
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("url", "encoding"),
    [
        ("http://localhost:9090", "identity"),
        ("http://127.0.0.53:9090", "identity"),
        ("http://[::1]:9090", "identity"),
        ("http://head:9090", "gzip"),
        ("https://prometheus.lab.example/prefix", "gzip"),
        ("http://10.1.2.3:9090", "gzip"),
    ],
)
def test_compression_is_asked_for_off_loopback_only(client_for: ClientFor, url: str, encoding: str) -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Accept-Encoding"])
        return httpx.Response(200, content=vector_body())

    client_for(url, transport=httpx.MockTransport(answer)).query("up", Labels)
    assert seen == [encoding]


def vector_body() -> bytes:
    """The body of an empty vector."""
    return b'{"status":"success","data":{"resultType":"vector","result":[]}}'


def test_credentials_and_extra_headers_are_sent_with_every_request(serve: Serve, client_for: ClientFor) -> None:
    server = serve(empty)
    settings = PrometheusSettings(
        url=server.url,
        username="zoë",
        password=Secret("pässword"),
        headers=(("X-Scope-OrgID", Secret("tenant-1")),),
    )
    client = client_for(settings)
    client.query("up", Labels)
    client.query("up", Labels)
    for request in server.requests:
        assert request.headers["authorization"] == "Basic em/Dqzpww6Rzc3dvcmQ="
        assert request.headers["x-scope-orgid"] == "tenant-1"


def test_a_bearer_token_is_sent(serve: Serve, client_for: ClientFor) -> None:
    server = serve(empty)
    client_for(PrometheusSettings(url=server.url, bearer_token=Secret("t0ken"))).query("up", Labels)
    assert server.requests[0].headers["authorization"] == "Bearer t0ken"


def test_a_user_in_the_address_logs_in_and_is_not_shown(serve: Serve, client_for: ClientFor) -> None:
    server = serve(empty)
    client = client_for(server.url.replace("//", "//ann:pa%40ss@"))
    client.query("up", Labels)
    assert server.requests[0].headers["authorization"] == "Basic YW5uOnBhQHNz"
    assert client.url == server.url


def test_together_keeps_the_order_and_puts_errors_in_their_place(client_for: ClientFor) -> None:
    client = client_for("http://127.0.0.1:9090")
    refused = Refused("no")

    def fails() -> int:
        raise refused

    calls: list[Callable[[], int]] = [lambda: 1, fails, lambda: 3]
    assert client.together(calls) == [1, refused, 3]
    assert client.together([fails]) == [refused]
    assert client.together([]) == []


def test_together_uses_at_most_four_threads_and_one_call_runs_in_place(client_for: ClientFor) -> None:
    client = client_for("http://127.0.0.1:9090")
    threads = client.together([threading.get_ident] * 50)
    assert len(set(threads)) <= 4
    assert threading.get_ident() not in threads
    assert client.together([threading.get_ident]) == [threading.get_ident()]


def test_a_bug_in_a_call_is_not_hidden(client_for: ClientFor) -> None:
    def bug() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client_for("http://127.0.0.1:9090").together([bug, bug])


def test_the_clock_of_the_server_is_known_from_its_answers(serve: Serve, client_for: ClientFor) -> None:
    ahead = time.time() + 100
    server = serve(always(reply(vector_body(), Date=formatdate(ahead, usegmt=True))))
    client = client_for(server.url)
    assert client.server_time is None
    assert client.clock_skew_seconds is None
    client.query("up", Labels)
    assert client.server_time == int(ahead)
    assert client.clock_skew_seconds == pytest.approx(100, abs=2)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_is_none_says_nothing_about_the_clock(serve: Serve, client_for: ClientFor, date: str) -> None:
    client = client_for(serve(always(reply(vector_body(), Date=date))).url)
    client.query("up", Labels)
    assert client.server_time is None
    assert client.clock_skew_seconds is None


def test_closing_wakes_whoever_waits(serve: Serve, client_for: ClientFor) -> None:
    arrived, end = threading.Event(), threading.Event()

    def never(_: Request) -> Iterable[PieceOrEnd]:
        arrived.set()
        end.wait(20)
        return [None]

    client = client_for(serve(never).url, timeout=20)
    outcome: list[object] = []
    waiting = threading.Thread(target=lambda: outcome.extend(client.together([lambda: client.query("up", Labels)])))
    waiting.start()
    assert arrived.wait(5)
    client.close()
    waiting.join(5)
    end.set()
    assert not waiting.is_alive()
    assert [type(result) for result in outcome] == [ConnectionLost]


def test_a_closed_client_answers_with_an_error(serve: Serve, client_for: ClientFor) -> None:
    client = client_for(serve(empty).url)
    client.close()
    with pytest.raises(ConnectionLost, match="closed"):
        client.query("up", Labels)
    outcomes = client.together([lambda: client.query("up", Labels)] * 3)
    assert all(isinstance(outcome, SourceError) for outcome in outcomes)


def test_an_error_inside_a_success_is_an_error(serve: Serve, client_for: ClientFor) -> None:
    server = serve(always(reply('{"status":"error","errorType":"execution","error":"found duplicate series"}')))
    with pytest.raises(QueryRejected, match="found duplicate series"):
        client_for(server.url).query("up", Labels)

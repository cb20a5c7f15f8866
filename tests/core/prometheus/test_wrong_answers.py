"""Servers that answer, but not as Prometheus would: each gets its own sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import httpx
import msgspec
import pytest

from asking import ClientFor, Labels, Serve, error_of
from gpumon.errors import (
    ConnectionLost,
    NotFound,
    NotPrometheus,
    QueryRejected,
    SourceError,
    TimedOut,
    TlsFailed,
    Unauthorized,
)
from gpumon.settings import PrometheusSettings, Secret
from loopback import PieceOrEnd, Request, reply, vector

Asking = Callable[..., SourceError]


@pytest.fixture
def error_for(serve: Serve, client_for: ClientFor) -> Asking:
    """What a query fails with when every request gets this reply: `error_for(body, status=..., content_type=...)`."""

    def ask(body: str | bytes, status: str = "200 OK", content_type: str = "text/html", **headers: str) -> SourceError:
        return error_of(client_for(serve(lambda _: reply(body, status, content_type, **headers)).url))

    return ask


def test_a_login_page(error_for: Asking) -> None:
    error = error_for("<!doctype html><html><head><title>Sign in · Example</title></head></html>")
    assert isinstance(error, NotPrometheus)
    assert 'answered with a web page titled "Sign in · Example" instead of numbers' in error.message
    assert "login page" in error.advice


def test_an_exporters_page(error_for: Asking) -> None:
    error = error_for("<html><head><title>Node Exporter</title></head><body>Metrics</body></html>")
    assert isinstance(error, NotPrometheus)
    assert "That is an exporter" in error.advice


def test_any_other_page(error_for: Asking) -> None:
    error = error_for("<html><body>It works!</body></html>")
    assert isinstance(error, NotPrometheus)
    assert "a web page instead of numbers" in error.message
    assert "path prefix" in error.advice


def test_a_page_without_a_content_type(error_for: Asking) -> None:
    error = error_for("\n <html><title>Hello</title>", content_type="application/json")
    assert 'a web page titled "Hello"' in error.message


@pytest.mark.parametrize(
    ("body", "status", "content_type"),
    [
        ("<html><title>Grafana</title></html>", "200 OK", "text/html"),
        ('{"message":"Not found","traceID":"","messageId":""}', "404 Not Found", "application/json"),
        (
            '{"extra":null,"message":"Unauthorized","messageId":"auth.unauthorized","statusCode":401,"traceID":""}',
            "401 Unauthorized",
            "application/json",
        ),
    ],
)
def test_grafana_is_called_by_its_name(error_for: Asking, body: str, status: str, content_type: str) -> None:
    error = error_for(body, status, content_type)
    assert isinstance(error, NotPrometheus)
    assert "Grafana" in error.message
    assert "9090" in error.advice


def test_port_3000_is_grafanas(client_for: ClientFor) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(404, json={"message": "Not found"}))
    error = error_of(client_for("http://head:3000", transport=transport))
    assert isinstance(error, NotPrometheus)
    assert "http://head:3000 is Grafana's address" in error.message


def test_prometheus_on_port_3000_may_reject_a_query_that_mentions_grafana(client_for: ClientFor) -> None:
    body = {"status": "error", "errorType": "bad_data", "error": "no grafana here"}
    transport = httpx.MockTransport(lambda _: httpx.Response(400, json=body))
    assert isinstance(error_of(client_for("http://head:3000", transport=transport)), QueryRejected)


@pytest.mark.parametrize("body", ['{"message":"hello"}', "[1,2]", '"text"', '{"a":{"b":[]}}'])
def test_json_of_someone_else(error_for: Asking, body: str) -> None:
    error = error_for(body, content_type="application/json")
    assert isinstance(error, NotPrometheus)
    assert "JSON that is not Prometheus'" in error.message


def test_plain_text(error_for: Asking) -> None:
    error = error_for("hello\x1b[31m there", content_type="text/plain")
    assert isinstance(error, NotPrometheus)
    assert '"hello\\e[31m there"' in error.message


def test_nothing_at_all(error_for: Asking) -> None:
    error = error_for("")
    assert isinstance(error, NotPrometheus)
    assert "answered with nothing" in error.message


def test_json_in_prometheus_envelope_of_another_shape(error_for: Asking) -> None:
    body = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":["x","y"]}]}}'
    error = error_for(body, content_type="application/json")
    assert isinstance(error, NotPrometheus)
    assert "unexpected form" in error.message
    assert "$.data.result[0].value[0]" in error.message


def test_json_nested_to_exhaust_the_decoder(error_for: Asking) -> None:
    body = '{"status":"success","x":' + "[" * 200_000
    assert isinstance(error_for(body), SourceError)


def test_401_without_credentials(error_for: Asking) -> None:
    error = error_for("Unauthorized", "401 Unauthorized", "text/plain")
    assert isinstance(error, Unauthorized)
    assert "wants a login (401)" in error.message
    assert "Set username and password, or a bearer token" in error.advice


@pytest.mark.parametrize(
    ("credentials", "named"),
    [
        ({"username": "ann", "password": Secret("hunter22")}, "the username and password"),
        ({"bearer_token": Secret("hunter22")}, "the bearer token"),
    ],
)
def test_401_with_credentials(serve: Serve, client_for: ClientFor, credentials: dict[str, Secret], named: str) -> None:
    server = serve(lambda _: reply("no", "401 Unauthorized", "text/plain"))
    error = error_of(client_for(PrometheusSettings(url=server.url, **credentials)))  # type: ignore[arg-type]  # by key
    assert isinstance(error, Unauthorized)
    assert f"does not accept {named} (401)" in error.message


def test_a_tenant_that_is_missing_is_asked_for(error_for: Asking) -> None:
    error = error_for("no org id\n", "401 Unauthorized", "text/plain")
    assert isinstance(error, Unauthorized)
    assert 'wants to know the tenant (401): "no org id"' in error.message
    assert "X-Scope-OrgID" in error.advice


def test_403_is_another_thing_than_401(error_for: Asking) -> None:
    error = error_for("RBAC: access denied", "403 Forbidden", "text/plain")
    assert isinstance(error, Unauthorized)
    assert 'forbids the request (403): "RBAC: access denied"' in error.message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("404 Not Found", "404 page not found"),
        ("404 Not Found", "<html><title>404 Not Found</title>nginx</html>"),
        ("400 Bad Request", 'unsupported path requested: "/api/v1/query"'),
    ],
)
def test_404_suggests_a_path_prefix(error_for: Asking, status: str, body: str) -> None:
    error = error_for(body, status, "text/plain")
    assert isinstance(error, NotFound)
    assert "has no Prometheus API at this path" in error.message
    assert "/prometheus?" in error.advice


def test_404_with_a_prefix_doubts_the_prefix(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: reply("404 page not found", "404 Not Found", "text/plain"))
    error = error_of(client_for(server.url + "/prom"))
    assert "Is the path prefix /prom right?" in error.advice


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        ("400 Bad Request", "bad_data", "1:4: parse error: unexpected end of input"),
        ("422 Unprocessable Entity", "execution", "found duplicate series for the match group"),
        ("422 Unprocessable Entity", "422", 'error when executing query="rate(x)": unknown func "rat"'),
        ("500 Internal Server Error", "internal", "disk I/O error"),
        ("503 Service Unavailable", "timeout", "query timed out in expression evaluation"),
        ("503 Service Unavailable", "unavailable", "TSDB not ready"),
        ("429 Too Many Requests", "too_many_requests", "too many outstanding requests"),
    ],
)
def test_prometheus_own_words_are_repeated(error_for: Asking, status: str, kind: str, text: str) -> None:
    body = msgspec.json.encode({"status": "error", "errorType": kind, "error": text})
    error = error_for(body, status, "application/json")
    assert isinstance(error, QueryRejected)
    assert text in error.message
    assert "422" not in error.message.partition(" answered ")[2], "a port may hold these digits"


def test_an_error_in_plain_text_is_repeated(error_for: Asking) -> None:
    error = error_for("the query is too long", "400 Bad Request", "text/plain")
    assert isinstance(error, QueryRejected)
    assert "the query is too long" in error.message


def test_a_long_error_is_cut_and_made_showable(error_for: Asking) -> None:
    body = msgspec.json.encode({"status": "error", "errorType": "bad_data", "error": "\x1b]0;x\x07" + "a" * 5000})
    error = error_for(body, "400 Bad Request", "application/json")
    assert len(str(error)) < 600
    assert "\x1b" not in str(error)
    assert "\\e]0;x" in str(error)


@pytest.mark.parametrize("status", ["502 Bad Gateway", "503 Service Temporarily Unavailable"])
def test_a_proxy_whose_prometheus_is_gone(error_for: Asking, status: str) -> None:
    error = error_for(f"<html><title>{status}</title><center>nginx</center></html>", status)
    assert isinstance(error, ConnectionLost)
    assert "A proxy at" in error.message
    assert status[:3] in error.message


def test_a_proxy_that_waited_in_vain(error_for: Asking) -> None:
    error = error_for("<html><title>504 Gateway Time-out</title></html>", "504 Gateway Time-out")
    assert isinstance(error, TimedOut)
    assert "waited in vain" in error.message


def test_prometheus_that_just_started_is_not_ready(error_for: Asking) -> None:
    error = error_for("Service Unavailable", "503 Service Unavailable", "text/plain")
    assert isinstance(error, QueryRejected)
    assert "is not ready" in error.message
    assert "After a start" in error.advice


@pytest.mark.parametrize("status", ["418 I'm a teapot", "599 Strange", "304 Not Modified"])
def test_any_other_status_is_named(error_for: Asking, status: str) -> None:
    error = error_for("", status)
    assert isinstance(error, SourceError)
    assert status[:3] in error.message


@pytest.mark.parametrize(
    "body",
    ["Client sent an HTTP request to an HTTPS server.\n", "<title>400 The plain HTTP request was sent to HTTPS port"],
)
def test_plain_http_to_an_https_port(error_for: Asking, body: str) -> None:
    error = error_for(body, "400 Bad Request", "text/plain")
    assert isinstance(error, TlsFailed)
    assert "https://" in error.advice


def test_a_redirect_to_a_login_host_is_not_followed(serve: Serve, client_for: ClientFor) -> None:
    elsewhere = serve(lambda _: vector())
    target = elsewhere.url.replace("127.0.0.1", "localhost") + "/api/v1/query?state=s3cr3t"
    server = serve(lambda _: reply("", "302 Found", Location=target))
    error = error_of(client_for(server.url))
    assert isinstance(error, NotPrometheus)
    assert "login page" in error.advice
    assert "localhost" in error.message
    assert "s3cr3t" not in str(error)
    assert elsewhere.requests == []


@pytest.mark.parametrize("target", ["/login?next=%2Fapi", "/graph", "http://[broken", "ftp://127.0.0.1/api/v1/query"])
def test_a_redirect_away_from_the_api_is_explained(serve: Serve, client_for: ClientFor, target: str) -> None:
    server = serve(lambda _: reply("", "302 Found", Location=target))
    error = error_of(client_for(server.url))
    assert isinstance(error, NotPrometheus)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"])
def test_a_redirect_to_the_same_host_is_followed_and_remembered(
    serve: Serve, client_for: ClientFor, status: str
) -> None:
    def moved(request: Request) -> Iterable[PieceOrEnd]:
        if request.path.startswith("/prom/"):
            return vector()
        return reply("", status, Location=f"/prom{request.path}")

    server = serve(moved)
    client = client_for(server.url)
    client.query("up", Labels)
    client.query("up", Labels)
    assert [request.path for request in server.requests] == [
        "/api/v1/query",
        "/prom/api/v1/query",
        "/prom/api/v1/query",
    ]
    assert {request.method for request in server.requests} == {"POST"}
    assert server.requests[1].parameters["query"] == "up"


def test_redirects_in_a_circle_end(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda request: reply("", "302 Found", Location=request.path))
    assert isinstance(error_of(client_for(server.url)), NotPrometheus)
    assert len(server.requests) < 10


def test_a_redirect_from_encrypted_to_plain_is_not_followed(client_for: ClientFor) -> None:
    def downgrade(_: httpx.Request) -> httpx.Response:
        return httpx.Response(301, headers={"Location": "http://head/api/v1/query"})

    error = error_of(client_for("https://head", transport=httpx.MockTransport(downgrade)))
    assert isinstance(error, NotPrometheus)


def test_a_redirect_from_plain_to_encrypted_on_the_same_host_is_followed(client_for: ClientFor) -> None:
    def upgrade(request: httpx.Request) -> httpx.Response:
        if request.url.scheme == "https":
            return httpx.Response(200, content=b'{"status":"success","data":{"resultType":"vector","result":[]}}')
        return httpx.Response(301, headers={"Location": "https://head/api/v1/query"})

    assert client_for("http://head", transport=httpx.MockTransport(upgrade)).query("up", Labels).samples == []

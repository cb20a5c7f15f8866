"""The server as prometheus-api-client sees it: every answer it can give becomes facts or one sentence."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gpumon.settings import PrometheusSettings, Secret, Settings
from gpumon_cli.doctor.scraping import clock_step, engine_step
from gpumon_cli.doctor.server import Server, ServerSilent
from gpumon_cli.doctor.steps import Mark

Reply = tuple[int, dict[str, str], bytes]
NONE: dict[str, str] = {}
TARGETS = {
    "activeTargets": [
        {
            "labels": {"job": "dcgm", "instance": "gpu1:9400"},
            "health": "down",
            "lastError": "connection refused",
            "scrapeUrl": "http://gpu1:9400/metrics",
            "scrapeInterval": "15s",
        }
    ]
}


class FakePrometheus:
    """A server on loopback whose answers a test chooses by path, and which keeps what it was asked."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}
        self.seen: list[dict[str, str]] = []
        self.date = formatdate(usegmt=True)
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                fake.seen.append(dict(self.headers))
                status, headers, body = fake.replies.get(self.path.split("?")[0], (404, {}, b"404 page not found"))
                self.send_response_only(status)
                for name, text in {"Date": fake.date, "Content-Length": str(len(body)), **headers}.items():
                    if text:
                        self.send_header(name, text)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Stays quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str, data: object, **headers: str) -> None:
        self.replies[path] = (200, headers, json.dumps({"status": "success", "data": data}).encode())

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def fake() -> Iterator[FakePrometheus]:
    prometheus = FakePrometheus()
    yield prometheus
    prometheus.close()


@pytest.fixture
def opened() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def open_server(url: str, **settings: Any) -> Server:
        servers.append(Server(PrometheusSettings(url=url, timeout_seconds=2, **settings)))
        return servers[-1]

    yield open_server
    for server in servers:
        server.close()


Opened = Callable[..., Server]


def test_targets_are_read_with_health_error_and_interval(fake: FakePrometheus, opened: Opened) -> None:
    fake.answer("/api/v1/targets", TARGETS)
    (target,) = opened(fake.url).targets()
    assert (target.job, target.instance, target.health) == ("dcgm", "gpu1:9400", "down")
    assert (target.last_error, target.scrape_interval) == ("connection refused", "15s")


def test_a_path_prefix_and_a_closing_slash_are_kept_apart(fake: FakePrometheus, opened: Opened) -> None:
    fake.answer("/prometheus/api/v1/targets", TARGETS)
    assert len(opened(fake.url + "/prometheus/").targets()) == 1


def test_metadata_tells_which_metrics_are_exported(fake: FakePrometheus, opened: Opened) -> None:
    fake.answer("/api/v1/metadata", {"DCGM_FI_DEV_GPU_UTIL": [{"type": "gauge", "help": "h", "unit": ""}]})
    assert opened(fake.url).metrics() == {"DCGM_FI_DEV_GPU_UTIL"}


def test_prometheus_tells_its_version(fake: FakePrometheus, opened: Opened) -> None:
    fake.answer("/api/v1/status/buildinfo", {"version": "3.5.0"})
    assert engine_step(opened(fake.url)).text == "Prometheus 3.5.0"


def test_an_engine_that_names_itself_is_called_so(fake: FakePrometheus, opened: Opened) -> None:
    fake.answer("/api/v1/status/buildinfo", {"application": "Grafana Mimir", "version": "2.14.0"})
    assert engine_step(opened(fake.url)).text == "Grafana Mimir 2.14.0"


@pytest.mark.parametrize("data", [{}, {"version": "2.24.0"}])
def test_victoriametrics_is_told_apart(data: dict[str, str], fake: FakePrometheus, opened: Opened) -> None:
    fake.answer("/api/v1/status/buildinfo", data, **{"X-Server-Hostname": "head"})
    fake.replies["/metrics"] = (
        200,
        {},
        b'vm_app_version{version="victoria-metrics-2022", short_version="v1.79.5"} 1\n',
    )
    assert engine_step(opened(fake.url)).text == "VictoriaMetrics v1.79.5"


def test_credentials_and_headers_are_sent(fake: FakePrometheus, opened: Opened) -> None:
    fake.answer("/api/v1/targets", TARGETS)
    opened(fake.url, username="mon", password=Secret("pw"), headers=(("X-Scope-OrgID", Secret("lab")),)).targets()
    assert fake.seen[0]["Authorization"] == "Basic bW9uOnB3"
    assert fake.seen[0]["X-Scope-OrgID"] == "lab"
    opened(fake.url, bearer_token=Secret("t0ken")).targets()
    assert fake.seen[1]["Authorization"] == "Bearer t0ken"


def test_a_stray_netrc_is_not_used(
    fake: FakePrometheus, opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login other password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    fake.answer("/api/v1/targets", TARGETS)
    opened(fake.url).targets()
    assert "Authorization" not in fake.seen[0]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>login</html>"), "not JSON"),
        ((200, NONE, b"[]"), "form that Prometheus does not use"),
        ((200, NONE, b'{"status":"success"}'), "form that Prometheus does not use"),
        ((200, NONE, b'{"status":"success","data":{"activeTargets":[{"labels":7}]}}'), "form that Prometheus"),
        ((200, NONE, b'{"status":"success","data":null}'), "form that Prometheus does not use"),
        ((401, NONE, b"<html>\n</html>"), "status 401$"),
        ((404, NONE, b"404 page not found"), "404"),
        ((503, NONE, b"starting"), "503"),
        ((302, {"Location": "/api/v1/targets"}, b""), "circle"),
        ((200, {"Content-Length": "5000"}, b'{"status"'), "ended in the middle"),
    ],
)
def test_whatever_is_answered_becomes_one_sentence(
    reply: Reply, words: str, fake: FakePrometheus, opened: Opened
) -> None:
    fake.replies["/api/v1/targets"] = reply
    with pytest.raises(ServerSilent, match=words) as caught:
        opened(fake.url).targets()
    assert "\n" not in str(caught.value)


def test_a_refused_connection_is_told_at_once(opened: Opened) -> None:
    with pytest.raises(ServerSilent, match="refused"):
        opened("http://127.0.0.1:1").targets()


def test_an_engine_that_cannot_be_asked_is_only_a_note(opened: Opened) -> None:
    assert engine_step(opened("http://127.0.0.1:1")).mark is Mark.NOTE


def test_a_wrong_clock_is_a_doubt(fake: FakePrometheus, opened: Opened) -> None:
    fake.answer("/api/v1/targets", TARGETS)
    server = opened(fake.url)
    assert clock_step(server, Settings()).mark is Mark.NOTE
    server.targets()
    assert clock_step(server, Settings()).mark is Mark.FINE
    fake.date = "Tue, 14 Nov 2023 22:13:20 GMT"
    server.targets()
    step = clock_step(server, Settings())
    assert step.mark is Mark.DOUBT
    assert "behind this machine's" in step.text
    assert "NTP" in step.advice[0]


def test_the_whole_walk_puts_the_servers_own_words_among_the_steps(
    fake: FakePrometheus, given: Callable[..., object], run: Callable[..., Any]
) -> None:
    given()
    fake.answer("/api/v1/targets", TARGETS)
    fake.answer("/api/v1/metadata", {"DCGM_FI_PROF_SM_ACTIVE": [{"type": "gauge"}]})
    fake.answer("/api/v1/status/buildinfo", {"version": "3.5.0"})
    said = run("doctor", "--prometheus", fake.url)
    assert said.code == 1
    for words in (
        "Prometheus 3.5.0",
        "the server's clock and this one agree",
        "job dcgm: 0 of 1 up",
        "gpu1:9400: connection refused",
        "scrapes every 15s",
        "metric_relabel_configs",
        "DCGM_FI_PROF_SM_ACTIVE, gauge, SM activity.",
        "all 2 nodes that Slurm names are known",
    ):
        assert words in said.out


def test_a_server_that_hides_everything_about_itself_is_still_walked(
    fake: FakePrometheus, given: Callable[..., object], run: Callable[..., Any]
) -> None:
    given()
    said = run("doctor", "--prometheus", fake.url)
    assert said.code == 1
    assert "its targets could not be read: it was answered with HTTP status 404" in said.out
    assert "Traceback" not in said.err

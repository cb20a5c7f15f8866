"""What is checked before anything is sent, and that no secret ever shows itself."""

from __future__ import annotations

import traceback
from pathlib import Path

import httpx
import msgspec
import pytest

from asking import ClientFor, Labels, Serve
from gpumon.errors import ConfigError, SourceError, UnknownHost
from gpumon.prometheus.access import access
from gpumon.prometheus.client import PrometheusClient
from gpumon.settings import PrometheusSettings, Secret
from loopback import reply, vector

PASSWORD = "hunter22-of-ann"
TOKEN = "t0ken-of-ann"
TENANT = "tenant-of-ann"


def mistakes(settings: PrometheusSettings) -> tuple[str, ...]:
    """What is wrong with `settings`."""
    with pytest.raises(ConfigError) as raised:
        PrometheusClient(settings)
    return raised.value.mistakes


@pytest.mark.parametrize(
    "url",
    [
        "",
        "head:9090",
        "head",
        "ftp://head",
        "http://",
        "http://head:99999",
        "http://head:port",
        "http://head:0",
        "http://[::1",
        "http://head?token=x",
        "http://head#graph",
        "http://he ad",
        "http://head/a b",
    ],
)
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    (mistake,) = mistakes(PrometheusSettings(url=url))
    assert mistake.startswith("prometheus.url: expected an address such as http://head:9090")


@pytest.mark.parametrize("url", ["http://ann:hunter22@", "ftp://ann:hunter22@head", "http://ann:hunter22@head?x=y"])
def test_the_password_of_a_bad_address_is_not_shown(url: str) -> None:
    assert "hunter22" not in "".join(mistakes(PrometheusSettings(url=url)))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://head:9090/", "http://head:9090"),
        ("https://ann:pw@head/prom/", "https://head/prom"),
        ("http://[::1]:9090", "http://[::1]:9090"),
        ("  http://head  ", "http://head"),
    ],
)
def test_the_address_is_shown_without_user_and_slash(url: str, shown: str) -> None:
    assert PrometheusClient(PrometheusSettings(url=url)).url == shown


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    settings = PrometheusSettings(
        url="ftp://head", headers=(("Bad Name", Secret("x")),), ca_file=tmp_path / "a", client_cert_file=tmp_path / "b"
    )
    assert len(mistakes(settings)) == 4


@pytest.mark.parametrize("key", ["ca_file", "client_cert_file", "client_key_file"])
def test_a_missing_file_is_named(tmp_path: Path, key: str) -> None:
    missing = tmp_path / "nowhere.pem"
    settings = PrometheusSettings(url="https://head", **{key: missing})  # type: ignore[arg-type]  # by key
    assert mistakes(settings) == (f"prometheus.{key}: {missing} cannot be read: No such file or directory.",)


@pytest.mark.parametrize("key", ["ca_file", "client_cert_file"])
@pytest.mark.parametrize("content", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_that_holds_no_certificate_is_named(tmp_path: Path, key: str, content: bytes) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_bytes(content)
    (mistake,) = mistakes(PrometheusSettings(url="https://head", **{key: bad}))  # type: ignore[arg-type]  # by key
    assert mistake.startswith(f"prometheus.{key}: {bad}")


def test_a_key_that_is_of_another_certificate_is_refused(tls_files: Path) -> None:
    settings = PrometheusSettings(
        url="https://head", client_cert_file=tls_files / "client.pem", client_key_file=tls_files / "server.pem"
    )
    (mistake,) = mistakes(settings)
    assert "client.pem and " in mistake
    assert "server.pem" in mistake


@pytest.mark.parametrize("value", ["s3cr3t\nline", "s3cr3t\r\n", "s3cr3t\0", " s3cr3t"])
def test_a_secret_that_cannot_be_sent_is_refused_without_showing_it(value: str) -> None:
    for settings in (
        PrometheusSettings(headers=(("X-Scope-OrgID", Secret(value)),)),
        PrometheusSettings(bearer_token=Secret(value + "\n")),
    ):
        (mistake,) = mistakes(settings)
        assert "s3cr3t" not in mistake


@pytest.mark.parametrize("name", ["", "X Y", "X:Y", "X\n", "Ü"])
def test_a_header_that_has_no_usable_name_is_refused(name: str) -> None:
    (mistake,) = mistakes(PrometheusSettings(headers=((name, Secret("s3cr3t")),)))
    assert "is not a header's name" in mistake
    assert "s3cr3t" not in mistake


def secretive(url: str) -> list[PrometheusSettings]:
    """Settings with every kind of secret."""
    headers = (("X-Scope-OrgID", Secret(TENANT)),)
    return [
        PrometheusSettings(url=url, username="ann", password=Secret(PASSWORD), headers=headers),
        PrometheusSettings(url=url, bearer_token=Secret(TOKEN), headers=headers),
        PrometheusSettings(url=url.replace("://", f"://ann:{PASSWORD}@"), headers=headers),
    ]


def assert_without_secrets(text: str) -> None:
    """None of the secrets, in no form."""
    for secret in (PASSWORD, TOKEN, TENANT, "YW5uOmh1bnRlcjIyLW9mLWFubg=="):
        assert secret not in text


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "401 Unauthorized", "403 Forbidden", "500 Oops"])
@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "application/json"])
def test_a_server_that_repeats_what_it_got_gives_no_secret_away(
    serve: Serve, client_for: ClientFor, status: str, content_type: str
) -> None:
    def echo(headers: dict[str, str]) -> bytes:
        words = f"{headers['authorization']} {headers['x-scope-orgid']} {PASSWORD} {TOKEN}"
        if content_type == "application/json":
            return msgspec.json.encode({"status": "error", "errorType": "bad_data", "error": words})
        return f"<title>{words}</title>".encode() if content_type == "text/html" else words.encode()

    server = serve(lambda request: reply(echo(request.headers), status, content_type))
    for settings in secretive(server.url):
        with pytest.raises(SourceError) as raised:
            client_for(settings).query("up", Labels)
        for secret in server.requests[-1].headers["authorization"], TENANT:
            assert secret.split()[-1] not in str(raised.value) + repr(raised.value)


def test_no_error_of_the_network_shows_a_secret(client_for: ClientFor) -> None:
    for settings in secretive("http://head.invalid:9090"):
        with pytest.raises(UnknownHost) as raised:
            client_for(settings).query("up", Labels)
        assert_without_secrets("".join(traceback.format_exception(raised.value)))
        assert_without_secrets(repr(raised.value))


def test_no_repr_shows_a_secret() -> None:
    for settings in secretive("http://head:9090"):
        client = PrometheusClient(settings)
        assert_without_secrets(repr(client) + client.url + repr(access(settings)))


def test_the_environments_proxy_is_used_for_another_host(
    serve: Serve, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(lambda _: vector())
    monkeypatch.setenv("http_proxy", proxy.url)
    client_for("http://head.invalid:9090/prom").query("up", Labels)
    assert proxy.requests[0].target == "http://head.invalid:9090/prom/api/v1/query"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_is_used_for_this_machine(
    serve: Serve, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    proxy, server = serve(lambda _: vector()), serve(lambda _: vector())
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    client_for(server.url.replace("127.0.0.1", host)).query("up", Labels)
    assert (len(proxy.requests), len(server.requests)) == (0, 1)


def test_no_proxy_in_the_environment_is_respected(
    serve: Serve, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(lambda _: vector())
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "head.invalid")
    with pytest.raises(UnknownHost):
        client_for("http://head.invalid:9090").query("up", Labels)
    assert proxy.requests == []


def test_an_error_behind_a_proxy_names_the_proxy_without_its_password(
    serve: Serve, client_for: ClientFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(lambda _: reply("denied for ann:hunter22", "403 Forbidden", "text/plain"))
    monkeypatch.setenv("http_proxy", proxy.url.replace("://", "://ann:hunter22@"))
    with pytest.raises(SourceError) as raised:
        client_for("http://head.invalid:9090").query("up", Labels)
    assert f"(through the proxy {proxy.url})" in str(raised.value)
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "http://:0", "http://head:port"])
def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("all_proxy", proxy)
    (mistake,) = mistakes(PrometheusSettings(url="http://head:9090"))
    assert mistake.startswith("http_proxy in the environment")


def test_every_request_says_who_asks(client_for: ClientFor) -> None:
    agents: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        agents.append(request.headers["User-Agent"])
        return httpx.Response(200, content=b'{"status":"success","data":["up"]}')

    client_for("http://head:9090", transport=httpx.MockTransport(answer)).metric_names()
    assert agents == ["gpumon"]

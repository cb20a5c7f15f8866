"""Servers and clients that end with their test."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from asking import ClientFor, Serve
from gpumon.prometheus.client import PrometheusClient
from gpumon.settings import PrometheusSettings
from loopback import LoopbackServer, Respond

TLS = Path(__file__).parent / "tls"


@pytest.fixture(autouse=True)
def no_proxy_around_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the tests has no say."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server: `serve(respond, tls=None)`."""
    with ExitStack() as stack:

        def start(respond: Respond, tls: ssl.SSLContext | None = None) -> LoopbackServer:
            return stack.enter_context(closing(LoopbackServer(respond, tls)))

        yield start


@pytest.fixture
def client_for() -> Iterator[ClientFor]:
    """Makes a client: `client_for(url_or_settings, transport=None, max_answer_bytes=..., timeout=...)`."""
    with ExitStack() as stack:

        def make(
            where: str | PrometheusSettings,
            *,
            timeout: float = 5.0,
            transport: httpx.BaseTransport | None = None,
            max_answer_bytes: int = 2**20,
        ) -> PrometheusClient:
            settings = PrometheusSettings(url=where) if isinstance(where, str) else where
            settings = replace(settings, timeout_seconds=timeout)
            client = PrometheusClient(settings, transport=transport, max_answer_bytes=max_answer_bytes)
            return stack.enter_context(closing(client))

        yield make


@pytest.fixture
def tls_files() -> Path:
    """The folder of the test certificates."""
    return TLS


@pytest.fixture
def server_tls() -> Callable[..., ssl.SSLContext]:
    """A server's side of TLS: `server_tls("server", wants_client=False)`."""

    def make(name: str, *, wants_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / f"{name}.pem")
        if wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(TLS / "ca.pem")
        return context

    return make

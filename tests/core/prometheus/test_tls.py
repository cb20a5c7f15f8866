"""Encrypted connections, accepted and refused, with real certificates."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

from asking import ClientFor, Labels, Serve, error_of
from gpumon.errors import SourceError, TlsFailed
from gpumon.settings import PrometheusSettings
from loopback import reply, vector

ServerTls = Callable[..., ssl.SSLContext]


def test_a_certificate_of_the_given_authority_is_trusted(
    serve: Serve, client_for: ClientFor, server_tls: ServerTls, tls_files: Path
) -> None:
    server = serve(lambda _: vector(), server_tls("server"))
    client = client_for(PrometheusSettings(url=server.url, ca_file=tls_files / "ca.pem"))
    client.query("up", Labels)
    client.query("up", Labels)
    assert server.connections == 1


@pytest.mark.parametrize(
    ("certificate", "why", "advice"),
    [
        ("expired", "has expired", "Renew"),
        ("other", "is for another address", "name"),
        ("selfsigned", "is self-signed", "ca_file"),
    ],
)
def test_a_bad_certificate_is_refused_with_its_reason(
    serve: Serve,
    client_for: ClientFor,
    server_tls: ServerTls,
    tls_files: Path,
    certificate: str,
    why: str,
    advice: str,
) -> None:
    server = serve(lambda _: vector(), server_tls(certificate))
    error = error_of(client_for(PrometheusSettings(url=server.url, ca_file=tls_files / "ca.pem")))
    assert isinstance(error, TlsFailed)
    assert why in error.message
    assert server.url in error.message
    assert advice in error.advice
    assert server.requests == []


def test_a_certificate_for_another_name_is_refused(
    serve: Serve, client_for: ClientFor, server_tls: ServerTls, tls_files: Path
) -> None:
    server = serve(lambda _: vector(), server_tls("other"))
    url = server.url.replace("127.0.0.1", "localhost")
    error = error_of(client_for(PrometheusSettings(url=url, ca_file=tls_files / "ca.pem")))
    assert isinstance(error, TlsFailed)
    assert "another host name" in error.message


def test_an_authority_that_the_system_does_not_know_is_not_trusted(
    serve: Serve, client_for: ClientFor, server_tls: ServerTls
) -> None:
    error = error_of(client_for(serve(lambda _: vector(), server_tls("server")).url))
    assert isinstance(error, TlsFailed)
    assert "authority that is not trusted" in error.message
    assert "ca_file" in error.advice


def test_a_self_signed_certificate_can_be_trusted_by_naming_it(
    serve: Serve, client_for: ClientFor, server_tls: ServerTls, tls_files: Path
) -> None:
    server = serve(lambda _: vector(), server_tls("selfsigned"))
    client_for(PrometheusSettings(url=server.url, ca_file=tls_files / "selfsigned.pem")).query("up", Labels)


def test_a_client_certificate_is_shown_when_asked_for(
    serve: Serve, client_for: ClientFor, server_tls: ServerTls, tls_files: Path
) -> None:
    server = serve(lambda _: vector(), server_tls("server", wants_client=True))
    settings = PrometheusSettings(
        url=server.url, ca_file=tls_files / "ca.pem", client_cert_file=tls_files / "client.pem"
    )
    assert client_for(settings).query("up", Labels).samples == []


def test_a_missing_client_certificate_is_named(
    serve: Serve, client_for: ClientFor, server_tls: ServerTls, tls_files: Path
) -> None:
    server = serve(lambda _: vector(), server_tls("server", wants_client=True))
    error = error_of(client_for(PrometheusSettings(url=server.url, ca_file=tls_files / "ca.pem")))
    assert isinstance(error, SourceError)
    assert "client_cert_file" in error.advice or "closed the connection" in error.message or "reset" in error.message


def test_https_to_a_plain_port_is_explained(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: [*reply("Bad Request", "400 Bad Request"), None])
    error = error_of(client_for(server.url.replace("http:", "https:")))
    assert isinstance(error, TlsFailed)
    assert "plain HTTP" in error.message
    assert "http://" in error.advice


def test_plain_http_to_an_encrypted_port_is_an_error(
    serve: Serve, client_for: ClientFor, server_tls: ServerTls
) -> None:
    server = serve(lambda _: vector(), server_tls("server"))
    error = error_of(client_for(server.url.replace("https:", "http:")))
    assert "https://" in error.advice

"""Asks the exporter's server for pages, politely or not, with and without TLS."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection

from gpumon_exporter.web.site import Answer, Site, Wishes, text_page

Serve = Callable[..., int]
"""Serves a site, protected by the web configuration at a path if one is given; gives its port."""

CHUNKS = (b"a" * 3_000_000, b"b" * 3_000_000)
"""A page larger than any buffer between two sockets."""

PATIENCE = 20.0
"""Seconds after which a test gives up."""


def _large(_: Wishes) -> Answer:
    return Answer("text/plain; charset=utf-8", CHUNKS)


SITE: Site = {"/healthz": text_page(lambda: "ok\n"), "/large": _large}


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes


def ask(
    port: int,
    path: str = "/healthz",
    method: str = "GET",
    *,
    login: tuple[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
    **headers: str,
) -> Got:
    """The answer to one request; header names are written with underscores."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if login:
        sent["Authorization"] = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    if tls:
        connection: HTTPConnection = HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=tls)
    else:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request(method, path, headers=sent)
        answer = connection.getresponse()
        return Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def say(port: int, sent: bytes) -> bytes:
    """All that comes back for some bytes until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        connection.sendall(sent)
        return heard(connection)


def heard(connection: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    received = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return bytes(received)

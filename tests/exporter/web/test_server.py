"""The server answers what is asked for, and what one client does wrong costs the others nothing."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from exporter_served import CHUNKS, PATIENCE, SITE, Serve, ask, heard, say
from gpumon_exporter.failures import Failure
from gpumon_exporter.web import request, server
from gpumon_exporter.web.listening import Address, listening_sockets
from gpumon_exporter.web.protection import Protection
from gpumon_exporter.web.server import WebServer
from gpumon_exporter.web.site import Answer, Wishes, index_page


def test_a_page_comes_with_its_type_and_length(serve: Serve) -> None:
    got = ask(serve(), "/healthz?verbose=1")
    assert (got.status, got.body) == (200, b"ok\n")
    assert got.headers["content-type"] == "text/plain; charset=utf-8"
    assert got.headers["content-length"] == "3"


def test_head_gives_the_headers_alone(serve: Serve) -> None:
    got = ask(serve(), "/large", "HEAD")
    assert (got.status, got.headers["content-length"], got.body) == (200, "6000000", b"")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/other", 404), ("POST", "/healthz", 405)])
def test_what_is_not_there_or_not_done_is_said(serve: Serve, method: str, path: str, status: int) -> None:
    got = ask(serve(), path, method)
    assert got.status == status
    assert got.body.startswith(str(status).encode())
    assert status != 405 or got.headers["allow"] == "GET, HEAD"


def test_a_page_learns_what_the_client_takes(serve: Serve) -> None:
    wishes: list[Wishes] = []

    def page(wish: Wishes) -> Answer:
        wishes.append(wish)
        return Answer("text/plain", (b"x",), is_gzipped=wish.gzip)

    port = serve(site={"/": page})
    assert "content-encoding" not in ask(port, "/", Accept_Encoding="gzip;q=0, deflate").headers
    assert ask(port, "/", Accept="text/x", Accept_Encoding="deflate, gzip;q=0.5").headers["content-encoding"] == "gzip"
    assert wishes == [Wishes("", False), Wishes("text/x", True)]


def test_the_index_links_to_the_other_pages(serve: Serve) -> None:
    body = ask(serve(site={"/": index_page((("/metrics", "everything"),))}), "/").body.decode()
    assert '<a href="/metrics">/metrics</a> everything' in body


def test_many_clients_are_answered_at_once(serve: Serve) -> None:
    port = serve()
    bodies: list[bytes] = []
    threads = [threading.Thread(target=lambda: bodies.append(ask(port, "/large").body)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert bodies == [b"".join(CHUNKS)] * 20


def test_clients_that_never_finish_asking_or_never_read_block_nobody(serve: Serve) -> None:
    port = serve()
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(30)]
    try:
        for number, client in enumerate(slow):
            client.sendall(b"GET /large HTTP/1.1\r\n" + (b"\r\n" if number % 2 else b"X: y"))
        assert ask(port).body == b"ok\n"
    finally:
        for client in slow:
            client.close()


def test_who_takes_too_long_to_ask_is_hung_up_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", serve()), timeout=PATIENCE) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert heard(client) == b""


def test_more_connections_than_there_is_room_for_are_hung_up_on(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    port = serve()
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as third:
        assert heard(third) == b""
    for client in waiting:
        client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert heard(client).endswith(b"ok\n")
        client.close()
    deadline = time.monotonic() + PATIENCE
    while not say(port, b"GET /healthz HTTP/1.0\r\n\r\n"):
        assert time.monotonic() < deadline
    assert ask(port).status == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\nX: " + b"x" * (request.LONGEST_HEAD + 9000), b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"400"),
        (b"GET  /healthz  HTTP/9.9\r\n\r\n", b"505"),
        (b"GET /healthz\x1b[31m extra HTTP/1.1\r\n\r\n", b"400"),
        (b"\r\n\r\n", b""),
        (b"GET /healthz HTTP/1.1\r\n" + b"A: b\r\n" * 150 + b"\r\n", b"431"),
    ],
    ids=["too long", "TLS without TLS", "unknown version", "escapes", "empty", "too many headers"],
)
def test_nonsense_gets_a_short_refusal(serve: Serve, sent: bytes, status: bytes) -> None:
    port = serve()
    answer = say(port, sent)
    assert status in answer.partition(b"\r\n")[0]
    assert b"\x1b" not in answer
    assert ask(port).status == 200


def test_an_old_client_without_headers_is_answered(serve: Serve) -> None:
    assert say(serve(), b"GET /healthz HTTP/1.0\r\n\r\n").endswith(b"\r\n\r\nok\n")


def test_all_addresses_means_both_families() -> None:
    web = WebServer(Address("", 0), SITE, Protection(None))
    web.start()
    try:
        port = int(web.names[0].rpartition(":")[2])
        assert all(name.endswith(f":{port}") for name in web.names)
        assert ask(port).status == 200
        if any(name.startswith("[::]") for name in web.names):
            with socket.create_connection(("::1", port), timeout=PATIENCE) as client:
                client.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                assert heard(client).endswith(b"ok\n")
    finally:
        web.close()


def test_a_closed_server_frees_its_port_at_once(serve: Serve) -> None:
    web = WebServer(Address("127.0.0.1", 0), SITE, Protection(None))
    web.start()
    port = int(web.names[0].rpartition(":")[2])
    web.close()
    for listening in listening_sockets(Address("127.0.0.1", port)):
        listening.close()


def test_a_port_that_is_taken_is_one_sentence(serve: Serve) -> None:
    port = serve()
    with pytest.raises(Failure, match=rf"cannot listen on 127.0.0.1:{port}: another program listens there already"):
        WebServer(Address("127.0.0.1", port), SITE, Protection(None))

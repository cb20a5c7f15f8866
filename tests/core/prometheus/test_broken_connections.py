"""What breaks on the way: nobody there, no such name, too slow, cut off, too large."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterable

import httpx
import pytest

from asking import ClientFor, Labels, Serve, error_of
from gpumon.errors import (
    AnswerCutOff,
    AnswerTooLarge,
    ConnectionLost,
    NotPrometheus,
    Refused,
    TimedOut,
    UnknownHost,
)
from loopback import PieceOrEnd, Request, reply

BODY = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"node":"a"},"value":[1.5,"3"]}]}}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def test_nobody_listens(client_for: ClientFor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = error_of(client_for(f"http://127.0.0.1:{port}"))
    assert isinstance(error, Refused)
    assert error.message == f"Nobody listens at http://127.0.0.1:{port}."
    assert "gpumon doctor" in error.advice


@pytest.mark.parametrize("host", ["head.invalid", "a..b", "x" * 70 + ".invalid"])
def test_a_name_that_does_not_resolve(client_for: ClientFor, host: str) -> None:
    error = error_of(client_for(f"http://{host}:9090"))
    assert isinstance(error, UnknownHost)
    assert f"The name {host} in http://{host}:9090 does not resolve" in error.message


def test_a_server_that_never_answers_times_out(serve: Serve, client_for: ClientFor) -> None:
    end = threading.Event()

    def silent(_: Request) -> Iterable[PieceOrEnd]:
        end.wait(10)
        return [None]

    server = serve(silent)
    started = time.monotonic()
    error = error_of(client_for(server.url, timeout=0.15))
    end.set()
    assert time.monotonic() - started < 5
    assert isinstance(error, TimedOut)
    assert str(error) == f"Prometheus at {server.url} did not answer within 0.15 s. Is it running? (gpumon doctor)"


def test_a_port_that_accepts_nothing_times_out(client_for: ClientFor) -> None:
    def never_accepts(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("timed out", request=request)

    error = error_of(client_for("http://head:9090", transport=httpx.MockTransport(never_accepts)))
    assert isinstance(error, TimedOut)
    assert "did not accept a connection within 5 s" in error.message
    assert "firewall" in error.advice


def trickled(data: bytes) -> Iterable[PieceOrEnd]:
    """One byte at a time, for up to two seconds."""
    for byte in data[:100]:
        yield bytes([byte])
        time.sleep(0.02)
    yield None


@pytest.mark.parametrize("start", [b"", HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode()])
def test_bytes_that_trickle_do_not_stretch_the_deadline(serve: Serve, client_for: ClientFor, start: bytes) -> None:
    slow_part = BODY if start else HEAD + b"X-Padding: " + b"x" * 100

    def trickles(_: Request) -> Iterable[PieceOrEnd]:
        if start:
            yield start
        yield from trickled(slow_part)

    server = serve(trickles)
    started = time.monotonic()
    error = error_of(client_for(server.url, timeout=0.2))
    assert time.monotonic() - started < 1.6
    assert isinstance(error, TimedOut)


def test_the_deadline_holds_for_a_transport_of_any_kind(client_for: ClientFor) -> None:
    class Slow(httpx.SyncByteStream):
        def __iter__(self) -> Iterable[bytes]:  # type: ignore[override]  # httpx asks for no more than an iterable
            for byte in BODY:
                time.sleep(0.01)
                yield bytes([byte])

    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Slow()))
    assert isinstance(error_of(client_for("http://head:9090", transport=transport, timeout=0.1)), TimedOut)


def test_after_a_timeout_the_next_query_is_answered(serve: Serve, client_for: ClientFor) -> None:
    end = threading.Event()

    def first_one_is_slow(_: Request) -> Iterable[PieceOrEnd]:
        if len(server.requests) == 1:
            end.wait(10)
            return [None]
        return reply(BODY)

    server = serve(first_one_is_slow)
    client = client_for(server.url, timeout=0.5)
    assert isinstance(error_of(client), TimedOut)
    end.set()
    assert len(client.query("up", Labels).samples) == 1


def test_an_answer_shorter_than_announced_is_cut_off(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: [HEAD + b"Content-Length: 5000\r\n\r\n" + BODY[:50], None])
    error = error_of(client_for(server.url))
    assert isinstance(error, AnswerCutOff)
    assert f"The answer of Prometheus at {server.url} ended in the middle." in error.message


def test_chunks_that_end_too_early_are_cut_off(serve: Serve, client_for: ClientFor) -> None:
    chunk = f"{50:x}\r\n".encode() + BODY[:50] + b"\r\n"
    server = serve(lambda _: [HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk, None])
    assert isinstance(error_of(client_for(server.url)), AnswerCutOff)


@pytest.mark.parametrize("end", [1, 10, 30, 60, len(BODY) - 1])
def test_json_that_ends_in_the_middle_is_cut_off(serve: Serve, client_for: ClientFor, end: int) -> None:
    server = serve(lambda _: reply(BODY[:end]))
    assert isinstance(error_of(client_for(server.url)), AnswerCutOff)


def test_gzip_is_read(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: reply(gzip.compress(BODY), Content_Encoding="gzip"))
    assert len(client_for(server.url).query("up", Labels).samples) == 1


def test_gzip_that_ends_in_the_middle_is_cut_off(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: reply(gzip.compress(BODY)[:-20], Content_Encoding="gzip"))
    assert isinstance(error_of(client_for(server.url)), AnswerCutOff)


def test_gzip_that_is_none_is_cut_off(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: reply(BODY, Content_Encoding="gzip"))
    assert isinstance(error_of(client_for(server.url)), AnswerCutOff)


def test_an_encoding_that_nobody_asked_for_is_not_prometheus(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: reply(b"\x1b\xff\x00\x01", Content_Encoding="br"))
    assert isinstance(error_of(client_for(server.url)), NotPrometheus)


def test_an_answer_damaged_inside_is_said_to_be(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: reply(BODY.replace(b'"value"', b"<value>")))
    error = error_of(client_for(server.url))
    assert isinstance(error, AnswerCutOff)
    assert "damaged" in error.message


def test_an_answer_that_announces_too_much_is_not_read(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: [HEAD + b"Content-Length: 999999999999\r\n\r\n" + b"x" * 100])
    started = time.monotonic()
    error = error_of(client_for(server.url, max_answer_bytes=2**20))
    assert time.monotonic() - started < 4
    assert isinstance(error, AnswerTooLarge)
    assert "larger than 1 MiB" in error.message


def test_an_endless_answer_is_left(serve: Serve, client_for: ClientFor) -> None:
    def endless(_: Request) -> Iterable[PieceOrEnd]:
        yield HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b" " * 65536 + b"\r\n"

    assert isinstance(error_of(client_for(serve(endless).url, max_answer_bytes=2**20)), AnswerTooLarge)


def test_a_small_answer_that_unpacks_to_a_huge_one_is_left(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: reply(gzip.compress(b" " * 4 * 2**20), Content_Encoding="gzip"))
    assert isinstance(error_of(client_for(server.url, max_answer_bytes=2**20)), AnswerTooLarge)


def test_a_huge_error_page_is_read_only_at_its_beginning(serve: Serve, client_for: ClientFor) -> None:
    def endless(_: Request) -> Iterable[PieceOrEnd]:
        yield b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"10000\r\n" + b"x" * 65536 + b"\r\n"

    assert isinstance(error_of(client_for(serve(endless).url)), ConnectionLost)


def test_a_server_that_always_hangs_up_is_asked_twice_and_no_more(serve: Serve, client_for: ClientFor) -> None:
    server = serve(lambda _: [None])
    error = error_of(client_for(server.url))
    assert isinstance(error, ConnectionLost)
    assert "closed the connection" in error.message
    assert len(server.requests) == 2


def test_a_server_that_resets_the_connection(client_for: ClientFor) -> None:
    def resets(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("reset", request=request) from ConnectionResetError(104, "Connection reset by peer")

    error = error_of(client_for("http://head:9090", transport=httpx.MockTransport(resets)))
    assert isinstance(error, ConnectionLost)
    assert "Connection reset by peer" in error.message


def test_a_network_that_leads_nowhere(client_for: ClientFor) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request) from OSError(113, "No route to host")

    error = error_of(client_for("http://head:9090", transport=httpx.MockTransport(unreachable)))
    assert isinstance(error, ConnectionLost)
    assert "No route to host" in error.message


def test_a_server_that_does_not_speak_http(serve: Serve, client_for: ClientFor) -> None:
    error = error_of(client_for(serve(lambda _: [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", None]).url))
    assert isinstance(error, ConnectionLost)
    assert "does not speak HTTP" in error.message

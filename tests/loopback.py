"""A server on a loopback port that answers each request with exactly the bytes a test says."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

PieceOrEnd = bytes | None
"""Some bytes to send, or None to hang up."""


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    target: str
    """Path and query, as sent."""
    headers: dict[str, str]
    """By their names in lower case."""
    body: bytes

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        """Of the query and the form together."""
        return dict(parse_qsl(urlsplit(self.target).query) + parse_qsl(self.body.decode()))


Respond = Callable[[Request], Iterable[PieceOrEnd]]


def reply(
    body: bytes | str, status: str = "200 OK", content_type: str = "application/json", **headers: str
) -> list[PieceOrEnd]:
    """A whole response; header names are written with underscores."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return [("\r\n".join(lines) + "\r\n\r\n").encode() + content]


def vector(*samples: str, extra: str = "") -> list[PieceOrEnd]:
    """A response with an instant vector of `samples`, each a JSON text."""
    result = ",".join(samples)
    return reply(f'{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}{extra}}}')


@dataclass
class LoopbackServer:
    """Listens until closed; every connection has a thread of its own."""

    respond: Respond
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list[Request])
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Ends everything and waits for it."""
        for opened in [self._listener, *self._open]:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(opened, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        talk = connection
        try:
            if self.tls:
                talk = self.tls.wrap_socket(connection, server_side=True)
                self._open.append(talk)
            while self._answer_one(talk):
                pass
        except (OSError, ValueError):
            pass
        finally:
            talk.close()
            connection.close()

    def _answer_one(self, talk: socket.socket) -> bool:
        request = _received(talk)
        if request is None:
            return False
        self.requests.append(request)
        for piece in self.respond(request):
            if piece is None:
                return False
            talk.sendall(piece)
        return True


def _received(talk: socket.socket) -> Request | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = talk.recv(65536)
        if not piece:
            return None
        data += piece
        if data.startswith(b"\x16"):
            return Request("a TLS greeting", "", {}, data)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        piece = talk.recv(65536)
        if not piece:
            return None
        body += piece
    method, target, _ = first.split(" ", 2)
    return Request(method, target, headers, body)

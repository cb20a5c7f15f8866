"""The floor of a refresh: the same requests over raw sockets, all at once, decoded into arrays and nothing more."""

from __future__ import annotations

import selectors
import socket
import threading
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import msgspec
from typing_extensions import override


@dataclass(frozen=True)
class Request:
    """One request as the product sent it."""

    method: str
    target: str
    """Path and query."""
    body: bytes

    def over_http_1_0(self, host: str) -> bytes:
        """Its bytes; the server hangs up behind the answer."""
        head = f"{self.method} {self.target} HTTP/1.0\r\nHost: {host}\r\n"
        if self.body:
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(self.body)}\r\n"
        return head.encode() + b"\r\n" + self.body


class Recorder(httpx.BaseTransport):
    """httpx' own transport, which also notes what is sent."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        noted = Request(request.method, request.url.raw_path.decode(), request.read())
        with self._lock:
            self._requests.append(noted)
        return self._inner.handle_request(request)

    @override
    def close(self) -> None:
        self._inner.close()

    def taken(self) -> list[Request]:
        """What was sent since the last call."""
        with self._lock:
            taken, self._requests = self._requests, []
        return taken


class Labels(msgspec.Struct, gc=False):
    """What tells series apart; the rest is skipped while decoding."""

    name: str = msgspec.field(default="", name="__name__")
    instance: str = ""
    UUID: str = ""
    GPU_I_ID: str = ""
    jobid: str = ""


class Sample(msgspec.Struct, gc=False):
    """One series' value."""

    metric: Labels
    value: tuple[float, str] = (0.0, "0")


class Data(msgspec.Struct):
    """The answer to a query; other answers have no result."""

    result: list[Sample] = []


class Answer(msgspec.Struct):
    """Any answer of the API."""

    data: Data | list[msgspec.Raw] | None = None


DECODER = msgspec.json.Decoder(Answer)


def bodies(host: str, port: int, requests: Sequence[Request]) -> list[bytes]:
    """All answers; every request is on its way before the first answer is read."""
    waiting = selectors.DefaultSelector()
    parts: list[list[bytes]] = []
    for place, request in enumerate(requests):
        connection = socket.create_connection((host, port))
        connection.sendall(request.over_http_1_0(f"{host}:{port}"))
        waiting.register(connection, selectors.EVENT_READ, place)
        parts.append([])
    while waiting.get_map():
        for key, _ in waiting.select():
            assert isinstance(key.fileobj, socket.socket)
            read = key.fileobj.recv(1 << 20)
            if read:
                parts[key.data].append(read)
            else:
                waiting.unregister(key.fileobj)
                key.fileobj.close()
    return [b"".join(part).partition(b"\r\n\r\n")[2] for part in parts]


def floor(host: str, port: int, requests: Sequence[Request]) -> int:
    """Asks and decodes everything into arrays; returns how many samples there were."""
    count = 0
    for body in bodies(host, port, requests):
        answer = DECODER.decode(body)
        if isinstance(answer.data, Data):
            keys = [(sample.metric.instance, sample.metric.UUID, sample.metric.jobid) for sample in answer.data.result]
            values = array("d", [float(sample.value[1]) for sample in answer.data.result])
            count += min(len(keys), len(values))
    return count

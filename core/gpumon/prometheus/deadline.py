"""A network whose every step ends at one deadline, and that can be hung up from another thread.

httpx limits each single read; a server that sends one byte at a time could hold a query forever.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

import httpcore


class DeadlineNetwork(httpcore.NetworkBackend):
    """Wraps another network; the deadline belongs to the thread that set it."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner
        self._thread = threading.local()
        self._streams: WeakSet[_DeadlineStream] = WeakSet()
        self._lock = threading.Lock()
        self._is_hung_up = False

    def set_deadline(self, at: float) -> None:
        """From now on no step in this thread lasts beyond `at`, as time.monotonic() counts."""
        self._thread.deadline = at

    def remaining(self, timeout: float | None) -> float:
        """Seconds left, at most `timeout`."""
        if self._is_hung_up:
            return 0.0
        left = float(getattr(self._thread, "deadline", float("inf"))) - time.monotonic()
        return left if timeout is None else min(left, timeout)

    def hang_up(self) -> None:
        """Ends whatever any thread is waiting for, for good."""
        self._is_hung_up = True
        with self._lock:
            streams = tuple(self._streams)
        for stream in streams:
            stream.hang_up()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects within what is left."""
        left = self.remaining(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout
        return self.watched(self._inner.connect_tcp(host, port, left, local_address, socket_options))

    def watched(self, stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
        """`stream`, ending at the deadline."""
        wrapped = _DeadlineStream(stream, self)
        with self._lock:
            self._streams.add(wrapped)
        return wrapped


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, network: DeadlineNetwork) -> None:
        self._inner = inner
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._network.remaining(timeout)
        if left <= 0:
            raise httpcore.ReadTimeout
        return self._inner.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = self._network.remaining(timeout)
        if left <= 0:
            raise httpcore.WriteTimeout
        self._inner.write(buffer, left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._network.remaining(timeout)
        if left <= 0:
            raise httpcore.ConnectTimeout
        return self._network.watched(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def hang_up(self) -> None:
        """Makes a thread that waits here wake up; an SSLSocket's own shutdown would pull its state from under it."""
        connected = self.get_extra_info("socket")
        if isinstance(connected, socket.socket):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

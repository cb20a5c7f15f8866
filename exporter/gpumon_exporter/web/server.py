"""The HTTP server: a thread for each connection, so that no client waits for another one."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time

from gpumon_exporter.log import one_line
from gpumon_exporter.web.handler import Handler
from gpumon_exporter.web.listening import Address, listening_sockets, name_of
from gpumon_exporter.web.protection import Protection
from gpumon_exporter.web.request import PATIENCE_SECONDS, let_go
from gpumon_exporter.web.site import Site

MOST_CONNECTIONS = 100
"""More at once are hung up on: nobody scrapes like that."""
_PAUSE_SECONDS = 0.1
"""Between two attempts to accept when the system has no room for another connection."""

_log = logging.getLogger(__name__)


class WebServer:
    """Serves a site on all addresses of a host until it is closed."""

    def __init__(self, address: Address, site: Site, protection: Protection) -> None:
        self._site = site
        self._protection = protection
        self._room = threading.BoundedSemaphore(MOST_CONNECTIONS)
        self._closed = threading.Event()
        self._sockets = listening_sockets(address)

    @property
    def names(self) -> tuple[str, ...]:
        """Where it listens."""
        return tuple(name_of(listening) for listening in self._sockets)

    def start(self) -> None:
        """Begins to answer, in threads of its own."""
        for listening in self._sockets:
            threading.Thread(target=self._accept, args=(listening,), name="accept", daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        self._closed.set()
        for listening in self._sockets:
            with contextlib.suppress(OSError):  # wakes the thread that waits in accept
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()

    def _accept(self, listening: socket.socket) -> None:
        while not self._closed.is_set():
            try:
                connection, client = listening.accept()
            except OSError as error:
                if not self._closed.wait(_PAUSE_SECONDS):
                    _log.warning("no connection can be accepted: %s", error)
                continue
            self._begin(connection, str(client[0]))

    def _begin(self, connection: socket.socket, client: str) -> None:
        """Answers a connection in a thread of its own, while there is room."""
        if not self._room.acquire(blocking=False):
            connection.close()
            _log.debug("%s is hung up on: %d connections are open", client, MOST_CONNECTIONS)
            return
        try:
            threading.Thread(target=self._answer, args=(connection, client), name="answer", daemon=True).start()
        except RuntimeError as error:  # the system gives no more threads
            self._room.release()
            connection.close()
            _log.warning("%s is hung up on: %s", client, error)

    def _answer(self, connection: socket.socket, client: str) -> None:
        """Shakes hands where TLS is asked for, then reads and answers."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            with connection:
                connection.settimeout(PATIENCE_SECONDS)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
                context = self._protection.context()
                if context is None:
                    Handler(connection, client, self._site, self._protection, deadline)
                    let_go(connection)
                    return
                with context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False) as secured:
                    try:
                        secured.do_handshake()
                    except ssl.SSLError:
                        let_go(secured)  # else what the client sent meanwhile makes the alert that tells why get lost
                        raise
                    Handler(secured, client, self._site, self._protection, deadline)
        except OSError as error:
            _log.debug("%s: %s", client, one_line(str(error)))
        finally:
            self._room.release()

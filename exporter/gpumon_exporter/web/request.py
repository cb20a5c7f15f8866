"""What a client asks for, read within bounds: a slow or endless request costs one thread for a few seconds."""

from __future__ import annotations

import base64
import binascii
import socket
import time

LONGEST_HEAD = 16 * 1024
"""Bytes of a request's first line and headers; Prometheus sends some 400."""
PATIENCE_SECONDS = 10.0
"""How long a client may take for its handshake and its request, and again for taking the answer."""


class TooLong(Exception):
    """The request's head is longer than any honest one."""


def read_head(connection: socket.socket, deadline: float) -> bytes:
    """The first line and headers of a request; empty when the client hung up. Raises TimeoutError (socket.timeout)."""
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head:
        if len(head) > LONGEST_HEAD:
            raise TooLong
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        part = connection.recv(8192)
        if not part:
            return b""
        head += part
    return head


def let_go(connection: socket.socket) -> None:
    """Hangs up so that the answer arrives: closing at once, with something unread, would take it back."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(1)
    for _ in range(8):
        if not connection.recv(8192):
            return


def login_of(authorization: str | None) -> tuple[str, str] | None:
    """The name and password of an Authorization header; None when there is none."""
    scheme, _, code = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(code.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return (name, password) if colon else None


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether the client wants its answer compressed."""
    for accepted in (accept_encoding or "").split(","):
        coding, _, quality = accepted.replace(" ", "").lower().partition(";q=")
        if coding == "gzip":
            return quality.strip("0.") != "" or not quality
    return False

"""Where the exporter listens: what `--listen` says, and the sockets for it."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gpumon_exporter.failures import BadOption, Failure

_ADDRESS = re.compile(r"(?:\[(?P<bracketed>[0-9A-Fa-f:.%\w]+)\]|(?P<plain>[^:\[\]\s]*)):(?P<port>[0-9]{1,5})")
_NOT_HERE = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""What a host without IPv6, or without IPv4, says."""
_WAITING = 64
"""How many connections may wait to be accepted."""


@dataclass(frozen=True)
class Address:
    """A host and a port to listen on."""

    host: str
    """A name or an address; empty for all addresses of both families."""
    port: int
    """0 for any that is free."""


def address_of(text: str) -> Address:
    """What `text` names: `:8080`, `10.0.0.5:8080`, `[::1]:8080`, `head:8080`."""
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise BadOption(f"{text!r} is not an address with a port, such as :8080, 10.0.0.5:8080 or [::1]:8080")
    return Address(found["bracketed"] or found["plain"] or "", int(found["port"]))


def listening_sockets(address: Address) -> tuple[socket.socket, ...]:
    """A listening socket for each address that the host has, IPv4 and IPv6."""
    opened: list[socket.socket] = []
    absent: OSError | None = None
    for family, place in _places(address):
        port = opened[0].getsockname()[1] if opened else address.port
        try:
            opened.append(_listening(family, (place[0], port, *place[2:])))
        except OSError as error:
            if error.errno not in _NOT_HERE:
                _close(opened)
                raise Failure(f"cannot listen on {_spelt(str(place[0]), address.port)}: {_reason(error)}") from error
            absent = error
    if absent and not opened:
        raise Failure(f"cannot listen on {_spelt(address.host, address.port)}: {_reason(absent)}") from absent
    return tuple(opened)


def name_of(listening: socket.socket) -> str:
    """Where a socket listens, as one writes it in a URL."""
    host, port, *_ = listening.getsockname()
    return _spelt(host, port)


def _places(address: Address) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    """The addresses that a host has, each once."""
    try:
        found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise Failure(f"cannot listen on {address.host!r}: there is no such host") from error
    return list(dict.fromkeys((family, place) for family, _, _, _, place in found))


def _listening(family: socket.AddressFamily, place: tuple[Any, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:  # IPv4 has a socket of its own, whatever the system's default is
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind(place)
        listening.listen(_WAITING)
    except OSError:
        listening.close()
        raise
    return listening


def _close(sockets: Iterable[socket.socket]) -> None:
    for opened in sockets:
        opened.close()


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program listens there already; choose another port with --listen"
    return error.strerror or str(error)


def _spelt(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

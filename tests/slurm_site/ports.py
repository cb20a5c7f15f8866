"""Ports of the loopback below those that the kernel gives to whoever asks for any: nobody takes them by accident."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

LOWEST, HIGHEST = 17000, 31000


def free_ports(names: Iterable[str]) -> dict[str, int]:
    """A port for each name that nobody listened on a moment ago."""
    numbers = random.sample(range(LOWEST, HIGHEST), HIGHEST - LOWEST)
    candidates = (number for number in numbers if is_free(number))
    return {name: next(candidates) for name in names}


def is_free(port: int) -> bool:
    """Whether nobody listens there on any address."""
    with socket.socket() as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True

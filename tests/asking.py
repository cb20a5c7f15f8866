"""How tests ask a Prometheus, and look at what goes wrong."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Protocol

import msgspec
import pytest

from gpumon.errors import SourceError
from gpumon.prometheus.client import PrometheusClient
from loopback import LoopbackServer, Respond

ClientFor = Callable[..., PrometheusClient]
"""Makes a client: `client_for(url_or_settings, transport=None, max_answer_bytes=2**20, timeout=5.0)`."""


class Serve(Protocol):
    """Starts a server that ends with its test."""

    def __call__(self, respond: Respond, tls: ssl.SSLContext | None = None) -> LoopbackServer: ...


class Labels(msgspec.Struct, gc=False, frozen=True):
    """One label."""

    node: str = ""


def error_of(client: PrometheusClient) -> SourceError:
    """What a query fails with."""
    with pytest.raises(SourceError) as raised:
        client.query("up", Labels)
    return raised.value

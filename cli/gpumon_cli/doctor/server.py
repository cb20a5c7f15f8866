"""The server behind the numbers, asked about itself (through prometheus-api-client): targets, metadata, version."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from prometheus_api_client import PrometheusConnect
from prometheus_api_client.exceptions import PrometheusApiClientException
from requests.auth import HTTPBasicAuth
from urllib3.util import Retry

from gpumon.settings import PrometheusSettings
from gpumon_cli.doctor.http_clock import clock_difference
from gpumon_cli.doctor.targets import TargetFacts

_VICTORIA_VERSION = re.compile(rb'vm_app_version\{[^}]*short_version="([^"]+)"')


class ServerSilent(Exception):
    """A question about the server itself was not answered; the message is a sentence."""


class Engine(msgspec.Struct, frozen=True):
    """What program answers."""

    name: str
    """"Prometheus", "VictoriaMetrics", or what it calls itself."""
    version: str
    """"" when it does not say."""


class Server:
    """One Prometheus, or what speaks its API."""

    def __init__(self, settings: PrometheusSettings) -> None:
        self._settings = settings
        self._url = settings.url.rstrip("/")
        self._session = requests.Session()
        self._session.verify = str(settings.ca_file) if settings.ca_file else True
        if settings.client_cert_file:
            cert, key = str(settings.client_cert_file), settings.client_key_file
            self._session.cert = (cert, str(key)) if key else cert
        self._session.hooks["response"].append(self._note_clock)
        connect: Any = PrometheusConnect  # its annotations say less than it takes: timeout=0.5, auth=callable
        self._client = connect(
            self._url,
            headers={name: secret.reveal() for name, secret in settings.headers},
            retry=Retry(total=0),
            auth=self._sign,
            session=self._session,
            timeout=settings.timeout_seconds,
        )
        self.clock_ahead: float | None = None
        """Seconds by which the server's clock is ahead of ours; None before an answer, or when it does not say."""
        self.is_victoria = False
        """True when an answer bore VictoriaMetrics' mark."""

    def targets(self) -> tuple[TargetFacts, ...]:
        """All active scrape targets; raises ServerSilent."""
        with self._asking("targets"):
            told = self._client.get_targets(state="active")
            return tuple(msgspec.convert(told["activeTargets"] or [], list[TargetFacts]))

    def metrics(self) -> frozenset[str]:
        """Names of the metrics of which some target has told; raises ServerSilent."""
        with self._asking("metadata"):
            return frozenset(entry["metric_name"] for entry in self._client.get_metric_metadata(metric=""))

    def engine(self) -> Engine:
        """What answers, and its version; raises ServerSilent."""
        with self._asking("version"):
            told: dict[str, Any] = self._get("/api/v1/status/buildinfo").json()
            data: dict[str, Any] = told.get("data") or {}
            version = str(data.get("version", ""))
            if self.is_victoria or not version:
                return Engine("VictoriaMetrics", self._victoria_version())
            return Engine(str(data.get("application") or "Prometheus"), version)

    def close(self) -> None:
        """Lets go of connections."""
        self._client.close()

    def _victoria_version(self) -> str:
        parts = urlsplit(self._url)
        found = _VICTORIA_VERSION.search(self._get("/metrics").content) if parts.path in ("", "/") else None
        return found.group(1).decode("ascii", "replace") if found else ""

    def _get(self, path: str) -> requests.Response:
        return self._session.get(
            self._url + path,
            headers={name: secret.reveal() for name, secret in self._settings.headers},
            auth=self._sign,
            timeout=self._settings.timeout_seconds,
        )

    def _sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Adds the configured credentials; being there at all keeps requests from taking others out of ~/.netrc."""
        settings = self._settings
        if settings.bearer_token is not None:
            request.headers["Authorization"] = f"Bearer {settings.bearer_token.reveal()}"
        elif settings.username is not None:
            password = settings.password.reveal() if settings.password else ""
            HTTPBasicAuth(settings.username, password)(request)
        return request

    def _note_clock(self, response: requests.Response, *_: Any, **__: Any) -> None:
        headers: Mapping[str, str] = response.headers
        self.is_victoria = self.is_victoria or "X-Server-Hostname" in headers
        ahead = clock_difference(headers.get("Date", ""), time.time(), response.elapsed.total_seconds())
        self.clock_ahead = self.clock_ahead if ahead is None else ahead

    @contextmanager
    def _asking(self, what: str) -> Generator[None, None, None]:
        try:
            yield
        except requests.RequestException as error:
            raise ServerSilent(f"its {what} could not be read: {_sentence(error)}") from error
        except PrometheusApiClientException as error:
            raise ServerSilent(f"its {what} could not be read: {_status(error)}") from error
        except (KeyError, TypeError, AttributeError, ValueError, msgspec.ValidationError) as error:
            raise ServerSilent(f"its {what} came in a form that Prometheus does not use") from error


def _status(error: PrometheusApiClientException) -> str:
    """The HTTP status, without the page that came with it."""
    found = re.search(r"HTTP Status Code (\d+)", str(error))
    return f"it was answered with HTTP status {found.group(1)}" if found else "it was refused"


def _sentence(error: requests.RequestException) -> str:
    """What went wrong on the way, without the innards of a library."""
    kinds = {
        requests.exceptions.SSLError: "no encrypted connection came about",
        requests.exceptions.ProxyError: "the proxy on the way did not let it through",
        requests.exceptions.Timeout: "no answer in time",
        requests.exceptions.TooManyRedirects: "it redirects in a circle",
        requests.exceptions.JSONDecodeError: "the answer is not JSON",
        requests.exceptions.ChunkedEncodingError: "the answer ended in the middle",
        requests.exceptions.ContentDecodingError: "the answer is not packed as it says",
        requests.exceptions.ConnectionError: "the connection broke or was refused",
    }
    return next((text for kind, text in kinds.items() if isinstance(error, kind)), type(error).__name__)

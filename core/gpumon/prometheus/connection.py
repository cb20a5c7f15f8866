"""One kept connection pool to one Prometheus: a path and parameters go in, the whole body comes out in time.

Everything that can go wrong leaves as a SourceError.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping

import httpx
import msgspec

from gpumon.prometheus import faults
from gpumon.prometheus.access import Access, without_user
from gpumon.prometheus.deadline import DeadlineNetwork

_CONNECTIONS = 4
_IDLE_SECONDS = 240.0
_ERROR_BYTES = 65536
_MOST_REDIRECTS = 3


class Clock(msgspec.Struct, frozen=True):
    """What an answer's Date header says, and when it came."""

    date: str
    sent_at: float
    """Seconds since the epoch, by this machine's clock."""
    received_at: float


class _Response(msgspec.Struct, frozen=True):
    status: int
    headers: httpx.Headers
    body: bytes
    """Whole for a success; for anything else its beginning."""

    @property
    def as_reply(self) -> faults.Reply:
        return faults.Reply(self.status, self.headers.get("Content-Type", ""), self.body)

    @property
    def wants_get(self) -> bool:
        """True when it refuses the method, not the request: a proxy that lets only GET pass."""
        return self.status == 405 or (self.status == 403 and b"method" in self.body.lower())


class Connection:
    """Asks one Prometheus, from any number of threads, over at most four connections."""

    def __init__(
        self,
        access: Access,
        timeout_seconds: float,
        max_answer_bytes: int,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.asked = faults.Asked(
            url=access.url,
            timeout_seconds=timeout_seconds,
            credentials=access.credentials,
            secrets=access.secrets,
            proxy=without_user(access.proxy or ""),
        )
        """Who is asked: for sentences about what is wrong inside an answer."""
        self.requests = 0
        """How many were sent."""
        self.clock: Clock | None = None
        """Of the newest answer that carried a date."""
        self._access = access
        self._max_answer_bytes = max_answer_bytes
        self._network: DeadlineNetwork | None = None
        self._client = httpx.Client(
            transport=transport or self._direct(),
            trust_env=False,
            headers=[
                (b"Accept", b"application/json"),
                (b"Accept-Encoding", b"identity" if access.is_loopback else b"gzip"),
                (b"User-Agent", b"gpumon"),
                *access.headers,
            ],
        )
        self._base = access.url
        self._method = "POST"
        self._lock = threading.Lock()
        self._waiting = 0
        self._is_closed = False

    def body(self, path: str, parameters: Mapping[str, str], *, post: bool = False) -> bytes:
        """The whole body of a successful answer.

        Raises:
            SourceError: there is none.
        """
        self._enter()
        try:
            return self._successful(path, parameters, post=post)
        finally:
            self._leave()

    def close(self) -> None:
        """Hangs up; whoever waits for an answer gets an error at once."""
        with self._lock:
            self._is_closed = True
            is_idle = self._waiting == 0
        if self._network is not None:
            self._network.hang_up()
        if is_idle:
            self._client.close()

    def _enter(self) -> None:
        with self._lock:
            if self._is_closed:
                raise faults.closed(self.asked.url)
            self._waiting += 1

    def _leave(self) -> None:
        with self._lock:
            self._waiting -= 1
            is_last = self._is_closed and self._waiting == 0
        if is_last:
            self._client.close()

    def _successful(self, path: str, parameters: Mapping[str, str], *, post: bool) -> bytes:
        deadline = time.monotonic() + self.asked.timeout_seconds
        for _ in range(_MOST_REDIRECTS + 2):
            method = self._method if post else "GET"
            response = self._answered(method, path, parameters, deadline)
            if 200 <= response.status < 300:
                return response.body
            if location := response.headers.get("Location", ""):
                self._follow(location, path)
            elif method == "POST" and response.wants_get:
                self._method = "GET"
            else:
                raise faults.from_reply(response.as_reply, self.asked)
        raise faults.redirected(self._base, self.asked)

    def _answered(self, method: str, path: str, parameters: Mapping[str, str], deadline: float) -> _Response:
        try:
            try:
                response = self._sent(method, path, parameters, deadline)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # a kept connection may be gone when it is used again; a query may safely be asked twice
                response = self._sent(method, path, parameters, deadline)
            with contextlib.closing(response):
                body = self._read(response, deadline)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            fault = faults.closed(self.asked.url) if self._is_closed else faults.from_exception(error, self.asked)
            raise fault from error
        return _Response(response.status_code, response.headers, body)

    def _sent(self, method: str, path: str, parameters: Mapping[str, str], deadline: float) -> httpx.Response:
        if self._network is not None:
            self._network.set_deadline(deadline)
        request = self._client.build_request(
            method,
            self._base + path,
            data=parameters if method == "POST" else None,
            params=parameters if method == "GET" else None,
            timeout=max(0.001, deadline - time.monotonic()),
        )
        with self._lock:
            self.requests += 1
        sent_at = time.time()
        response = self._client.send(request, stream=True)
        if date := response.headers.get("Date"):
            self.clock = Clock(date, sent_at, time.time())
        return response

    def _read(self, response: httpx.Response, deadline: float) -> bytes:
        limit = self._max_answer_bytes if response.is_success else _ERROR_BYTES
        if response.is_success and _announced(response.headers) > limit:
            raise faults.too_large(limit, self.asked)
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                if response.is_success:
                    raise faults.too_large(limit, self.asked)
                break
            if time.monotonic() > deadline:
                raise faults.timed_out(self.asked)
        return b"".join(chunks)

    def _follow(self, location: str, path: str) -> None:
        """Takes the new address when it is the same server's same path, never from encrypted to plain."""
        old = httpx.URL(self._base + path)
        try:
            new = old.join(location)
        except httpx.InvalidURL as error:
            raise faults.redirected(location, self.asked) from error
        is_downgrade = old.scheme == "https" and new.scheme != "https"
        if new.host != old.host or new.scheme not in ("http", "https") or is_downgrade or not new.path.endswith(path):
            raise faults.redirected(location, self.asked)
        if old.scheme == "http" and new.scheme == "https" and self._access.trusts_system:
            self._access.tls.load_default_certs()
        self._base = str(new.copy_with(query=None, fragment=None, userinfo=b"")).removesuffix(path)

    def _direct(self) -> httpx.BaseTransport:
        transport = httpx.HTTPTransport(
            verify=self._access.tls,
            trust_env=False,
            proxy=self._access.proxy,
            limits=httpx.Limits(
                max_connections=_CONNECTIONS,
                max_keepalive_connections=_CONNECTIONS,
                keepalive_expiry=_IDLE_SECONDS,
            ),
        )
        # httpx offers no public way to give its transport another network; a test proves that this one is used
        pool = transport._pool  # pyright: ignore[reportPrivateUsage]
        self._network = DeadlineNetwork(pool._network_backend)  # pyright: ignore[reportPrivateUsage]
        pool._network_backend = self._network  # pyright: ignore[reportPrivateUsage]
        return transport


def _announced(headers: httpx.Headers) -> float:
    """How many bytes are said to follow; 0 when nothing usable is said."""
    try:
        return float(headers.get("Content-Length", "0"))
    except ValueError:
        return 0.0

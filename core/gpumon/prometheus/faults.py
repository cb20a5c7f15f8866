"""Everything that can go wrong between gpumon and Prometheus, each in its own sentence with advice.

A sentence never holds a secret: what a server says is searched for those that were sent before it is repeated.
"""

from __future__ import annotations

import html
import re
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx
import msgspec

from gpumon.errors import (
    AnswerCutOff,
    AnswerTooLarge,
    ConnectionLost,
    NotFound,
    NotPrometheus,
    QueryRejected,
    Refused,
    SourceError,
    TimedOut,
    TlsFailed,
    Unauthorized,
    UnknownHost,
)
from gpumon.text import shown

_QUOTED_CHARACTERS = 300
_LOOKED_AT_BYTES = 65536
_DOCTOR = "(gpumon doctor)"
_GRAFANA_PORT = 3000
_CERTIFICATE_FAULTS = {  # OpenSSL's X509_V_ERR_* numbers
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate comes from an authority that is not trusted here",
    20: "its certificate comes from an authority that is not trusted here",
    21: "its certificate comes from an authority that is not trusted here",
    62: "its certificate is for another host name",
    64: "its certificate is for another address",
}
_WRONG_HOST_CODES = (62, 64)
_DATE_CODES = (9, 10)
_NO_TLS_REASONS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")
_TITLE = re.compile(r"<title[^>]*>(.{0,500}?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


class Asked(msgspec.Struct, frozen=True):
    """Who was asked and how: what every sentence needs to know."""

    url: str
    """Without secrets."""
    timeout_seconds: float
    credentials: str = ""
    """What was sent to log in, in words: "the username and password"; "" when nothing was."""
    secrets: tuple[str, ...] = ()
    """Never repeated, whoever says them."""
    proxy: str = ""
    """The proxy in between, without secrets."""

    @property
    def place(self) -> str:
        """The address, and the way there if it is not the direct one."""
        return f"{self.url} (through the proxy {self.proxy})" if self.proxy else self.url

    @property
    def prometheus(self) -> str:
        """Who was asked, as a sentence begins."""
        return f"Prometheus at {self.place}"

    def quoted(self, text: str) -> str:
        """What a server said, on one line, short, and without anything secret."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return shown(" ".join(text.split()), _QUOTED_CHARACTERS)


class Reply(msgspec.Struct, frozen=True):
    """A response that is not an answer."""

    status: int
    content_type: str
    body: bytes
    """Its beginning is enough."""

    @property
    def text(self) -> str:
        """The beginning of the body."""
        return self.body[:_LOOKED_AT_BYTES].decode("utf-8", "replace")

    @property
    def is_html(self) -> bool:
        """True for a page made for a browser."""
        return "html" in self.content_type.lower() or self.body.lstrip()[:1] == b"<"

    @property
    def title(self) -> str:
        """The page's title, "" without one."""
        found = _TITLE.search(self.text)
        return html.unescape(found.group(1)).strip() if found else ""

    @property
    def line(self) -> str:
        """The status as people read it: "502 Bad Gateway"."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)

    @property
    def words(self) -> str:
        """What it says to a person: a page's title, else its text without tags."""
        if self.is_html:
            return self.title or html.unescape(_TAG.sub(" ", self.text))
        return self.text


class _ErrorAnswer(msgspec.Struct):
    """Prometheus' own way to say no."""

    error: str
    status: str = ""
    errorType: str = ""  # noqa: N815  the name on the wire


def from_exception(error: Exception, asked: Asked) -> SourceError:
    """The fault behind what httpx (or the name resolver) raised."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _tls_failed(cause, asked)
        if isinstance(cause, (socket.gaierror, UnicodeError)) and not isinstance(error, httpx.DecodingError):
            return _unknown_host(cause, asked)
        if isinstance(cause, ConnectionRefusedError):
            return Refused(f"Nobody listens at {asked.place}.", advice=f"Is Prometheus running there? {_DOCTOR}")
    if isinstance(error, httpx.TimeoutException):
        return timed_out(asked, connecting=isinstance(error, httpx.ConnectTimeout))
    if isinstance(error, httpx.DecodingError) or "without sending complete message" in str(error):
        return cut_off(asked)
    if isinstance(error, httpx.RemoteProtocolError) and "x15\\x03" in str(error):
        return _wants_https(asked)
    return _connection_lost(error, asked)


def from_reply(reply: Reply, asked: Asked) -> SourceError:
    """The fault behind a response whose status is not a success."""
    plain = reply.text.lower()
    if "http request to an https server" in plain or "http request was sent to https port" in plain:
        return _wants_https(asked)
    if "no required ssl certificate" in plain:
        return TlsFailed(
            f"{asked.prometheus} wants a client certificate.", advice="Set client_cert_file and client_key_file."
        )
    if _smells_of_grafana(reply, asked, sure=reply.status in (401, 403)):
        return _grafana(asked)
    if reply.status in (401, 403):
        return _unauthorized(reply, asked)
    if (said := _own_error(reply)) is not None:
        return rejected(said.error, asked, kind=said.errorType)
    if reply.status == 404 or "unsupported path" in plain:
        return _not_found(reply, asked)
    if reply.status >= 500:
        return _server_in_trouble(reply, asked)
    if reply.status in (400, 413, 414, 422, 429) and not reply.is_html:
        return rejected(reply.words.strip() or reply.line, asked)
    return NotPrometheus(
        f"{asked.place} answered {reply.line}{_saying(reply, asked)}.",
        advice=f"Is this the address of Prometheus? {_DOCTOR}",
    )


def not_prometheus(reply: Reply, asked: Asked) -> SourceError:
    """The fault of a successful response that is not Prometheus' JSON."""
    if _smells_of_grafana(reply, asked):
        return _grafana(asked)
    if not reply.body.strip():
        return NotPrometheus(f"{asked.place} answered with nothing.", advice=f"Is Prometheus there? {_DOCTOR}")
    if reply.is_html:
        return _page(reply, asked)
    kind = "JSON that is not Prometheus'" if reply.body.lstrip()[:1] in (b"{", b"[", b'"') else "something else"
    return NotPrometheus(
        f"{asked.place} is not Prometheus: it answered with {kind}{_saying(reply, asked)}.",
        advice=f"Set its address, with the path prefix if it has one. {_DOCTOR}",
    )


def undecodable(body: bytes, error: Exception, asked: Asked) -> SourceError:
    """The fault of a successful response whose body cannot be decoded."""
    start = body[:100].lstrip()
    is_like_prometheus = start.startswith(b'{"status"')
    if "truncated" in str(error) and start.startswith(b"{"):
        return cut_off(asked)
    if is_like_prometheus and isinstance(error, msgspec.ValidationError):
        return misshapen(str(error), asked)
    if is_like_prometheus:
        return AnswerCutOff(
            f"The answer of {asked.prometheus} is damaged.", advice=f"Does a proxy in between change it? {_DOCTOR}"
        )
    return not_prometheus(Reply(200, "", body[:_LOOKED_AT_BYTES]), asked)


def misshapen(why: str, asked: Asked) -> NotPrometheus:
    """The fault of an answer in Prometheus' envelope that holds something else than was asked for."""
    return NotPrometheus(
        f"{asked.prometheus} answered in an unexpected form: {asked.quoted(why)}.",
        advice=f"Is it Prometheus, or a program that speaks its HTTP API? {_DOCTOR}",
    )


def redirected(location: str, asked: Asked) -> NotPrometheus:
    """The fault of a redirect that gpumon does not follow."""
    return NotPrometheus(
        f"{asked.place} sends gpumon on to {asked.quoted(_without_query(location))}, which is not Prometheus' API.",
        advice="That is usually a login page: use Prometheus' own address, or set credentials in the configuration.",
    )


def rejected(text: str, asked: Asked, *, kind: str = "") -> QueryRejected:
    """The fault of a request that Prometheus understood and did not carry out."""
    named = f" ({asked.quoted(kind)})" if kind and not kind.isdigit() else ""
    advice = ""
    if kind == "timeout" or "timed out" in text:
        advice = "It is busy, or timeout_seconds is short."
    elif kind in ("unavailable", "too_many_requests") or "too many" in text:
        advice = "It is at its own limits; its log says more."
    return QueryRejected(
        f"{asked.prometheus} answered with an error{named}: {asked.quoted(text).rstrip('.')}.", advice=advice
    )


def timed_out(asked: Asked, *, connecting: bool = False) -> TimedOut:
    """The fault of an answer that was not there in time."""
    if connecting:
        return TimedOut(
            f"{asked.place} did not accept a connection within {asked.timeout_seconds:g} s.",
            advice=f"Is the host up, and is the port open in its firewall? {_DOCTOR}",
        )
    return TimedOut(
        f"{asked.prometheus} did not answer within {asked.timeout_seconds:g} s.", advice=f"Is it running? {_DOCTOR}"
    )


def cut_off(asked: Asked) -> AnswerCutOff:
    """The fault of an answer that ended before its end."""
    return AnswerCutOff(
        f"The answer of {asked.prometheus} ended in the middle.",
        advice="It was restarted meanwhile, or a proxy in between cuts long answers.",
    )


def too_large(limit_bytes: int, asked: Asked) -> AnswerTooLarge:
    """The fault of an answer above any sensible size."""
    return AnswerTooLarge(
        f"The answer of {asked.prometheus} is larger than {limit_bytes / 2**20:,.4g} MiB.",
        advice=f"Is this the address of Prometheus? {_DOCTOR}",
    )


def closed(url: str) -> ConnectionLost:
    """The fault of asking after gpumon itself has hung up."""
    return ConnectionLost(f"The connection to {url} was closed.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _tls_failed(error: ssl.SSLError, asked: Asked) -> TlsFailed:
    start = f"No encrypted connection to {asked.place}"
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        why = _CERTIFICATE_FAULTS.get(code, f"its certificate is not accepted: {asked.quoted(error.verify_message)}")
        if code in _WRONG_HOST_CODES:
            advice = "Use the name that the certificate is made for."
        elif code in _DATE_CODES:
            advice = "Renew it, and check the clocks of both machines."
        else:
            advice = "Set ca_file to the certificate of its authority."
        return TlsFailed(f"{start}: {why}.", advice=advice)
    reason = error.reason or ""
    if reason in _NO_TLS_REASONS:
        return TlsFailed(f"{start}: it speaks plain HTTP.", advice="Write http:// instead of https://.")
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason or "BAD_CERTIFICATE" in reason:
        return TlsFailed(
            f"{start}: it did not accept gpumon's side ({asked.quoted(reason)}).",
            advice="Does it want a client certificate? Set client_cert_file and client_key_file.",
        )
    return TlsFailed(f"{start}: {asked.quoted(reason or str(error))}.", advice=_DOCTOR)


def _wants_https(asked: Asked) -> TlsFailed:
    return TlsFailed(f"{asked.place} speaks HTTPS, not plain HTTP.", advice="Write https:// instead of http://.")


def _unknown_host(error: BaseException, asked: Asked) -> UnknownHost:
    host = urlsplit(asked.proxy or asked.url).hostname or asked.url
    why = f" ({shown(error.strerror)})" if isinstance(error, socket.gaierror) and error.strerror else ""
    return UnknownHost(
        f"The name {host} in {asked.place} does not resolve{why}.",
        advice=f"Is it spelled right, and does this machine's DNS know it? {_DOCTOR}",
    )


def _connection_lost(error: Exception, asked: Asked) -> ConnectionLost:
    why = next((cause.strerror for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror), "")
    if isinstance(error, httpx.ProxyError):
        why = why or str(error)
    elif isinstance(error, httpx.RemoteProtocolError):
        why = "it closed the connection" if "disconnected" in str(error) else "it does not speak HTTP as it should"
    is_dropped = isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError)) and asked.url.startswith("http://")
    hint = " If it speaks HTTPS, write https://." if is_dropped else ""
    return ConnectionLost(
        f"The connection to {asked.place} failed: {asked.quoted(why or type(error).__name__)}.",
        advice=f"Is it Prometheus, and still running?{hint} {_DOCTOR}",
    )


def _unauthorized(reply: Reply, asked: Asked) -> Unauthorized:
    saying = _saying(reply, asked)
    if "org id" in reply.text.lower():
        return Unauthorized(
            f"{asked.prometheus} wants to know the tenant ({reply.status}){saying}.",
            advice="Set the header X-Scope-OrgID in the configuration.",
        )
    if reply.status == 403:
        return Unauthorized(
            f"{asked.prometheus} forbids the request (403){saying}.",
            advice=f"{asked.credentials.capitalize() or 'A login'} must be allowed to read Prometheus' API.",
        )
    if asked.credentials:
        return Unauthorized(
            f"{asked.prometheus} does not accept {asked.credentials} (401){saying}.",
            advice="Correct them in the configuration.",
        )
    return Unauthorized(
        f"{asked.prometheus} wants a login (401){saying}.",
        advice="Set username and password, or a bearer token, in the configuration.",
    )


def _not_found(reply: Reply, asked: Asked) -> NotFound:
    prefix = urlsplit(asked.url).path.strip("/")
    if prefix:
        advice = f"Is the path prefix /{shown(prefix, 80)} right? {_DOCTOR}"
    else:
        advice = f"Does it have a path prefix, as in {asked.url}/prometheus? {_DOCTOR}"
    return NotFound(f"{asked.place} has no Prometheus API at this path ({reply.line}).", advice=advice)


def _server_in_trouble(reply: Reply, asked: Asked) -> SourceError:
    if reply.status == 504:
        return TimedOut(
            f"A proxy at {asked.place} waited in vain for Prometheus behind it ({reply.line}).",
            advice=f"Is Prometheus running? {_DOCTOR}",
        )
    if reply.status == 503 and not reply.is_html:
        return QueryRejected(
            f"{asked.prometheus} is not ready ({reply.line}){_saying(reply, asked)}.",
            advice="After a start it reads its log of recent samples first; that can take minutes.",
        )
    if reply.is_html or reply.status == 502:
        return ConnectionLost(
            f"A proxy at {asked.place} could not reach Prometheus behind it ({reply.line}).",
            advice=f"Is Prometheus running? {_DOCTOR}",
        )
    return rejected(reply.words.strip() or reply.line, asked)


def _page(reply: Reply, asked: Asked) -> NotPrometheus:
    title = asked.quoted(reply.title)
    named = f' titled "{title}"' if title else ""
    if "exporter" in title.lower():
        advice = "That is an exporter: set the address of the Prometheus that scrapes it."
    elif re.search(r"log.?in|sign.?in|sso|password", f"{title} {reply.text}", re.IGNORECASE):
        advice = "That is a login page: use Prometheus' own address, or set credentials in the configuration."
    else:
        advice = f"Set Prometheus' own address, with its path prefix if it has one. {_DOCTOR}"
    return NotPrometheus(f"{asked.place} answered with a web page{named} instead of numbers.", advice=advice)


def _grafana(asked: Asked) -> NotPrometheus:
    return NotPrometheus(
        f"{asked.place} is Grafana's address, not Prometheus'.",
        advice="Prometheus usually listens on port 9090; Grafana's data source settings name the right address.",
    )


def _smells_of_grafana(reply: Reply, asked: Asked, *, sure: bool = False) -> bool:
    if "grafana" in reply.text.lower() or ('"messageId"' in reply.text and '"traceID"' in reply.text):
        return not _is_own_error(reply)
    return not sure and urlsplit(asked.url).port == _GRAFANA_PORT and not _is_own_error(reply)


def _is_own_error(reply: Reply) -> bool:
    return _own_error(reply) is not None


def _own_error(reply: Reply) -> _ErrorAnswer | None:
    try:
        said = msgspec.json.decode(reply.body, type=_ErrorAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return said if said.status == "error" or said.errorType else None


def _saying(reply: Reply, asked: Asked) -> str:
    said = _own_error(reply)
    words = asked.quoted(said.error if said else reply.words)
    return f': "{words}"' if words else ""


def _without_query(location: str) -> str:
    return re.split(r"[?#]", location, maxsplit=1)[0]

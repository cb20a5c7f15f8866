"""How one Prometheus is reached, checked before anything is sent: address, credentials, certificates, proxy."""

from __future__ import annotations

import base64
import ipaddress
import ssl
import urllib.request
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from gpumon.errors import ConfigError
from gpumon.settings import PrometheusSettings
from gpumon.text import shown


class Access(msgspec.Struct, frozen=True):
    """Everything a connection needs, none of it shown except `url`."""

    url: str
    """Scheme, host, port and path prefix: no user, no password, no slash at the end."""
    is_loopback: bool
    """True when it is this machine: no proxy, no compression."""
    headers: tuple[tuple[bytes, bytes], ...]
    """Sent with every request; with secrets."""
    credentials: str
    """What is sent to log in, in words: "the bearer token"; "" when nothing is."""
    secrets: tuple[str, ...]
    """What must never be repeated to a person."""
    tls: ssl.SSLContext
    """What is trusted, and the client's certificate."""
    trusts_system: bool
    """True when the system's authorities count: no ca_file is set."""
    proxy: str | None
    """The environment's proxy for this address; with its password."""

    def __repr__(self) -> str:
        return f"Access({self.url!r})"


def access(settings: PrometheusSettings) -> Access:
    """What `settings` mean.

    Raises:
        ConfigError: an address, a header or a certificate file that cannot be used; all of them at once.
    """
    mistakes: list[str] = []
    parts = _address(settings.url, mistakes)
    headers, secrets, credentials = _headers(settings, parts, mistakes)
    host = parts.hostname or ""
    loopback = _is_loopback(host)
    proxy = None if loopback else _proxy(parts.scheme, host, mistakes)
    if proxy and (password := urlsplit(proxy).password):
        secrets.append(password)
    tls = _tls(settings, parts.scheme, mistakes)
    if mistakes or tls is None:
        raise ConfigError(mistakes)
    return Access(
        url=f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/"),
        is_loopback=loopback,
        headers=tuple(headers),
        credentials=credentials,
        secrets=tuple(secret for secret in secrets if secret),
        tls=tls,
        trusts_system=settings.ca_file is None,
        proxy=proxy,
    )


def without_user(url: str) -> str:
    """`url` with neither user nor password."""
    start, separator, rest = url.partition("://")
    return f"{start}{separator}{rest.rpartition('@')[2]}" if separator else url.rpartition("@")[2]


def _address(url: str, mistakes: list[str]) -> SplitResult:
    expected = "expected an address such as http://head:9090"
    try:
        parts = urlsplit(url.strip())
        port_is_usable = parts.port != 0
    except ValueError:
        mistakes.append(f"prometheus.url: {expected}; it cannot be read as one.")
        return urlsplit("")
    told = shown(without_user(url), 200)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_usable:
        mistakes.append(f'prometheus.url: {expected}, not "{told}".')
    elif parts.query or parts.fragment:
        mistakes.append(f'prometheus.url: {expected}, without "?" and "#"; secrets belong into headers.')
    elif any(character.isspace() or ord(character) < 32 for character in url.strip()):
        mistakes.append(f'prometheus.url: {expected}, without blanks, not "{told}".')
    return parts


def _headers(
    settings: PrometheusSettings, parts: SplitResult, mistakes: list[str]
) -> tuple[list[tuple[bytes, bytes]], list[str], str]:
    named = [(name, secret.reveal(), f"header {shown(name, 80)}") for name, secret in settings.headers]
    secrets = [value for _, value, _ in named]
    credentials = ""
    username = settings.username if settings.username is not None else unquote(parts.username or "")
    password = settings.password.reveal() if settings.password else unquote(parts.password or "")
    if settings.bearer_token is not None:
        credentials = "the bearer token"
        secrets.append(settings.bearer_token.reveal())
        named.append(("Authorization", f"Bearer {settings.bearer_token.reveal()}", "bearer_token"))
    elif username:
        credentials = "the username and password"
        basic = base64.b64encode(f"{username}:{password}".encode()).decode()
        secrets += [password, basic]
        named.append(("Authorization", f"Basic {basic}", "password"))
    headers: list[tuple[bytes, bytes]] = []
    for name, value, key in named:
        if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
            mistakes.append(f"prometheus: {key} is not a header's name.")
        elif any(ord(character) < 32 or ord(character) == 127 for character in value) or value != value.strip():
            mistakes.append(f"prometheus: the value of {key} holds a line break, or blanks at an end.")
        else:
            headers.append((name.encode(), value.encode("utf-8", "surrogateescape")))
    return headers, secrets, credentials


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _proxy(scheme: str, host: str, mistakes: list[str]) -> str | None:
    if not host or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        told = shown(without_user(proxy), 200)
        mistakes.append(f'{scheme}_proxy in the environment: expected http://host:port, not "{told}"; or set no_proxy.')
        return None
    return proxy


def _tls(settings: PrometheusSettings, scheme: str, mistakes: list[str]) -> ssl.SSLContext | None:
    unreadable = _unreadable("ca_file", settings.ca_file, mistakes)
    unreadable |= _unreadable("client_cert_file", settings.client_cert_file, mistakes)
    unreadable |= _unreadable("client_key_file", settings.client_key_file, mistakes)
    if unreadable:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if settings.ca_file is not None:
            context.load_verify_locations(settings.ca_file)
        elif scheme == "https":  # they take long to load
            context.load_default_certs()
    except (ssl.SSLError, ValueError):
        mistakes.append(f"prometheus.ca_file: {_told(settings.ca_file)} holds no certificate in PEM form.")
        return None
    if settings.client_cert_file is not None:
        try:
            context.load_cert_chain(settings.client_cert_file, settings.client_key_file, password=_no_passphrase)
        except (ssl.SSLError, ValueError):
            names = [_told(file) for file in (settings.client_cert_file, settings.client_key_file) if file]
            mistakes.append(
                f"prometheus.client_cert_file: {' and '.join(names)}: expected a certificate and its key, both in PEM"
                " form, the key without a passphrase."
            )
    return context


def _no_passphrase() -> str:
    """Keeps OpenSSL from asking on the terminal, over the dashboard."""
    return ""


def _unreadable(key: str, file: Path | None, mistakes: list[str]) -> bool:
    if file is None:
        return False
    try:
        with file.open("rb"):
            return False
    except OSError as error:
        mistakes.append(f"prometheus.{key}: {_told(file)} cannot be read: {error.strerror or 'unknown reason'}.")
        return True


def _told(file: Path | None) -> str:
    return shown(str(file), 300)
